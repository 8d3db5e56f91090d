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

struct worker;
struct worker_args;

/* Connections accepted per socket and turn. */
#define ACCEPTOR_TURN_MAX 64

/* How soon accepting is tried again when descriptors had run out, seconds. */
#define ACCEPTOR_RETRY_S 0.25

struct acceptor {
	ev_io io;
	struct worker *w; /* borrowed */
	bool loopback;    /* bound to a loopback address */
	bool admin;       /* the operator's; all workers accept from it */
};

struct acceptors {
	struct acceptor list[CONFIG_LISTEN_MAX + 1];
	size_t count;
	ev_timer retry;
	bool paused; /* out of descriptors */
	bool closed;
};

/* Accept on this worker's sockets and the operator's (borrowed). */
void acceptors_open(struct worker *w, const struct worker_args *args);

/* Stop accepting for good.  close_fds: the supervisor is dead, nobody else
 * will ever serve them. */
void acceptors_close(struct worker *w, bool close_fds);

/* Connections were closed: accepting may work again. */
void acceptors_descriptors_freed(struct worker *w);

#endif
