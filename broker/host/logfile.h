/* SPDX-License-Identifier: MIT */
/*
 * logfile.h - where the lines of all processes come together.
 *
 * Every process, the supervisor included, logs into one non-blocking pipe; the
 * supervisor alone carries what comes out of it to the file (or to standard
 * error).  So the lines of all keep their order, a rotated file is let go of by
 * one process, and a disk that is full or a terminal that stands still stops
 * nobody: the lines are lost, counted, and one line tells how many as soon as
 * there is room again.
 */

#ifndef BROKER_HOST_LOGFILE_H
#define BROKER_HOST_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGFILE_ERROR_MAX 256  /* bytes of a reason */
#define LOGFILE_BUFFER    8192 /* bytes carried at once */

struct logfile {
	const char *path; /* borrowed; NULL: standard error */
	int fd;           /* of the file */
	int reader;       /* the pipe, supervisor's end */
	int writer;       /* the pipe, everybody's end; for log_open() */
	uint64_t lost;    /* lines, since the last one that was written */
	bool torn;        /* the last thing written was half a line */
	size_t held;      /* bytes of the buffer in use */
	char buffer[LOGFILE_BUFFER]; /* read, not yet a whole line */
};

/*
 * Open the file for appending (made with mode 0640; nobody else's, and through
 * no link) and the pipe.  adopted: a descriptor of the file that was kept over
 * execve(2), or -1.
 * Returns false with a reason that names the file.
 * Owns: the caller, until logfile_close().
 */
bool logfile_open(struct logfile *logfile, const char *path, int adopted,
    char error[LOGFILE_ERROR_MAX]);

/* Go on with this pipe instead of the own one. */
void logfile_adopt_pipe(struct logfile *logfile, int reader, int writer);

/* Carry what is in the pipe to the file; of a flood only a part.  Never
 * blocks. */
void logfile_carry(struct logfile *logfile);

/* Let go of the file and open its name again, after it was rotated.  Not for
 * standard error.  Returns false with a reason; the old file is kept then. */
bool logfile_reopen(struct logfile *logfile, char error[LOGFILE_ERROR_MAX]);

/* Open another file, as logfile_open() does.  Returns a descriptor, or -1 with a
 * reason. */
int logfile_open_other(const char *path, char error[LOGFILE_ERROR_MAX]);

/* Go on with the file of logfile_open_other(), and let go of the one so far; fd
 * -1: keep that, whose path is borrowed from here now. */
void logfile_go_on_with(struct logfile *logfile, const char *path, int fd);

/* Carry what is left and close all. */
void logfile_close(struct logfile *logfile);

#endif
