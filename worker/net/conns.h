/* SPDX-License-Identifier: MIT */
/*
 * conns.h - all connections of a worker: accept or refuse a new one, and free
 * the dead.
 *
 * The life of one connection in between is in conn.h.
 */

#ifndef WORKER_NET_CONNS_H
#define WORKER_NET_CONNS_H

#include "worker/net/net.h"

#include <stdbool.h>
#include <stdint.h>

/* Connections of the operator.  The descriptors are from what open.c keeps
 * back for such. */
#define CONNS_ADMIN_MAX 16u

/*
 * Set up everything of a struct net but what its caller has set: loop, config,
 * service, world, stats and returning.  max: connections at a time; fds_max: of
 * these and the files that are sent over them together.
 */
void conns_init(struct net *net, uint32_t max, uint32_t fds_max);

/* Abort and free all that is left. */
void conns_fini(struct net *net);

/* What a connection's listener says of it. */
struct conns_listener {
	bool loopback; /* on a loopback address, or a unix socket */
	bool tls;      /* clients speak TLS (net->tls is there) */
	bool proxy;    /* a PROXY header comes first */
	bool local;    /* a unix socket, which all workers share */
};

/*
 * When a connection with this number came; seconds of the monotonic clock.  A
 * number is larger than all before it, and that of no connection of the worker's
 * predecessor, unless that died within the second in which it began.
 */
static inline uint64_t
conns_came_at(uint64_t number)
{
	return number >> CONN_NUMBER_BITS;
}

/*
 * Take over an accepted, non-blocking socket and read from it; or have it
 * refused when a limit is reached.  The descriptor is the connection's from now
 * on.  peer: its other end's address.
 */
void conns_open(struct net *net, int fd, const struct ip_address *peer,
    const struct conns_listener *from);

/*
 * The same for one of the operator's listener: it gets the operator's pages and
 * nothing else, is not counted among the connections, and no drain waits for
 * it.  CONNS_ADMIN_MAX of them at most.
 */
void conns_open_admin(struct net *net, int fd, bool loopback_listener);

/*
 * Go on with a connection that another process had under this number.  It is
 * CONN_OPEN, has neither input nor output, and counts for no address yet
 * (peer_adopt()); no other limit is looked at, because it is not new.  The
 * descriptor is the connection's from now on.  proxied: what was known of it;
 * NULL: its other end tells nothing.
 */
struct conn *conns_adopt(
    struct net *net, int fd, uint64_t number, const struct proxied *proxied);

/* All have been adopted, the newest first: put them into the order that a worker
 * has its connections in, which is the same. */
void conns_adopted(struct net *net);

/* Free the dead.  Callers: the turn's end, with no connection's code on the
 * stack.  Returns whether a descriptor was closed. */
bool conns_sweep(struct net *net);

#endif
