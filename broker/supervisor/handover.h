/* SPDX-License-Identifier: MIT */
/*
 * handover.h - the state that a supervisor passes on to itself over execve(2).
 *
 * Descriptors stay open across execve(2), and the lock on the lock file stays
 * with the process; an environment variable tells which descriptor is which.
 * Like systemd's LISTEN_PID it begins with the number of the process that it is
 * meant for, so that no process that merely inherits the environment uses it.
 */

#ifndef BROKER_SUPERVISOR_HANDOVER_H
#define BROKER_SUPERVISOR_HANDOVER_H

#include "broker/host/listeners.h"

#include <stdbool.h>
#include <stddef.h>

#define HANDOVER_VARIABLE "PUBSUBD_HANDOVER"

enum handover_store {
	HANDOVER_LIVE = 0,
	HANDOVER_ACCESS,
	HANDOVER_TLS,
	HANDOVER_STORES
};

/* What an upgrade passes on beyond that: the workers, which serve on.  The
 * sockets are those over which a successor asks (worker/hand_over.h). */
struct handover_kept {
	unsigned workers; /* 0: a restart, there is none */
	int life[2];      /* the pipe whose end they watch */
	int state_fd;
	int log[2];                        /* the pipe, reader and writer */
	int doorbell[CONFIG_WORKERS_MAX];  /* of each slot, like the next */
	int successor[CONFIG_WORKERS_MAX]; /* -1: none */
	int bridge; /* doorbell of a cluster's; -1: none */
	int page;   /* of upgrade_page.h; -1: none, like the next */
	/* What the workers look at (shared_memory.h), in the order of enum
	 * handover_store: they were begun by a nursery, not by the program
	 * before, and are this program's. */
	int store[HANDOVER_STORES];
	/* This process is the nursery (nursery.c).  Of each slot the sockets
	 * where the worker to come is asked, and where it asks the one at work.
	 */
	bool is_nursery;
	int asked[CONFIG_WORKERS_MAX];
	int predecessor[CONFIG_WORKERS_MAX];
};

struct handover {
	int lock_fd;
	int log_fd; /* -1: none */
	struct listeners listeners;
	struct listeners admin; /* the operator's; count 0: none */
	int claim;              /* of the segment; -1: it was not told */
	struct handover_kept kept;
};

/* Let what an upgrade passes on live on over execve(2), or not. */
void handover_keep(const struct handover_kept *kept, bool keep);

/* Put it into the environment, for this very process. */
void handover_put(const struct handover *handover);

/* Take it out of the environment.  Returns whether there was one for this
 * process, and whole. */
bool handover_take(struct handover *handover);

/* Whether there is one for this process. */
bool handover_is_there(void);

/* Remove it from the environment. */
void handover_drop(void);

#endif
