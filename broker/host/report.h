/* SPDX-License-Identifier: MIT */
/*
 * report.h - how a command ends: its exit status, and one line on standard error
 * that says why it failed, or (`run' and `start') one ready line on standard
 * output.
 *
 * The server that `start' leaves in the background has no terminal; its report
 * goes through a pipe to the process that the caller waits for.
 */

#ifndef BROKER_HOST_REPORT_H
#define BROKER_HOST_REPORT_H

#include "common/log.h"

/* How a command ends; part of the command line's contract. */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FAILED,
	EXIT_STATUS_USAGE,
	EXIT_STATUS_NOT_RUNNING,
	EXIT_STATUS_ALREADY_RUNNING,
};

/* Send reports into this pipe from now on.  It ends with the report that all is
 * ready, or with this process. */
void report_into(int fd);

/* Make no ready report, because nobody waits for one. */
void report_no_ready(void);

/* The server is ready.  Text without a newline. */
void report_ready(const char *fmt, ...) LOG_FMT(1);

/*
 * A command fails, for the reason given (text without a newline).
 * Returns status, for the caller to end with.
 */
enum exit_status report_failure(enum exit_status status, const char *fmt, ...)
    LOG_FMT(2);

/* Tell something on standard error that is no failure; text without a newline.
 * Callers: commands that serve nobody. */
void report_note(const char *fmt, ...) LOG_FMT(1);

/*
 * A command has printed its answer with stdio: make sure that it is out.
 * Returns: EXIT_STATUS_OK, or, having said why, EXIT_STATUS_FAILED.
 */
enum exit_status report_printed(void);

/*
 * Pass on, as our own, the report that comes out of a pipe.
 * Blocks:  until the server is ready, or has ended.
 * Returns: the status that it carries.
 */
enum exit_status report_relay(int fd);

#endif
