/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - the meaning of a WebSocket's messages, as a table.
 *
 * ws/ brings whole messages and keeps the connection alive.  A protocol
 * (protocol/plain.h, v1.h) knows what the messages mean, and what else belongs
 * to a client.  net/service.h lists the protocols.
 */

#ifndef WORKER_WS_PROTOCOL_H
#define WORKER_WS_PROTOCOL_H

#include "worker/net/net.h"
#include "worker/net/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct http_request;
struct outq_item;

struct protocol {
	/* As offered in Sec-WebSocket-Protocol; NULL: without a subprotocol. */
	const char *name;

	/* Where it is spoken, without the base path; NULL: at /ws.  The first of
	 * the list at a path is for clients there that offer none of the
	 * others. */
	const char *path;

	/* What a restart closes with, unless --restart-code says otherwise: 1012
	 * where clients are known to take it, 1001 where they may be of any
	 * kind (several libraries take 1012 for a protocol error). */
	unsigned restart_code;

	/* Before the 101: read the request's query into the connection's
	 * options.  Returns false, with *why a static sentence for a 400, if
	 * the query is faulty.  NULL: the protocol has no options. */
	bool (*accept)(
	    struct conn *c, const struct http_request *req, const char **why);

	/* A client has connected and its 101 is queued; req was accepted.
	 * NULL: nothing to do. */
	void (*begin)(struct conn *c, const struct http_request *req);

	/* Right behind begin: the client takes messages that are compressed,
	 * with the window of common/deflate.h.  NULL: it gets none. */
	void (*compress)(struct conn *c);

	/* A whole message came in; text is valid UTF-8.  data is borrowed for
	 * the call, which may pause or close the connection. */
	void (*message)(
	    struct conn *c, bool binary, const char *data, size_t len);

	/* The client may stay for so long yet: conn_handler.expire.  NULL: this
	 * protocol cannot tell. */
	void (*expiring)(struct conn *c, uint64_t in_ms);

	/* conn_handler.revoked.  NULL: it follows no topics. */
	void (*revoked)(
	    struct conn *c, const char *name, size_t len, bool is_pattern);

	/* Ask whether the client is still there; and it has not answered in
	 * time: count that, and close.  NULL, both or none: a ping of WebSocket
	 * asks, and whoever does not answer that is cut. */
	void (*ping)(struct conn *c);
	void (*unanswered)(struct conn *c);

	/* The code to close with where the server closes of its own accord and
	 * others would be told this one (common/ws_frame.h).  NULL: the same. */
	unsigned (*close_code)(unsigned code);

	/* conn_handler.drain, .written, .dropped and .end (net/handler.h).
	 * NULL: nothing to do. */
	void (*drain)(struct conn *c, uint64_t in_ms, uint64_t spread_ms);
	void (*written)(struct conn *c);
	void (*dropped)(struct conn *c, uint32_t topic, uint64_t seq,
	    struct outq_item *before);
	void (*end)(struct conn *c);
};

/* The protocol of a WebSocket. */
static inline const struct protocol *
protocol_of(const struct conn *c)
{
	return c->net->service->protocols[c->protocol];
}

#endif
