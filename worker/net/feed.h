/* SPDX-License-Identifier: MIT */
/*
 * feed.h - bytes to a connection's handler, now or when it is resumed.
 *
 * Bytes that the handler does not use are kept with the connection
 * (conn_input), and come first when the handler is fed again.  Kept bytes count
 * in the budget of input, so it is enforced here.
 */

#ifndef WORKER_NET_FEED_H
#define WORKER_NET_FEED_H

#include "worker/net/conn.h"

#include <stddef.h>

/* Bytes came in: hand them up, behind those that were kept.  The handler may
 * change the bytes that it uses (handler.h). */
void conn_feed(struct conn *c, char *data, size_t len);

/* Hand up the kept bytes, unless the connection is paused. */
void conn_feed_kept(struct conn *c);

/* Take one reason for the pause back.  If it was the last one, read again, and
 * hand up the kept bytes at once. */
void conn_resume(struct conn *c, enum conn_pause why);

/* The connection holds more input than before: if that is too much, its handler
 * refuses it (CONN_NO_INPUT_MEMORY). */
void conn_enforce_input_budget(struct conn *c);

#endif
