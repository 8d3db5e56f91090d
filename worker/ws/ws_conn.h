/* SPDX-License-Identifier: MIT */
/*
 * ws_conn.h - a connection that speaks WebSocket.
 *
 * Bytes go through a borrowed parser (common/ws.h); whole messages go to the
 * protocol that was agreed on (protocol.h); pings keep watch.
 */

#ifndef WORKER_WS_WS_CONN_H
#define WORKER_WS_WS_CONN_H

#include "common/ws.h"
#include "worker/net/handler.h"

struct conn;
struct net;
struct protocol;

extern const struct conn_handler ws_conn_handler;

/* The parsers of this worker, net->parsers. */
void ws_conn_open_pool(struct net *net);
void ws_conn_close_pool(struct net *net);

/* It is a WebSocket from now on, its 101 is queued.  c->protocol is set. */
void ws_conn_begin(struct conn *c);

/*
 * Close with a code and a reason for humans (ASCII, at most WS_REASON_MAX
 * bytes).  Does nothing if the connection is no open WebSocket.
 */
void ws_close(struct conn *c, unsigned code, const char *reason);

#endif
