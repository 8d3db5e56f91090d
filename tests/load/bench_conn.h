/* SPDX-License-Identifier: MIT */
/*
 * bench_conn.h - a WebSocket connection that only counts.
 *
 * It shakes hands, answers pings and keeps what a socket does not take at
 * once.  Of what comes in only the frames' headers are looked at, and the
 * first bytes behind them.  Nothing here blocks, but for connect(2) to a
 * server with a full backlog.
 */

#ifndef LOAD_BENCH_CONN_H
#define LOAD_BENCH_CONN_H

#include <stddef.h>
#include <stdint.h>

#include "tests/load/bench_form.h"
#include "tests/load/load.h"

#define CONN_CONTROL_MAX 125u /* bytes of a ping */
#define CONN_HELD_MAX    (14u + CONN_CONTROL_MAX)

enum conn_state {
	CONN_IDLE = 0,
	CONN_SHAKING, /* the request is sent */
	CONN_JOINING, /* the handshake is answered, the subscriptions not */
	CONN_OPEN,
	CONN_BROKEN, /* lost, or the server speaks nonsense; why is told */
};

struct conn {
	int fd;
	enum conn_state state;
	uint32_t room;
	uint32_t held_len;
	uint64_t rest;      /* bytes of the present frame that are to come */
	uint64_t delivered; /* messages */
	uint64_t others;    /* frames of other kinds */
	const char *why;    /* it is broken; a static text */
	uint8_t *out;       /* what the socket did not take yet */
	size_t out_len;
	size_t out_off;
	char *head;                  /* while shaking hands */
	uint8_t held[CONN_HELD_MAX]; /* the beginning of a frame in pieces */
};

/*
 * Connect and send the request for a path (form_path()).  number chooses the
 * source address where there may be too many connections for one.
 * Returns: 0, or errno; then c is idle.
 */
int conn_open(struct conn *c, const struct load_target *target,
    const struct form *form, const char *path, uint32_t room, unsigned number);

/*
 * Read once.  now and then this answers a ping.
 * Returns: how many messages came; c->state tells the rest.
 */
unsigned conn_read(struct conn *c, const struct form *form);

/* Send bytes, or keep them. */
void conn_send(struct conn *c, const void *data, size_t len);

/* Try to send what was kept.  Returns whether anything is left. */
bool conn_flush(struct conn *c);

static inline bool
conn_is_behind(const struct conn *c)
{
	return c->out_len > c->out_off;
}

/* Close without a word; c is idle then. */
void conn_close(struct conn *c);

#endif
