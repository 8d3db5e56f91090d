/* SPDX-License-Identifier: MIT */
/* control_server.h - the server that a command is about, found and open; for the
 * files of control.h alone. */

#ifndef BROKER_CLI_CONTROL_SERVER_H
#define BROKER_CLI_CONTROL_SERVER_H

#include "broker/cli/cli.h"
#include "broker/host/lockfile.h"
#include "broker/host/report.h"
#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* How often a change is looked at: its end shows in shared memory only. */
#define CONTROL_LOOK_MS 10

/* A server that runs, or what is left of it. */
struct control {
	const struct config *config;
	struct lockfile_holders holders;
	int pidfd;
	struct segment segment;
	bool attached;
	uint64_t drain_ms;
};

/*
 * Find the server, or what is left of it.
 * Owns:    the caller, control_close(), if this is EXIT_STATUS_OK.
 * Returns: EXIT_STATUS_NOT_RUNNING, which is not said yet, or a failure, which
 *          is.
 */
enum exit_status control_open(struct control *control, const struct cli *cli);
void control_close(struct control *control);

/*
 * Run a command on the server of the call, which must be serving.
 * Returns: what the command does; EXIT_STATUS_NOT_RUNNING, or a failure, which
 *          is said.
 */
enum exit_status control_serving(const struct cli *cli,
    enum exit_status (*command)(const struct control *control));

/* Bytes of a reason in the segment, NUL included. */
#define CONTROL_WHY_MAX 512

/* A change that the server is to make, and where its answer shows. */
struct control_change {
	const char *be, *being, *was; /* "reload", "reloading", "reloaded" */
	/* In the header of its segment: how many such changes were made, and
	 * how many refused, and why or what, NUL-terminated. */
	const _Atomic uint64_t *done, *refused;
	const char *why;
	uint64_t done_before, refused_before; /* filled in here */
};

/* Note what has been answered so far.  Before the server is told. */
void control_change_begin(struct control_change *change);

/*
 * Wait until it is made.
 * Blocks:  until then, until the server refuses or ends, or until the deadline,
 *          ms of the monotonic clock.
 * Returns: EXIT_STATUS_OK, or a failure, which is said.
 */
enum exit_status control_await(const struct control *control,
    const struct control_change *change, uint64_t deadline);

/* Signal the supervisor.  It may have gone meanwhile, by itself.  Returns
 * EXIT_STATUS_OK, or a failure that is said. */
enum exit_status control_signal(const struct control *control, int sig);

#endif
