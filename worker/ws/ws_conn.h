/* SPDX-License-Identifier: MIT */
/*
 * ws_conn.h - a connection that speaks WebSocket.
 *
 * Bytes go through a borrowed parser (common/ws.h); whole messages go to the
 * protocol that was agreed on (service.h); pings keep watch.
 */

#ifndef WORKER_WS_WS_CONN_H
#define WORKER_WS_WS_CONN_H

#include "common/ws.h"

#include <stddef.h>

struct conn;
struct http_request;

/* The parsers of this worker.  max_message: bytes of a whole message. */
struct ws_pool *ws_conn_pool_new(uint64_t max_message);

/* Answer GET /ws: 101 and a WebSocket from now on, or an error. */
void ws_conn_upgrade(struct conn *c, const struct http_request *req);

/* The socket is readable. */
void ws_conn_read(struct conn *c);

/* Bytes came in. */
void ws_conn_feed(struct conn *c, const char *data, size_t len);

/* Go on with what was read before. */
void ws_conn_feed_kept(struct conn *c);

/* The deadline has come: ping, or give up. */
void ws_conn_due(struct conn *c);

#endif
