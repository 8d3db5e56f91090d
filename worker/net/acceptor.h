/* SPDX-License-Identifier: MIT */
/*
 * acceptor.h - this worker's listening sockets.
 *
 * The supervisor opened them and keeps them open: connections that queue here
 * while no worker lives are served by the next worker.  When descriptors run
 * out, accepting pauses (a level-triggered loop would spin otherwise) and goes
 * on when a connection closes, or a moment later; clients in the queue lose
 * nothing.  The operator is served meanwhile: one descriptor is kept for that.
 *
 * A unix socket is one that all workers have.  Each new connection wakes all who
 * sleep: EPOLLEXCLUSIVE, which would wake one, is not to be had with libev, and
 * a set of descriptors inside another passes every event on.  So that the fastest does
 * not take them all, a worker accepts few at once, and one that has more
 * connections than others steps aside for a moment, and then sleeps through the
 * next ones as well.  Afterwards it takes what nobody else has taken.
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

/* The same for a socket that all workers share. */
#define ACCEPTOR_SHARED_TURN_MAX 4

/* How many connections more than another worker one may have without stepping
 * aside, and for how long it does, seconds. */
#define ACCEPTOR_LEAD    4u
#define ACCEPTOR_ASIDE_S 0.002

/* How soon accepting is tried again when descriptors had run out, seconds. */
#define ACCEPTOR_RETRY_S 0.25

struct acceptor {
	ev_io io;
	struct acceptors *all; /* borrowed */
	struct conns_listener from;
	bool admin;    /* the operator's; all workers accept from it */
	bool closed;   /* not listened to any more */
	bool is_aside; /* of a shared one: its timer runs */
};

struct acceptors {
	struct net *net;       /* borrowed */
	struct acceptor *list; /* owned */
	size_t count;
	const struct segment *segment; /* borrowed: who else there is */
	unsigned slot;
	bool has_admin; /* one of them is the operator's */
	int spare;      /* kept for the operator; -1: in use, or none */
	ev_timer retry;
	ev_timer aside; /* then the shared ones are watched again */
	bool paused;    /* out of descriptors for clients */
	bool waiting;   /* acceptors_wait() */
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

/* Accept nobody for a while, from the operator neither; and go on. */
void acceptors_wait(struct acceptors *as, bool wait);

/* Connections were closed: accepting may work again. */
void acceptors_descriptors_freed(struct acceptors *as);

#endif
