/* SPDX-License-Identifier: MIT */
/*
 * acceptor.h - this worker's listening sockets.
 *
 * The supervisor opened them and keeps them open: what queues here while no
 * worker lives is served by the next.  When descriptors run out, accepting
 * pauses (a level-triggered loop would spin otherwise) and goes on when a
 * connection closes, or a moment later; those who wait in the queue lose
 * nothing.
 */

#ifndef WORKER_NET_ACCEPTOR_H
#define WORKER_NET_ACCEPTOR_H

#include "common/config.h"

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
	bool loopback;         /* bound to a loopback address */
	bool admin;            /* the operator's; all workers accept from it */
	bool closed;           /* not listened to any more */
};

struct acceptors {
	struct net *net; /* borrowed */
	struct acceptor list[CONFIG_LISTEN_MAX + 1];
	size_t count;
	ev_timer retry;
	bool paused; /* out of descriptors */
	bool closed;
};

/* Accept on this worker's sockets and the operator's (borrowed). */
void acceptors_open(
    struct acceptors *as, struct net *net, const struct worker_args *args);

/* Let no clients in any more, but the operator.  close_fds: nobody after us will
 * serve the clients that wait there, so they are let in now and the sockets are
 * closed. */
void acceptors_leave(struct acceptors *as, bool close_fds);

/* Stop accepting for good, from the operator too. */
void acceptors_close(struct acceptors *as, bool close_fds);

/* Connections were closed: accepting may work again. */
void acceptors_descriptors_freed(struct acceptors *as);

#endif
