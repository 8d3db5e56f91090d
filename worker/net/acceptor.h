/* SPDX-License-Identifier: MIT */
/*
 * acceptor.h - this worker's listening sockets.
 *
 * The supervisor opened them and keeps them open: connections that queue here
 * while no worker lives are served by the next worker.  When descriptors run
 * out, accepting pauses (a level-triggered loop would spin otherwise) and goes
 * on when a connection closes, or a moment later; clients in the queue lose
 * nothing.
 */

#ifndef WORKER_NET_ACCEPTOR_H
#define WORKER_NET_ACCEPTOR_H

#include "worker/net/conns.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

struct net;
struct worker_args;

/* Connections accepted per socket and turn. */
#define ACCEPTOR_TURN_MAX 64

/* How soon accepting is tried again when descriptors had run out, seconds. */
#define ACCEPTOR_RETRY_S 0.25

struct acceptor {
	ev_io io;
	struct acceptors *all; /* borrowed */
	struct conns_listener from;
	bool admin;  /* the operator's; all workers accept from it */
	bool closed; /* not listened to any more */
};

struct acceptors {
	struct net *net;       /* borrowed */
	struct acceptor *list; /* owned */
	size_t count;
	ev_timer retry;
	bool paused; /* out of descriptors */
	bool closed;
};

/* Accept on this worker's sockets and the operator's (borrowed).  Until
 * acceptors_fini(). */
void acceptors_open(
    struct acceptors *as, struct net *net, const struct worker_args *args);

/* Accept no more clients, except from the operator.  close_fds: there will be
 * no successor to serve the clients in the queue, so accept those now and close
 * the sockets. */
void acceptors_leave(struct acceptors *as, bool close_fds);

/* Stop accepting for good, from the operator too, and close the sockets. */
void acceptors_close(struct acceptors *as);

/* Stop accepting, if that has not been done, and free what is ours; sockets that
 * are open stay so. */
void acceptors_fini(struct acceptors *as);

/* Connections were closed: accepting may work again. */
void acceptors_descriptors_freed(struct acceptors *as);

#endif
