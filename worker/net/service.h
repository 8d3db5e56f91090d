/* SPDX-License-Identifier: MIT */
/*
 * service.h - what a worker does for its clients, apart from how it serves.
 *
 *	acceptor -> HTTP -> upgrade -> WebSocket -> a whole message
 *	                \                                  \
 *	                 service->serve()                   protocol->message()
 *
 * On the left is what any server of this kind needs; it knows what stands on
 * the right by this table alone.  pubsubd's own is in pubsub.c; the echo server
 * of the tests has another, and is pubsubd in everything else.
 */

#ifndef WORKER_NET_SERVICE_H
#define WORKER_NET_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct http_request;

/* One way to speak over a WebSocket. */
struct protocol {
	/* As it is offered in Sec-WebSocket-Protocol; NULL: it needs no name. */
	const char *name;

	/* A client has connected and its 101 is queued.  req is its request,
	 * whose query has been checked.  NULL: nothing to do. */
	void (*begin)(struct conn *c, const struct http_request *req);

	/* A whole message came in; text is valid UTF-8.  data is borrowed for
	 * the call, which may pause or close the connection. */
	void (*message)(
	    struct conn *c, bool binary, const char *data, size_t len);

	/* The server goes away: the connection will be closed in in_ms, and all
	 * who come back should do so within spread_ms.  NULL: it goes on as
	 * before until then. */
	void (*drain)(struct conn *c, uint64_t in_ms, uint64_t spread_ms);
};

struct service {
	/* By preference; the first is for who offers none of the others. */
	const struct protocol *protocols;
	uint8_t protocols_count;

	/* How many bytes a WebSocket message may be longer than --max-message,
	 * which limits only what is in it. */
	uint32_t slack;

	/* Answer a request to a path of the service's own.  Returns false, with
	 * nothing done, if it is none.  NULL: there are none. */
	bool (*serve)(struct conn *c, const struct http_request *req);
};

#endif
