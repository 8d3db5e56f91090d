/* SPDX-License-Identifier: MIT */
/*
 * handler.h - how a connection calls the code above it.
 *
 * The folder net/ moves bytes and keeps deadlines; the connection's present
 * handler knows what the bytes mean.  A handler is a constant table, to which
 * the connection points.  It changes as the connection goes on: a request head,
 * a body, a file, a WebSocket, a stream of events.
 *
 *	ws, http, body, file, events	five tables
 *	            ^
 *	            |  feed, written, due, ...
 *	   conn.c, feed.c, flush.c, io.c
 *
 * Only a connection that is CONN_OPEN calls its handler.  Every callback may
 * close its connection; none may free it (conn.h says when that happens).
 */

#ifndef WORKER_NET_HANDLER_H
#define WORKER_NET_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct outq_item;

/* Why a connection cannot be served, or not any longer. */
enum conn_refusal {
	CONN_FULL = 0,        /* --max-conns are there already */
	CONN_ADDRESS_FULL,    /* --max-conns-per-address */
	CONN_ADDRESS_RATE,    /* --conn-rate */
	CONN_OPERATOR_FULL,   /* CONNS_ADMIN_MAX */
	CONN_NO_INPUT_MEMORY, /* too much input that is not complete */
	CONN_TOO_SLOW,        /* overflow=close, and its queue is full */
	CONN_TOO_LATE,        /* it has not sent the whole of a request */
	CONN_UNKNOWN,         /* --auth-timeout: it has not said who it is */
};

struct conn_handler {
	/* The socket is readable, and the handler reads it by itself; feed is
	 * not called then, and may be NULL.  NULL: it is read for it. */
	void (*receive)(struct conn *c);

	/*
	 * Bytes came in, in the order in which they were sent.  Called again
	 * until all are used, the connection is paused or closed, or the
	 * handler is another.
	 * Borrows: data, for the call.  The bytes that are used may be changed
	 *          in place (a mask taken off), the others not.
	 * Returns: how many bytes were used.  0: more are needed; these are
	 *          kept, and come again with what follows them.
	 */
	size_t (*feed)(struct conn *c, char *data, size_t len);

	/* The client asks for nothing here, so the connection is read even
	 * while the service holds others back. */
	bool asks_nothing;

	/* All that was queued is written.  NULL: the handler need not know. */
	void (*written)(struct conn *c);

	/* The deadline has come: set another, or close the connection. */
	void (*due)(struct conn *c);

	/* The connection closes: free what is the handler's (c->data), end what
	 * it has begun.  No callback follows.  NULL: there is nothing. */
	void (*end)(struct conn *c);

	/* Bytes that the handler has taken but not used up, for the budget of
	 * input (budget.h).  NULL: none. */
	size_t (*held)(const struct conn *c);

	/* Tell the client why it is not served, and close. */
	void (*refuse)(struct conn *c, enum conn_refusal why);

	/* A message was dropped: number seq of the topic in that slot of the
	 * directory.  Tell the client, in front of `before' in the queue, or
	 * (before is NULL) last.  NULL: it cannot be told. */
	void (*dropped)(struct conn *c, uint32_t topic, uint64_t seq,
	    struct outq_item *before);

	/* What the client was let in with ends in in_ms: tell it; or that is
	 * over (0): close.  why: a static sentence.  NULL: the connection is
	 * not held to it, because what it does ends by itself. */
	void (*expire)(struct conn *c, uint64_t in_ms, const char *why);

	/* A topic, or a pattern of topics, may not be followed any more, and is
	 * not from now on: tell the client, or close the connection.  NULL: it
	 * follows none. */
	void (*revoked)(
	    struct conn *c, const char *name, size_t len, bool is_pattern);

	/* A drain has begun: in in_ms the connection will be closed, and a
	 * client that comes back should do so within spread_ms.  NULL: the
	 * connection goes on as before until then. */
	void (*drain)(struct conn *c, uint64_t in_ms, uint64_t spread_ms);

	/* Close: the server leaves, or (restart) comes back. */
	void (*go_away)(struct conn *c, bool restart);

	/* Whether nothing is half-done but what every connection has (its kept
	 * input, its queue), so that another process can go on with it.  NULL:
	 * never as long as this is its handler. */
	bool (*at_rest)(const struct conn *c);

	/* Another process had the connection until now, at rest, and its
	 * handler becomes this one: count it.  NULL: at_rest is, too. */
	void (*go_on)(struct conn *c);
};

#endif
