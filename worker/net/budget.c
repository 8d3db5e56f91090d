/* SPDX-License-Identifier: MIT */
/* budget.c - see budget.h. */

#include "worker/net/budget.h"

#include "common/ws.h"
#include "worker/http/body.h"
#include "worker/http/http_conn.h"
#include "worker/state.h"

uint64_t
budget_input(const struct worker *w)
{
	return w->conns.input + ws_pool_bytes(w->parsers);
}

/* What this connection has begun to send. */
static uint64_t
budget_input_of(const struct conn *c)
{
	uint64_t bytes = c->input != NULL ? c->input->len : 0;

	if (c->state == CONN_BODY)
		bytes += api_body_bytes(c);
	else if (c->state == CONN_WS && c->part.ws != NULL)
		bytes += ws_bytes(c->part.ws);
	return bytes;
}

/* Whether `own' is more than the connection's share of a part that is full. */
static bool
budget_is_over(const struct conn *c, uint64_t own, uint64_t held, uint64_t max)
{
	uint32_t count = c->w->conns.count;

	return held > max && own > max / (count > 0 ? count : 1);
}

void
budget_enforce_input(struct conn *c)
{
	static const char why[] = "no memory for the whole of it, try later";

	if (!budget_is_over(c, budget_input_of(c), budget_input(c->w),
		budget_input_max(c->w->config)))
		return;
	stats_add(&c->w->stats, STATS_REFUSED_MEMORY, 1);
	if (c->state == CONN_WS)
		conn_close(c, WS_CODE_TRY_LATER, why);
	else if (c->state == CONN_FILE)
		conn_abort(c); /* it is in the middle of a response */
	else
		http_conn_refuse(c, NULL, 503, why, NULL);
}

void
budget_enforce_output(struct conn *c)
{
	if (c->out == NULL ||
	    !budget_is_over(c, c->out->answer_bytes, c->w->conns.buffered,
		budget_output_max(c->w->config)))
		return;
	stats_add(&c->w->stats, STATS_MEMORY_CLOSES, 1);
	conn_abort(c);
}
