/* SPDX-License-Identifier: MIT */
/*
 * conns.h - all connections of a worker: who may come in, and when the dead are
 * freed.
 *
 * What happens to one of them in between is in conn.h.
 */

#ifndef WORKER_NET_CONNS_H
#define WORKER_NET_CONNS_H

#include "worker/net/conn.h"
#include "worker/net/address_limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct worker;

/* Connections of the operator.  The descriptors are from what worker.c keeps
 * back for such. */
#define CONNS_ADMIN_MAX 16u

struct conns {
	struct conn_list living;
	struct conn_list admins; /* living, of the operator */
	struct conn_list dead;
	struct address_limits shares; /* what each address has */
	uint32_t count;               /* living and dead: descriptors in use */
	uint32_t admin_count;         /* likewise, of the operator */
	uint32_t websockets;
	uint32_t event_streams;
	uint32_t max;      /* of count */
	uint64_t numbered; /* connections so far */
	uint64_t buffered; /* bytes in all queues */
	uint64_t input;    /* bytes of heads and bodies that are incomplete */
};

/* max: most connections at a time; rate: new ones per second and address. */
void conns_init(struct conns *conns, uint32_t max, uint32_t rate);
void conns_fini(struct conns *conns);

/*
 * Take over an accepted, non-blocking socket and read from it; or refuse it
 * with 503 or 429 when a limit is reached.  The descriptor is the
 * connection's from now on.
 */
void conns_open(struct worker *w, int fd, const struct sockaddr_storage *peer,
    bool loopback_listener);

/*
 * The same for one of the operator's listener: it gets the operator's pages and
 * nothing else, is not counted among the connections, and no drain waits for
 * it.  CONNS_ADMIN_MAX of them at most.
 */
void conns_open_admin(struct worker *w, int fd, bool loopback_listener);

/* Free the dead.  Callers: turn_end(), with no connection's code on the
 * stack. */
void conns_sweep(struct worker *w);

#endif
