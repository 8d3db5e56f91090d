/* SPDX-License-Identifier: MIT */
/* logfile.c - see logfile.h. */

#include "broker/host/logfile.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that the pipe should hold: a second of a busy server's warnings. */
#define LOGFILE_PIPE_SIZE (256 * 1024)

/* Bytes of one write(2): what a pipe with room takes without blocking. */
#define LOGFILE_WRITE_MAX 4096

/* Buffers carried per call. */
#define LOGFILE_TURN_MAX 64

static int
logfile_open_file(const char *path, char error[LOGFILE_ERROR_MAX])
{
	const char *why = NULL;
	struct stat st;
	int fd;

	fd = open(path,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK |
		O_CLOEXEC,
	    0640);
	if (fd == -1)
		why = strerror(errno);
	else if (fstat(fd, &st) == -1 || S_ISDIR(st.st_mode))
		why = "not a file";
	else if (S_ISREG(st.st_mode) && st.st_uid != geteuid())
		why = "belongs to another user";
	if (why == NULL)
		return fd;
	snprintf(error, LOGFILE_ERROR_MAX, "log file %s: %s", path, why);
	if (fd != -1)
		close(fd);
	return -1;
}

/*
 * A descriptor of standard error that does not block.  O_NONBLOCK on descriptor
 * 2 would be set for every process that shares the terminal or the pipe, so
 * that is opened anew if possible.  (Not a file, whose offset has to stay
 * shared.)
 */
static int
logfile_open_stderr(char error[LOGFILE_ERROR_MAX])
{
	struct stat st;
	int fd = -1;

	if (fstat(STDERR_FILENO, &st) == -1)
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		fd = open("/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (fd == -1)
		snprintf(error, LOGFILE_ERROR_MAX, "log to standard error: %s",
		    strerror(errno));
	return fd;
}

static bool
logfile_open_pipe(struct logfile *logfile, char error[LOGFILE_ERROR_MAX])
{
	int fd[2];

	if (pipe2(fd, O_NONBLOCK | O_CLOEXEC) == -1) {
		snprintf(error, LOGFILE_ERROR_MAX, "a pipe for the log: %s",
		    strerror(errno));
		return false;
	}
	fcntl(fd[1], F_SETPIPE_SZ, LOGFILE_PIPE_SIZE); /* a wish */
	logfile->reader = fd[0];
	logfile->writer = fd[1];
	return true;
}

bool
logfile_open(struct logfile *logfile, const char *path, int adopted,
    char error[LOGFILE_ERROR_MAX])
{
	memset(logfile, 0, sizeof(*logfile));
	if (path == NULL)
		logfile->fd = logfile_open_stderr(error);
	else if (adopted != -1)
		logfile->fd = adopted;
	else
		logfile->fd = logfile_open_file(path, error);
	if (logfile->fd == -1)
		return false;
	fcntl(logfile->fd, F_SETFD, FD_CLOEXEC);
	if (!logfile_open_pipe(logfile, error)) {
		close(logfile->fd);
		return false;
	}
	logfile->path = path;
	return true;
}

void
logfile_adopt_pipe(struct logfile *logfile, int reader, int writer)
{
	close(logfile->reader);
	close(logfile->writer);
	logfile->reader = reader;
	logfile->writer = writer;
}

/* Write as much as goes without blocking.  Returns the bytes written, or -1. */
static ssize_t
logfile_try_write(int fd, const char *bytes, size_t len)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	if (len > LOGFILE_WRITE_MAX)
		len = LOGFILE_WRITE_MAX;
	if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0)
		return -1;
	do
		n = write(fd, bytes, len);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Write whole lines; what does not go out is lost, and counted. */
static void
logfile_write(struct logfile *logfile, const char *lines, size_t len)
{
	size_t done = 0;
	ssize_t n;

	if (logfile->torn && logfile_try_write(logfile->fd, "\n", 1) == 1)
		logfile->torn = false;
	while (!logfile->torn && done < len) {
		n = logfile_try_write(logfile->fd, lines + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < len) {
		if (done > 0)
			logfile->torn = lines[done - 1] != '\n';
		for (; done < len; done++)
			if (lines[done] == '\n')
				logfile->lost++;
	} else if (logfile->lost > 0) {
		log_warnx("log: %llu lines lost while it could not be written",
		    (unsigned long long)logfile->lost);
		logfile->lost = 0;
	}
}

/* Write the whole lines of the buffer, or all of it if there is no end in
 * sight (somebody printed to standard error), and keep the rest. */
static void
logfile_write_buffer(struct logfile *logfile)
{
	const char *end = memrchr(logfile->buffer, '\n', logfile->held);
	size_t len = logfile->held;

	if (end != NULL)
		len = (size_t)(end + 1 - logfile->buffer);
	else if (logfile->held < sizeof(logfile->buffer))
		return;
	logfile_write(logfile, logfile->buffer, len);
	logfile->held -= len;
	memmove(logfile->buffer, logfile->buffer + len, logfile->held);
}

void
logfile_carry(struct logfile *logfile)
{
	for (int i = 0; i < LOGFILE_TURN_MAX; i++) {
		ssize_t n =
		    read(logfile->reader, logfile->buffer + logfile->held,
			sizeof(logfile->buffer) - logfile->held);

		if (n <= 0)
			return;
		logfile->held += (size_t)n;
		logfile_write_buffer(logfile);
	}
}

int
logfile_open_other(const char *path, char error[LOGFILE_ERROR_MAX])
{
	return logfile_open_file(path, error);
}

void
logfile_go_on_with(struct logfile *logfile, const char *path, int fd)
{
	logfile->path = path;
	if (fd == -1)
		return;
	logfile_carry(logfile);
	close(logfile->fd);
	logfile->fd = fd;
	logfile->torn = false;
}

bool
logfile_reopen(struct logfile *logfile, char error[LOGFILE_ERROR_MAX])
{
	int fd = logfile_open_file(logfile->path, error);

	if (fd != -1)
		logfile_go_on_with(logfile, logfile->path, fd);
	return fd != -1;
}

void
logfile_close(struct logfile *logfile)
{
	logfile_carry(logfile);
	logfile_write(logfile, logfile->buffer, logfile->held);
	close(logfile->reader);
	close(logfile->writer);
	close(logfile->fd);
}
