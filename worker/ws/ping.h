/* SPDX-License-Identifier: MIT */
/*
 * ping.h - whether the client of a WebSocket is still there (RFC 6455, 5.5.2).
 *
 * A client that was not heard of for --ping-interval is pinged.  Without a pong
 * in time it is gone, unless the kernel knows that it still takes what it is
 * sent (net/progress.h): a slow reader is not a dead one.
 */

#ifndef WORKER_WS_PING_H
#define WORKER_WS_PING_H

struct conn;

/* It is a WebSocket from now on: set the first deadline. */
void ping_begin(struct conn *c);

/* The deadline has come: ping, wait on, or give up.  For conn_handler.due. */
void ping_due(struct conn *c);

#endif
