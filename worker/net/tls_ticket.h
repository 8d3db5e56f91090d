/* SPDX-License-Identifier: MIT */
/*
 * tls_ticket.h - session tickets (RFC 5077, RFC 8446 section 4.6.1).
 *
 * A client that comes back shows the ticket that it was given, and saves both
 * ends the signature of a handshake.  All workers make and take tickets with the
 * keys of the store, so it need not come back to the same one.  The server
 * keeps nothing.
 */

#ifndef WORKER_NET_TLS_TICKET_H
#define WORKER_NET_TLS_TICKET_H

struct ssl_ctx_st;
struct tls_store;
struct tls_tickets;

/* What making and taking tickets needs.  store is borrowed.  Owns: the caller,
 * tls_ticket_close(), after all contexts. */
struct tls_tickets *tls_ticket_open(const struct tls_store *store);
void tls_ticket_close(struct tls_tickets *tickets);

/* A tls_certs_setup_fn (tls_certs.h); arg is a struct tls_tickets, borrowed. */
void tls_ticket_setup(struct ssl_ctx_st *ctx, void *arg);

#endif
