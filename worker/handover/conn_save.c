/* SPDX-License-Identifier: MIT */
/* conn_save.c - see conn_save.h. */

#include "worker/handover/conn_save.h"

#include "common/config.h"
#include "worker/access/identities.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/tail.h"
#include "worker/delivery/watch.h"
#include "worker/handover/conn_record.h"
#include "worker/net/kept.h"
#include "worker/net/peer.h"
#include "worker/net/service.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

#include <stddef.h>

/* What it speaks, or that it has said its last word.  Returns false if nobody
 * can go on with it. */
static bool
save_kind(const struct conn *c, uint8_t *kind)
{
	const struct service *service = c->net->service;

	*kind = CONN_RECORD_CLOSING;
	if (c->state != CONN_OPEN)
		return true;
	for (uint8_t i = 0; i < service->moving_count; i++)
		if (service->moving[i] == c->handler) {
			*kind = i;
			return true;
		}
	return false;
}

static uint32_t
save_ticks_ms(uint32_t ticks)
{
	if (ticks > INT32_MAX)
		return 0; /* it was due in a tick that is late */
	return ticks < UINT32_MAX / WHEEL_TICK_MS ? ticks * WHEEL_TICK_MS
	                                          : UINT32_MAX;
}

/* Tokens that are left, filled up till now. */
static int32_t
save_bucket(struct rate_bucket *bucket, uint32_t rate, uint32_t now)
{
	rate_bucket_has(bucket, rate, now);
	return bucket->left;
}

static uint8_t
save_flags(const struct conn *c)
{
	return (uint8_t)((c->loopback ? CONN_RECORD_LOOPBACK : 0) |
			 (c->pinged ? CONN_RECORD_PINGED : 0) |
			 (c->served ? CONN_RECORD_SERVED : 0) |
			 (c->upgraded ? CONN_RECORD_UPGRADED : 0) |
			 (c->eof ? CONN_RECORD_EOF : 0) |
			 (c->io.data != NULL ? CONN_RECORD_COUNTED : 0) |
			 (c->deflate ? CONN_RECORD_DEFLATE : 0));
}

static bool
save_head(struct buf *out, struct conn *c)
{
	const struct config *config = c->net->config;
	uint32_t now = c->net->wheel.now;
	struct conn_record_head head = {
		.number = c->number,
		.deadline_ms = save_ticks_ms(c->timeout.due - now),
		.heard_ms = save_ticks_ms(now - c->last_heard_tick),
		.messages_left = save_bucket(&c->messages, config->rate, now),
		.controls_left =
		    save_bucket(&c->controls, config->control_rate, now),
		.form = client_of(c)->form,
		.overflow = c->overflow,
		.flags = save_flags(c),
	};

	if (!save_kind(c, &head.kind))
		return false;
	/* Until then this is another number. */
	if (head.kind != CONN_RECORD_HTTP)
		head.buffer_max = c->buffer_max;
	return conn_record_put_head(out, &head);
}

static bool
save_protocol(struct buf *out, const struct conn *c)
{
	const char *name = NULL;

	if (c->state == CONN_OPEN && c->handler == &ws_conn_handler)
		name = protocol_of(c)->name;
	return name == NULL || conn_record_put_protocol(out, name);
}

/* How far behind what was tailed here it begins to be told of members: nearly
 * always that is not behind it. */
static uint32_t
save_ahead(const struct hub *hub, const struct sub *sub)
{
	uint64_t from = watch_from(hub, sub), words;

	if (from <= hub->tail->cursor.pos)
		return 0;
	words = (from - hub->tail->cursor.pos) / 8;
	return words < UINT32_MAX ? (uint32_t)words : UINT32_MAX;
}

static bool
save_subs(struct buf *out, struct conn *c)
{
	const struct sub *sub;

	SLIST_FOREACH(sub, &client_of(c)->subs, link) {
		const struct conn_record_sub saved = {
			.name = sub->topic->name,
			.name_len = sub->topic->name_len,
			.flags = (sub->no_echo ? CONN_RECORD_NO_ECHO : 0) |
			         (sub->watches ? CONN_RECORD_WATCHES : 0),
			.ahead = sub->watches ? save_ahead(hub_of(c), sub) : 0,
			.told = replay_last_told(sub),
			.every_ms = sub->paced ? sub->pace->every_ms : 0,
			.wait_ms = sub->paced ? pace_wait_ms(sub->pace) : 0,
		};

		if (!conn_record_put_sub(out, &saved))
			return false;
	}
	return true;
}

static bool
save_patterns(struct buf *out, struct conn *c)
{
	const struct pattern_client *pc = patterns_of(hub_of(c), client_of(c));
	const struct pattern_sub *sub;

	if (pc == NULL)
		return true;
	SLIST_FOREACH(sub, &pc->subs, link) {
		const struct conn_record_pattern saved = {
			.text = sub->pattern->text,
			.len = sub->pattern->len,
			.flags = sub->no_echo ? CONN_RECORD_NO_ECHO : 0,
			.from = sub->from,
		};

		if (!conn_record_put_pattern(out, &saved))
			return false;
	}
	return true;
}

/* The place of a topic among the subscriptions that were saved. */
static uint32_t
save_sub_of(struct conn *c, uint32_t slot)
{
	const struct sub *sub;
	uint32_t i = 0;

	SLIST_FOREACH(sub, &client_of(c)->subs, link) {
		if (sub->topic->slot == slot)
			return i;
		i++;
	}
	return CONN_RECORD_NO_SUB;
}

/* The gap that an item is, as long as it may grow; or NULL. */
static const struct outq_gap *
save_gap_of(const struct outq *q, const struct outq_item *item)
{
	for (uint32_t i = 0; i < q->gaps_count; i++)
		if (q->gaps[i].item == item)
			return &q->gaps[i];
	return NULL;
}

static bool
save_item(struct buf *out, struct conn *c, const struct outq_item *item)
{
	const struct outq_gap *gap = save_gap_of(c->out, item);
	bool begun = item == TAILQ_FIRST(&c->out->items) && c->out->begun > 0;
	struct conn_record_item saved = {
		.len = item->len,
		.data = item->kept != NULL ? item->kept->bytes : item->data,
	};

	/* One of a pattern grows no more: what comes then is another one. */
	if (gap != NULL && save_sub_of(c, gap->topic) != CONN_RECORD_NO_SUB) {
		saved.kind = CONN_RECORD_GAP;
		saved.sub = save_sub_of(c, gap->topic);
		saved.seq = gap->to;
		saved.at = gap->at;
	} else if (item->seq != 0 && !begun) {
		saved.kind = CONN_RECORD_MESSAGE;
		saved.sub = item->kind == OUTQ_MESSAGE
		                ? save_sub_of(c, item->topic)
		                : CONN_RECORD_NO_SUB;
		saved.seq = item->seq;
	}
	return conn_record_put_item(out, &saved);
}

static bool
save_queue(struct buf *out, struct conn *c)
{
	const struct outq_item *item;

	if (c->out == NULL)
		return true;
	TAILQ_FOREACH(item, &c->out->items, link)
		if (!save_item(out, c, item))
			return false;
	return c->out->begun == 0 || conn_record_put_begun(out, c->out->begun);
}

static bool
save_proxied(struct buf *out, struct conn *c)
{
	const struct proxied *proxied;
	struct conn_record_proxied saved;

	if (!c->proxied)
		return true;
	proxied = peer_proxied(c);
	saved = (struct conn_record_proxied){
		.peer = proxied->peer,
		.client = proxied->client,
		.tells = proxied->tells,
		.is_told = proxied->is_told,
	};
	return conn_record_put_proxied(out, &saved);
}

/* Who has said the last word is nobody any more. */
static bool
save_identity(struct buf *out, struct conn *c)
{
	const struct conn_record_identity saved = {
		.number = client_of(c)->identity,
		.is_warned = client_of(c)->is_warned,
	};

	return c->state != CONN_OPEN || saved.number == IDENTITY_NOBODY ||
	       conn_record_put_identity(out, &saved);
}

bool
conn_save(struct buf *out, struct conn *c)
{
	return save_head(out, c) && save_protocol(out, c) &&
	       (c->input == NULL ||
		   conn_record_put_input(out, c->input->data, c->input->len)) &&
	       save_subs(out, c) && save_queue(out, c) &&
	       save_proxied(out, c) && save_identity(out, c) &&
	       save_patterns(out, c);
}
