/* SPDX-License-Identifier: MIT */
/*
 * describe.h - a connection as JSON, for the operator.
 *
 *	{"id":"1.4398046511105","worker":1,"address":"192.0.2.1:50000",
 *	 "protocol":"pubsubd.v1","tls":false,"age":12,"subscriptions":2,
 *	 "topics":["a","b"],"buffered_bytes":0,"drops":0}
 *
 * The id is the worker's slot and the connection's number.  The protocol is
 * "http" as long as it is neither a WebSocket ("plain", or a subprotocol) nor a
 * stream of events ("events").  The address is "unix" for a unix socket, null for
 * who has gone.  Age in seconds.  Where the topics do not fit,
 * "topics" has less of them than "subscriptions" says.
 */

#ifndef WORKER_DESCRIBE_H
#define WORKER_DESCRIBE_H

#include "common/buf.h"

struct conn;

/* Bytes that the names of a connection's topics may take, so that any
 * connection fits into an answer. */
#define DESCRIBE_TOPICS_MAX 8192u

/* Append a connection of pubsub_service. */
void describe_conn(struct buf *buf, struct conn *c);

#endif
