/* SPDX-License-Identifier: MIT */
/*
 * feed.h - bytes to a connection's handler, now or when it is resumed.
 *
 * What the handler does not use is kept with the connection (conn_input), and
 * comes first when it is fed again.  Keeping is what the budget of input is
 * about, so it is enforced here.
 */

#ifndef WORKER_NET_FEED_H
#define WORKER_NET_FEED_H

#include "worker/net/conn.h"

#include <stddef.h>

/* Bytes came in: hand them up, behind what was kept.  The handler may change
 * what it uses (handler.h). */
void conn_feed(struct conn *c, char *data, size_t len);

/* Hand up what was kept, unless the connection is paused. */
void conn_feed_kept(struct conn *c);

/* One reason less not to read it; if it was the last, what was kept is handed
 * up at once. */
void conn_resume(struct conn *c, enum conn_pause why);

/* The connection holds more input than before: if that is too much, its handler
 * refuses it (CONN_NO_INPUT_MEMORY). */
void conn_enforce_input_budget(struct conn *c);

/* The connection has not taken all that it was sent: cut it if that is too
 * much. */
void conn_enforce_output_budget(struct conn *c);

#endif
