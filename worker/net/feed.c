/* SPDX-License-Identifier: MIT */
/* feed.c - see feed.h. */

#include "worker/net/feed.h"

#include "common/bug.h"
#include "worker/net/tls.h"

#include <stdlib.h>

/* Hand bytes up until they are used or cannot be.  Returns how many were. */
static size_t
conn_feed_handler(struct conn *c, char *data, size_t len)
{
	size_t at = 0, used;

	while (at < len && c->state == CONN_OPEN && c->paused == 0) {
		used = c->handler->feed(c, data + at, len - at);
		CHECK(used <= len - at);
		if (used == 0)
			break;
		at += used;
	}
	return at;
}

/* Keep the bytes that were not used, if the connection can still use them. */
static void
conn_keep_rest(struct conn *c, const char *data, size_t len)
{
	if (len == 0 || c->state != CONN_OPEN)
		return;
	conn_keep_input(c, data, len);
	conn_enforce_input_budget(c);
}

void
conn_feed_kept(struct conn *c)
{
	struct conn_input *input;
	size_t used;

	if (c->input == NULL || c->paused != 0 || c->state != CONN_OPEN ||
	    c->handler->receive != NULL)
		return;
	input = conn_take_input(c);
	used = conn_feed_handler(c, input->data, input->len);
	conn_keep_rest(c, input->data + used, input->len - used);
	free(input);
}

void
conn_feed(struct conn *c, char *data, size_t len)
{
	size_t used;

	if (c->input != NULL) {
		conn_keep_input(c, data, len);
		conn_feed_kept(c);
		return;
	}
	used = conn_feed_handler(c, data, len);
	conn_keep_rest(c, data + used, len - used);
}

void
conn_resume(struct conn *c, enum conn_pause why)
{
	if (!(c->paused & why))
		return;
	c->paused &= (uint8_t)~why;
	if (c->paused != 0)
		return;
	conn_update_events(c);
	c->last_heard_tick = c->net->wheel.now; /* it may have sent something */
	conn_feed_kept(c);
}

void
conn_enforce_input_budget(struct conn *c)
{
	uint64_t own = c->input != NULL ? c->input->len : 0;

	if (c->state != CONN_OPEN)
		return;
	if (c->handler->held != NULL)
		own += c->handler->held(c);
	if (c->encrypted)
		own += tls_held(c);
	if (!budget_is_over(
		&c->net->budget, BUDGET_INPUT, own, c->net->conns.count))
		return;
	stats_add(&c->net->stats, STATS_REFUSED_MEMORY, 1);
	c->handler->refuse(c, CONN_NO_INPUT_MEMORY);
}
