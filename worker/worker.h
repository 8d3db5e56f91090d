/* SPDX-License-Identifier: MIT */
/*
 * worker.h - one process per core that owns its clients.
 *
 * This is all that the outside needs: the supervisor is handed worker_main()
 * and calls it in a fresh child.
 */

#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "broker/segment.h"
#include "broker/wakeup.h"
#include "common/config.h"

/* What a worker inherits.  All borrowed, valid as long as the process. */
struct worker_args {
	const struct config *config;
	struct segment *segment;
	struct wakeup *wakeup;
	unsigned slot;
	const int *listeners;  /* its own sockets, one per listening address */
	size_t listener_count; /* non-blocking, listening; not to be closed but
	                          when the supervisor is dead */
	int supervisor_fd;     /* read end of a pipe: EOF = supervisor died */
};

/*
 * Be worker args->slot until told to leave.  Called in the child after the
 * fork, with SIGTERM, SIGINT, SIGHUP and SIGUSR2 ignored, other descriptors
 * closed, and the log opened.
 *
 * Returns: the exit status of the process: 0 drained or quit as ordered, 1 it
 * could not start (logged).  Dies by abort() on a bug.
 */
int worker_main(const struct worker_args *args);

#endif
