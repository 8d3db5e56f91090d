/* SPDX-License-Identifier: MIT */
/*
 * tls_handshake.h - from an accepted socket to a connection that speaks TLS.
 *
 * A connection of a TLS listener has a handler of its own until the handshake is
 * done; nothing is queued for it before.  The deadline is that of a request's
 * head, which has to come within it too.  One that cannot be served (limits) is
 * closed without a handshake, which would cost what the limit is to save.
 *
 * A client that has opened a connection and says nothing costs nothing here.
 * One that has begun counts TLS_HANDSHAKE_BYTES of input (budget.h); when that
 * part is full the oldest handshakes are ended, because a client that is there
 * answers within a round trip.  Handshakes are most of what TLS costs, so a turn
 * of the loop does a few only, and others than new clients do not wait long.
 */

#ifndef WORKER_NET_TLS_HANDSHAKE_H
#define WORKER_NET_TLS_HANDSHAKE_H

#include <stdbool.h>

struct conn;
struct net;
struct tls_store;

/* Steps of handshakes in one turn of the loop. */
#define TLS_HANDSHAKES_TURN_MAX 16

/*
 * Give a worker what TLS needs (net->tls), with the certificates of the store
 * (borrowed).  Callers: before the sandbox, because OpenSSL opens files the
 * first time.
 * Returns: false, logged, if they cannot be used.
 */
bool tls_open(struct net *net, const struct tls_store *store);

/* Free it, when no connection is left. */
void tls_close(struct net *net);

/* A connection has been accepted from a TLS listener. */
void tls_accept(struct conn *c);

/* A turn has ended: handshakes may go on. */
void tls_turn(struct net *net);

#endif
