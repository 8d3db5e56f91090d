/* SPDX-License-Identifier: MIT */
/* rate.c - see rate.h. */

#include "worker/rate.h"

#include "worker/state.h"

/* To look at so many records costs about as much as to take a message. */
#define RATE_RECORDS_PER_MESSAGE 64

void
rate_init(struct conn *c)
{
	c->rate_left = (int32_t)c->w->config->rate;
	c->rate_tick = c->w->wheel.now;
}

/* Fill up what the connection may still send, by the time that has passed. */
static void
rate_refill(struct conn *c)
{
	uint32_t now = c->w->wheel.now;
	int64_t rate = c->w->config->rate;
	int64_t add = rate * (now - c->rate_tick) * WHEEL_TICK_MS / 1000;

	if (add == 0)
		return;
	c->rate_tick = now;
	add += c->rate_left;
	c->rate_left = (int32_t)(add < rate ? add : rate);
}

static void
rate_spend(struct conn *c, int32_t messages)
{
	if (c->w->config->rate == 0)
		return;
	rate_refill(c);
	c->rate_left -= messages;
	if (c->rate_left > 0 || c->paused & PAUSE_RATE)
		return;
	stats_add(&c->w->stats, STATS_RATE_PAUSES, 1);
	conn_pause(c, PAUSE_RATE);
	conn_deadline(c, WHEEL_TICK_MS);
}

void
rate_count(struct conn *c)
{
	rate_spend(c, 1);
}

void
rate_charge(struct conn *c, uint64_t records)
{
	uint64_t messages = records / RATE_RECORDS_PER_MESSAGE;

	if (c->state == CONN_WS && messages > 0)
		rate_spend(
		    c, messages < INT16_MAX ? (int32_t)messages : INT16_MAX);
}

bool
rate_due(struct conn *c)
{
	if (!(c->paused & PAUSE_RATE))
		return false;
	rate_refill(c);
	conn_deadline(c, WHEEL_TICK_MS);
	if (c->rate_left <= 0)
		return true;
	conn_resume(c, PAUSE_RATE); /* last: it may be closed for it */
	return true;
}
