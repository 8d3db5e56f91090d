/* SPDX-License-Identifier: MIT */
/*
 * peer.h - whose a connection is: the address that its limits count for
 * (address_limits.h).
 *
 * That is the other end's, unless the other end is a proxy that is trusted to
 * tell it (--trust-proxy).  Then nobody is known until the proxy tells a client,
 * and with a later request it may tell another:
 *
 *	accept ---------> peer_count(its address)
 *	accept a proxy's ... a request ---> peer_tell(the client's address)
 *	                     the next ----> peer_tell(another)
 *
 * A connection counts for one address at a time.  For --conn-rate it is new
 * once, to the first that it counts for.
 */

#ifndef WORKER_NET_PEER_H
#define WORKER_NET_PEER_H

#include "common/ip.h"
#include "worker/net/handler.h"
#include "worker/net/net.h"

#include <stdbool.h>
#include <stdint.h>

/* What the limits of an address say to one more connection. */
struct peer_verdict {
	bool is_refused;
	enum conn_refusal why; /* if it is */
	uint32_t wait_ms;      /* else: until it is within the rate; 0: it is */
};

/* Whether this is a proxy that may tell whose its connections are. */
bool peer_is_proxy(const struct net *net, const struct ip_address *ip);

/* What is known of a connection from a proxy: c->proxied is set. */
struct proxied *peer_proxied(struct conn *c);

/* The connection is this address's.  Loopback and unix sockets are not
 * counted. */
struct peer_verdict peer_count(struct conn *c, const struct ip_address *ip);

/*
 * A proxy tells the client of a connection.  NULL: it should, but cannot be
 * understood; then the connection counts for the proxy itself, even on loopback
 * or by a unix socket, for a client may have caused that.
 */
struct peer_verdict peer_tell(struct conn *c, const struct ip_address *client);

/* Another process had the connection until now.  If it counted for an address
 * there it counts for the same, and is not new. */
void peer_adopt(struct conn *c, bool counts);

/* The connection ends. */
void peer_leave(struct conn *c);

/* The address that the connection is from, for people: the one told, or its
 * peer's.  Returns out. */
const char *peer_format(struct conn *c, char out[IP_TEXT_MAX]);

#endif
