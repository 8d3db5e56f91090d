/* SPDX-License-Identifier: MIT */
/* rate.c - see rate.h. */

#include "worker/net/rate.h"

#include "common/config.h"

#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/net.h"

/* Looking at so many records costs about as much as taking a message. */
#define RATE_RECORDS_PER_MESSAGE 64

/* Taking so many bytes, which are only there by inflating, likewise. */
#define RATE_INFLATED_PER_MESSAGE 4096

void
rate_init(struct conn *c)
{
	const struct config *config = c->net->config;
	uint32_t now = c->net->wheel.now;

	rate_bucket_init(&c->messages, config->rate, now);
	rate_bucket_init(&c->controls, config->control_rate, now);
}

/* Whether both buckets have something left. */
static bool
rate_is_within(struct conn *c)
{
	const struct config *config = c->net->config;
	uint32_t now = c->net->wheel.now;
	bool messages = rate_bucket_has(&c->messages, config->rate, now);

	return rate_bucket_has(&c->controls, config->control_rate, now) &&
	       messages;
}

/* Do not read the connection for now.  why: the rate that it is over. */
static void
rate_pause(struct conn *c, enum stats_id why)
{
	if (c->paused & PAUSE_RATE)
		return;
	stats_add(&c->net->stats, why, 1);
	conn_pause(c, PAUSE_RATE);
	conn_deadline(c, WHEEL_TICK_MS);
}

void
rate_wait(struct conn *c, uint32_t ms)
{
	stats_add(&c->net->stats, STATS_CONN_RATE_WAITS, 1);
	conn_pause(c, PAUSE_RATE);
	conn_deadline(c, ms);
}

static void
rate_spend(struct conn *c, int32_t messages)
{
	rate_bucket_take(
	    &c->messages, c->net->config->rate, c->net->wheel.now, messages);
}

void
rate_count(struct conn *c)
{
	rate_spend(c, 1);
	if (!rate_is_within(c))
		rate_pause(c, STATS_RATE_PAUSES);
}

void
rate_count_inflated(struct conn *c, uint64_t bytes)
{
	rate_spend(c, (int32_t)(bytes / RATE_INFLATED_PER_MESSAGE));
}

void
rate_count_control(struct conn *c)
{
	rate_bucket_take(
	    &c->controls, c->net->config->control_rate, c->net->wheel.now, 1);
	if (!rate_is_within(c))
		rate_pause(c, STATS_CONTROL_PAUSES);
}

void
rate_count_request(struct conn *c)
{
	rate_spend(c, 1);
}

void
rate_count_messages(struct conn *c, uint32_t messages)
{
	if (messages > 1)
		rate_spend(c, (int32_t)messages - 1);
}

bool
rate_hold(struct conn *c)
{
	if (rate_is_within(c))
		return false;
	rate_pause(c, STATS_RATE_PAUSES);
	return true;
}

void
rate_charge(struct conn *c, uint64_t records)
{
	uint64_t messages = records / RATE_RECORDS_PER_MESSAGE;

	rate_spend(c, messages < INT16_MAX ? (int32_t)messages : INT16_MAX);
	/* rate_hold() was asked before this request was looked at. */
	if (c->upgraded && c->state == CONN_OPEN)
		rate_hold(c);
}

bool
rate_due(struct conn *c, uint32_t then_ms)
{
	if (!(c->paused & PAUSE_RATE))
		return false;
	if (!rate_is_within(c)) {
		conn_deadline(c, WHEEL_TICK_MS);
		return true;
	}
	conn_deadline(c, then_ms);
	conn_resume(c, PAUSE_RATE); /* last: it may be closed for it */
	return true;
}
