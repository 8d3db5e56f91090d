/* SPDX-License-Identifier: MIT */
/*
 * service.h - what a worker does for its clients, apart from how it serves.
 *
 *	acceptor -> HTTP -> serve() -> upgrade -> WebSocket -> a whole message
 *	                                                            \
 *	                                                    protocol->message()
 *
 * net/, http/ and ws/ are what any server of this kind needs.  They know the
 * code above them only by this table.  pubsubd's own table is in pubsub.c; the
 * echo server of the tests has another one, and is pubsubd in everything else.
 */

#ifndef WORKER_NET_SERVICE_H
#define WORKER_NET_SERVICE_H

#include "worker/net/handler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conn;
struct conn_handler;
struct http_request;
struct protocol;

struct service {
	/* Bytes of what is allocated for a connection.  It begins with a struct
	 * conn; the rest is zero at first and the service's own. */
	size_t client_size;

	/* The handler of a connection that has just been accepted. */
	const struct conn_handler *handler;

	/* The protocols over WebSockets (ws/protocol.h), by preference; the
	 * first is for clients that offer none of the others. */
	const struct protocol *const *protocols;
	uint8_t protocols_count;

	/* [moving_count]: the handlers whose connections another process can go
	 * on with, by enum conn_record_kind (handover/conn_record.h).  NULL:
	 * none. */
	const struct conn_handler *const *moving;
	uint8_t moving_count;

	/* How many bytes a WebSocket message may be longer than --max-message,
	 * which limits only the published message inside it. */
	uint32_t slack;

	/* Answer a request whose head has come, or begin to.  Whatever closes
	 * the connection comes last: req may lie in memory that this frees. */
	void (*serve)(struct conn *c, const struct http_request *req);

	/* The same where the connection cannot be served, for a reason that will
	 * pass: say so, and close.  Maybe not all lines of the head have come.
	 * NULL: any request is answered by an error (http/refusal.h). */
	void (*refuse)(struct conn *c, const struct http_request *req,
	    enum conn_refusal why);

	/* The connection is freed: let go of what is the service's beyond its
	 * bytes.  NULL: there is nothing. */
	void (*forget)(struct conn *c);

	/* Asked before a connection is read.  Returns true if it must not be
	 * read now; then the service has paused it, and will resume it.  NULL:
	 * always read. */
	bool (*hold)(struct conn *c);

	/* What happens when a message of the topic in that slot finds a
	 * connection's buffer full: enum outq_overflow.  Asked for each message
	 * that would wait.  NULL: always what its client has chosen. */
	uint8_t (*overflow)(const struct conn *c, uint32_t topic);

	/* Append a connection, as JSON for the operator.  NULL: nothing of them
	 * is told or done when the operator asks. */
	void (*describe)(struct buf *buf, struct conn *c);
};

#endif
