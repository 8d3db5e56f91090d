/* SPDX-License-Identifier: MIT */
/*
 * admit.h - whether a connection is served, by the limits of its address.
 */

#ifndef WORKER_NET_ADMIT_H
#define WORKER_NET_ADMIT_H

#include "worker/net/handler.h"

struct conn;
struct ip_address;
struct net;

/* A connection, or a request on it, is refused for a limit on connections: count
 * that. */
void admit_count_refusal(struct net *net, enum conn_refusal why);

/* The same for a connection, whose client is told. */
void admit_refuse(struct conn *c, enum conn_refusal why);

/*
 * The connection's other end is known.  It counts for that address, and is
 * refused or made to wait if that has too many; or it is from a proxy that will
 * tell whose each request is (peer.h).
 */
void admit_peer(struct conn *c, const struct ip_address *peer);

#endif
