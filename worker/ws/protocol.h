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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct http_request;
struct outq_item;

struct protocol {
	/* As offered in Sec-WebSocket-Protocol; NULL: without a subprotocol. */
	const char *name;

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

	/* A whole message came in; text is valid UTF-8.  data is borrowed for
	 * the call, which may pause or close the connection. */
	void (*message)(
	    struct conn *c, bool binary, const char *data, size_t len);

	/* The client may stay for so long yet: conn_handler.expire.  NULL: this
	 * protocol cannot tell. */
	void (*expiring)(struct conn *c, uint64_t in_ms);

	/* conn_handler.revoked.  NULL: it follows no topics. */
	void (*revoked)(struct conn *c, const char *topic, size_t topic_len);

	/* conn_handler.drain, .written, .dropped and .end (net/handler.h).
	 * NULL: nothing to do. */
	void (*drain)(struct conn *c, uint64_t in_ms, uint64_t spread_ms);
	void (*written)(struct conn *c);
	void (*dropped)(struct conn *c, uint32_t topic, uint64_t seq,
	    struct outq_item *before);
	void (*end)(struct conn *c);
};

#endif
