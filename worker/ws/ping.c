/* SPDX-License-Identifier: MIT */
/* ping.c - see ping.h. */

#include "worker/ws/ping.h"

#include "common/config.h"
#include "common/ws.h"
#include "worker/net/conn.h"
#include "worker/net/progress.h"
#include "worker/net/rate.h"
#include "worker/ws/protocol.h"

/* Without pings a look now and then costs nothing. */
#define PING_LOOK_MS 60000

/* A ping is to be answered within this part of the interval, and never sooner
 * than a slow network needs, milliseconds. */
#define PING_PONG_PART   9
#define PING_PONG_MIN_MS 2000u

/* Most pongs come before that.  Of the others' clients the kernel is asked then
 * how far they let us send, to see later whether they have read meanwhile. */
#define PING_ASK_MS 500u

void
ping_begin(struct conn *c)
{
	uint32_t interval = c->net->config->ping_interval_ms;

	conn_deadline_spread(c, interval == 0 ? PING_LOOK_MS : interval);
}

static void
ping_send(struct conn *c)
{
	const struct protocol *protocol = protocol_of(c);
	uint8_t frame[WS_HEADER_MAX];

	if (protocol->ping != NULL)
		protocol->ping(c);
	else
		conn_answer(c, frame, ws_frame_header(frame, WS_PING, 0));
	c->pinged = true;
	c->asked = false;
}

static uint32_t
ping_pong_ms(const struct conn *c)
{
	uint32_t part = c->net->config->ping_interval_ms / PING_PONG_PART;

	return part > PING_PONG_MIN_MS ? part : PING_PONG_MIN_MS;
}

/* What the client sends says nothing of whether it takes what it is sent.  A
 * client that takes nothing is ended, or its queue would stay for as long as it
 * talks. */
static bool
ping_is_stalled(struct conn *c)
{
	if (c->out == NULL || c->pinged)
		return false;
	return progress_look(c, 0, c->net->config->stall_ms) >=
	       PROGRESS_STALLED;
}

/* The pong is late.  silent: milliseconds since the client was heard of. */
static void
ping_unanswered(struct conn *c, uint64_t silent)
{
	const struct config *config = c->net->config;
	uint32_t pong_ms = ping_pong_ms(c);

	switch (progress_unanswered(c, pong_ms)) {
	case PROGRESS_MADE:
		c->last_heard_tick = c->net->wheel.now;
		c->pinged = false;
		conn_deadline(c, config->ping_interval_ms);
		return;
	case PROGRESS_NONE:
		if (silent >=
		    (uint64_t)config->ping_interval_ms + config->stall_ms)
			break;
		conn_deadline(c, pong_ms);
		return;
	case PROGRESS_IDLE:
	case PROGRESS_STALLED:
	case PROGRESS_GONE:
		break;
	}
	if (protocol_of(c)->unanswered != NULL)
		protocol_of(c)->unanswered(c);
	else
		conn_time_out(c);
}

void
ping_due(struct conn *c)
{
	struct net *net = c->net;
	uint32_t interval = net->config->ping_interval_ms;
	uint64_t silent;

	if (rate_due(c, WHEEL_TICK_MS))
		return;
	/* While we pause reading, silence says nothing about the peer.
	 * Exception: PAUSE_ANSWERS, where the peer itself stopped reading. */
	if (c->paused & ~PAUSE_ANSWERS)
		c->last_heard_tick = net->wheel.now;
	silent =
	    (uint64_t)(net->wheel.now - c->last_heard_tick) * WHEEL_TICK_MS;
	if (ping_is_stalled(c)) {
		conn_time_out(c);
	} else if (interval == 0) {
		conn_deadline(c, PING_LOOK_MS);
	} else if (silent < interval) {
		conn_deadline(c, interval - silent);
	} else if (!c->pinged) {
		ping_send(c);
		conn_deadline(c, PING_ASK_MS);
	} else if (!c->asked) {
		progress_ask(c);
		c->asked = true;
		conn_deadline(c, ping_pong_ms(c) - PING_ASK_MS);
	} else {
		ping_unanswered(c, silent);
	}
}
