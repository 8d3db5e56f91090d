/* SPDX-License-Identifier: MIT */
/*
 * probe.h - a WebSocket connection that only counts.
 *
 * It shakes hands, answers pings and keeps what a socket does not take at
 * once.  Of what comes in only the frames' headers are looked at, and the
 * first bytes behind them.  Nothing here blocks, but for connect(2) to a
 * server with a full backlog.
 */

#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "broker/cli/client/tls_client.h"
#include "tests/bench/form.h"
#include "tests/load/load.h"

#define PROBE_CONTROL_MAX 125u /* bytes of a ping */
#define PROBE_HELD_MAX    (14u + PROBE_CONTROL_MAX)

enum probe_state {
	PROBE_IDLE = 0,
	PROBE_SHAKING, /* the request is sent */
	PROBE_JOINING, /* the handshake is answered, the subscriptions not */
	PROBE_OPEN,
	PROBE_BROKEN, /* lost, or the server speaks nonsense; why is told */
};

struct probe {
	int fd;
	struct tls_client *tls; /* owned; NULL: plain text */
	enum probe_state state;
	uint32_t room;
	uint32_t held_len;
	uint64_t rest;      /* bytes of the present frame that are to come */
	uint64_t delivered; /* messages */
	uint64_t received;  /* bytes of the stream, handshake included */
	uint64_t others;    /* frames of other kinds */
	const char *why;    /* it is broken; a static text */
	uint8_t *out;       /* what the socket did not take yet */
	size_t out_len;
	size_t out_off;
	char *head;                   /* while shaking hands */
	uint8_t held[PROBE_HELD_MAX]; /* the beginning of a frame in pieces */
};

/*
 * Connect and send the request for a path (form_path()).  number chooses the
 * source address where there may be too many connections for one.
 * input_max is how many bytes the kernel may keep for it, as if it were far
 * away; 0: as many as it likes.
 * Returns: 0, or errno; then c is idle.
 */
int probe_open(struct probe *c, const struct load_target *target,
    const struct form *form, const char *path, uint32_t room, unsigned number,
    int input_max);

/*
 * Read once.  now and then this answers a ping.
 * Returns: how many messages came; c->state tells the rest.
 */
unsigned probe_read(struct probe *c, const struct form *form);

/* Send bytes, or keep them. */
void probe_send(struct probe *c, const void *data, size_t len);

/* Try to send what was kept.  Returns whether anything is left. */
bool probe_flush(struct probe *c);

/* Whether something was kept that goes when the socket is writable. */
static inline bool
probe_is_behind(const struct probe *c)
{
	return c->out_len > c->out_off &&
	       (c->tls == NULL || !tls_client_is_waiting(c->tls));
}

/* Close without a word; c is idle then. */
void probe_close(struct probe *c);

#endif
