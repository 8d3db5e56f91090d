/* SPDX-License-Identifier: MIT */
/*
 * bench.h - the modes of the load generator that measure a server closely.
 *
 *	bench_main.c  options          bench_window.c   closed loop
 *	form.c        dialects         bench_open.c     fixed rate
 *	probe.c       a connection     bench_slow.c     with deaf members
 *	crowd.c       rooms of them    bench_connect.c  a storm of newcomers
 *	figures.c     what came out    bench_idle.c     many that do nothing
 *	                               bench_files.c    files by HTTP
 *
 * The crowd of load_run.c checks every message; here a delivery must cost far
 * less than it costs the server, or the generator is what is measured.  So
 * messages are all alike, of one length, and only the headers of frames are
 * looked at; whether each connection got as many as were sent to it is
 * checked nevertheless.  One thread does it all.
 *
 * A room is a group of members that are all subscribed to the same topics;
 * one of them publishes, to these topics in turn.
 */

#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/bench/form.h"
#include "tests/load/load.h"
#include "tests/load/procstat.h"

struct bench_options {
	struct load_target target;
	struct form form;
	pid_t server_pid; /* 0: whoever listens on the URL's port */
	unsigned rooms;
	unsigned first_room; /* the number of the first one */
	unsigned members;    /* of a room */
	const char *common;  /* one more topic for all members, or NULL */
	unsigned window;     /* messages in flight per room */
	double rate;         /* messages per second, of all rooms together */
	double warm;         /* seconds before the figures count */
	double seconds;      /* that they count */
	unsigned rounds;     /* slow: with and without */
	unsigned deaf;       /* slow: members that never read */
	unsigned dribbling;  /* slow: members that read a byte a second */
	unsigned clients;    /* connect, idle, files */
	unsigned base;       /* idle: connections when memory is first read */
	unsigned processes;  /* idle; 0: as many as the descriptors ask for */
	bool broadcast;      /* idle: one message to all in the end */
	bool everybody;      /* window: members publish in turn, not one */
	bool gzip;           /* files: ask for it compressed */
	bool json;
};

/* Run a mode and print its figures.  Returns: the exit status; 1 if anything
 * was lost, came twice, or a connection broke. */
int bench_window(const struct bench_options *options);
int bench_open(const struct bench_options *options);
int bench_slow(const struct bench_options *options);
int bench_connect(const struct bench_options *options);
int bench_idle(const struct bench_options *options);
int bench_files(const struct bench_options *options);

/* The command line, behind --mode and the mode's name.  Returns: the exit
 * status. */
int bench_main(const char *mode, int argc, char **argv);

/* Look at the server's processes, by the options. */
void bench_find_server(
    const struct bench_options *options, struct procstat *server);

/* Print what went wrong, and exit with status 1. */
_Noreturn void bench_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
