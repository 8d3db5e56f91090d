/* SPDX-License-Identifier: MIT */
/* conn_restore.c - see conn_restore.h. */

#include "worker/handover/conn_restore.h"

#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/access/known.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/adopt.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/pattern_subscribe.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/delivery/tail.h"
#include "worker/delivery/watch.h"
#include "worker/handover/conn_record.h"
#include "worker/net/conns.h"
#include "worker/net/feed.h"
#include "worker/net/kept.h"
#include "worker/net/peer.h"
#include "worker/net/service.h"
#include "worker/ws/protocol.h"

#include <stdlib.h>
#include <string.h>

/* The protocol of that name, or the one without.  Returns false if there is none
 * here. */
static bool
restore_protocol(struct conn *c, const struct conn_record *record)
{
	const struct service *service = c->net->service;

	for (uint8_t i = 0; i < service->protocols_count; i++) {
		const char *name = service->protocols[i]->name;

		if (record->protocol == NULL
			? name == NULL
			: name != NULL &&
			      strlen(name) == record->protocol_len &&
			      memcmp(name, record->protocol,
				  record->protocol_len) == 0) {
			c->protocol = i;
			return true;
		}
	}
	return false;
}

static void
restore_head(struct conn *c, const struct conn_record_head *head)
{
	uint32_t now = c->net->wheel.now;

	client_of(c)->form = head->form;
	c->overflow = head->overflow;
	c->buffer_max = head->buffer_max;
	c->last_heard_tick = now - head->heard_ms / WHEEL_TICK_MS;
	c->messages.left = head->messages_left;
	c->controls.left = head->controls_left;
	c->loopback = (head->flags & CONN_RECORD_LOOPBACK) != 0;
	c->pinged = (head->flags & CONN_RECORD_PINGED) != 0;
	c->served = (head->flags & CONN_RECORD_SERVED) != 0;
	c->deflate = (head->flags & CONN_RECORD_DEFLATE) != 0;
	conn_deadline(c, head->deadline_ms);
}

/* It is whoever it was.  Returns false if that is nobody who has come over. */
static bool
restore_identity(struct hub *hub, struct conn *c,
    const struct conn_record_identity *identity)
{
	if (identity->number == IDENTITY_NOBODY)
		return true;
	if (!access_is_known(hub->access, identity->number))
		return false;
	access_hold(hub->access, identity->number);
	client_of(c)->identity = identity->number & IDENTITY_MASK;
	client_of(c)->is_warned = identity->is_warned == 1;
	return true;
}

/* Each was put first: have them as they were. */
static void
restore_order(struct sub_list *subs)
{
	struct sub_list reversed = *subs;
	struct sub *sub;

	SLIST_INIT(subs);
	while ((sub = SLIST_FIRST(&reversed)) != NULL) {
		SLIST_REMOVE_HEAD(&reversed, link);
		SLIST_INSERT_HEAD(subs, sub, link);
	}
}

/* It goes on being told of the topic's members.  Returns false if its form cannot
 * tell it. */
static bool
restore_watch(struct hub *hub, struct conn *c, const struct sub_topic *topic,
    uint32_t ahead)
{
	struct sub *sub = subs_find_of_client(&client_of(c)->subs, topic);

	if (hub->forms[client_of(c)->form]->member == NULL)
		return false;
	watch_adopt(hub, sub, hub->tail->cursor.pos + UINT64_C(8) * ahead);
	return true;
}

/* A subscription goes on in this ring, or (anew) begins in it.  Returns its topic;
 * NULL: it is not to be had. */
static struct sub_topic *
restore_sub(struct hub *hub, struct client *client,
    const struct conn_record_sub *saved, bool anew)
{
	bool no_echo = (saved->flags & CONN_RECORD_NO_ECHO) != 0;
	struct sub *sub;

	if (!anew)
		return adopt_sub(hub, client, saved->name, saved->name_len,
		    no_echo, saved->told);
	sub = subscribe_anew(hub, client, saved->name, saved->name_len);
	if (sub == NULL) {
		log_errorx("the directory of the new ring is full (see "
			   "--max-topics)");
		return NULL;
	}
	sub->no_echo = no_echo;
	sub->fresh = false; /* it will be told that all before is gone */
	return sub->topic;
}

/* Topics of the record's subscriptions, by their numbers.  NULL: one of them is
 * not to be had. */
static struct sub_topic **
restore_subs(
    struct hub *hub, struct conn *c, struct conn_record *record, bool anew)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	struct sub_topic **topics =
	    xcalloc(record->subs_count + 1, sizeof(*topics));
	struct conn_record_sub sub;

	for (uint32_t i = 0; conn_record_next_sub(record, &sub); i++) {
		topics[i] = restore_sub(hub, client_of(c), &sub, anew);
		if (topics[i] == NULL ||
		    ((sub.flags & CONN_RECORD_WATCHES) != 0 &&
			!restore_watch(hub, c, topics[i], sub.ahead))) {
			free(topics);
			return NULL;
		}
		if (sub.every_ms != 0)
			pace_begin(hub,
			    subs_find_of_client(&client_of(c)->subs, topics[i]),
			    anew ? topics[i]->seq : sub.told, sub.every_ms,
			    sub.wait_ms);
	}
	restore_order(&client_of(c)->subs);
	return topics;
}

/* Returns false if it has one of its patterns twice. */
static bool
restore_patterns(
    struct hub *hub, struct conn *c, struct conn_record *record, bool anew)
{
	struct conn_record_pattern pattern;

	while (conn_record_next_pattern(record, &pattern))
		if (!pattern_adopt(hub, client_of(c), pattern.text, pattern.len,
			(pattern.flags & CONN_RECORD_NO_ECHO) != 0,
			anew ? ring_head(hub->seg) : pattern.from))
			return false;
	if (anew && record->patterns_count > 0)
		pattern_adopt_slot(hub);
	return true;
}

static void
restore_message(struct outq *q, uint32_t topic, uint64_t seq,
    const struct conn_record_item *item)
{
	struct kept *kept = kept_new(item->data, item->len);

	outq_add_message(q, topic, seq, kept);
	kept_drop(&kept);
}

/* The slot of the topic that an item is of. */
static uint32_t
restore_topic(
    const struct conn_record_item *item, struct sub_topic *const *topics)
{
	return item->sub == CONN_RECORD_NO_SUB ? CONN_RECORD_NO_SUB
	                                       : topics[item->sub]->slot;
}

/* An answer is of no topic: its client may have no subscription at all. */
static void
restore_item(struct outq *q, const struct conn_record_item *item,
    struct sub_topic *const *topics)
{
	switch (item->kind) {
	case CONN_RECORD_ANSWER:
		outq_add_answer(q, item->data, item->len);
		break;
	case CONN_RECORD_MESSAGE:
		restore_message(
		    q, restore_topic(item, topics), item->seq, item);
		break;
	case CONN_RECORD_GAP:
		outq_add_gap(q, restore_topic(item, topics), item->seq, NULL,
		    item->data, item->len, item->at);
		break;
	case CONN_RECORD_ITEM_KINDS:
		break;
	}
}

static void
restore_queue(
    struct conn *c, struct conn_record *record, struct sub_topic *const *topics)
{
	struct conn_record_item item;

	if (record->items_count == 0)
		return;
	c->out = outq_new(&c->net->budget);
	while (conn_record_next_item(record, &item)) {
		restore_item(c->out, &item, topics);
		if (record->begun > 0) {
			outq_sent(c->out, record->begun);
			record->begun = 0;
		}
	}
	outq_leave_topic(c->out, CONN_RECORD_NO_SUB);
}

/* It has said its last word. */
static void
restore_closing(struct conn *c, const struct conn_record_head *head)
{
	conn_close_when_written(c);
	c->upgraded = (head->flags & CONN_RECORD_UPGRADED) != 0;
	c->eof = (head->flags & CONN_RECORD_EOF) != 0;
	conn_deadline(c, head->deadline_ms);
	conn_update_events(c);
}

/* It goes on with this handler.  Returns false if there is none here. */
static bool
restore_handler(struct conn *c, const struct conn_record *record)
{
	const struct service *service = c->net->service;
	uint8_t kind = record->head.kind;

	if (kind >= service->moving_count || service->moving[kind] == NULL ||
	    (kind == CONN_RECORD_WEBSOCKET && !restore_protocol(c, record)))
		return false;
	conn_speak(c, service->moving[kind], NULL);
	if (c->handler->go_on != NULL)
		c->handler->go_on(c);
	if (record->input_len > 0)
		conn_keep_input(c, record->input, record->input_len);
	return true;
}

/* The connection itself, with whose it is. */
static struct conn *
restore_conn(struct net *net, int fd, const struct conn_record *record)
{
	const struct proxied proxied = {
		.peer = record->proxied.peer,
		.client = record->proxied.client,
		.tells = record->proxied.tells,
		.is_told = record->proxied.is_told,
	};
	struct conn *c = conns_adopt(
	    net, fd, record->head.number, record->is_proxied ? &proxied : NULL);

	peer_adopt(c, (record->head.flags & CONN_RECORD_COUNTED) != 0);
	return c;
}

bool
conn_restore(struct hub *hub, int fd, struct conn_record *record, bool anew)
{
	struct conn *c = restore_conn(hub->net, fd, record);
	struct sub_topic **topics;
	bool ok;

	restore_head(c, &record->head);
	if (!restore_identity(hub, c, &record->identity))
		return false;
	topics = restore_subs(hub, c, record, anew);
	if (topics == NULL)
		return false;
	if (!restore_patterns(hub, c, record, anew)) {
		free(topics);
		return false;
	}
	restore_queue(c, record, topics);
	free(topics);
	/* Its numbers are of another ring, in which nothing is dropped any more. */
	if (anew && c->out != NULL)
		outq_leave_all(c->out);
	if (record->head.kind == CONN_RECORD_CLOSING) {
		restore_closing(c, &record->head);
		return true;
	}
	ok = restore_handler(c, record);
	/* Its socket took no more; if it does, the kernel says so at once. */
	c->blocked = c->out != NULL;
	if (c->out != NULL && c->out->answer_bytes > CONN_ANSWERS_MAX)
		conn_pause(c, PAUSE_ANSWERS);
	conn_update_events(c);
	return ok;
}

void
conn_restore_go_on(struct net *net)
{
	struct conn *c, *next;

	for (c = LIST_FIRST(&net->conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link); /* c may die */
		conn_feed_kept(c);
	}
}

/* One client: its subscriptions have begun anew, behind what waits for it. */
static void
restore_tell(struct hub *hub, struct client *client)
{
	const struct pattern_client *pc = patterns_of(hub, client);
	const struct pattern_sub *pattern;
	struct sub *sub;

	SLIST_FOREACH(sub, &client->subs, link)
		gap_tell(sub, 0, replay_last_told(sub), GAP_MOVED);
	if (pc != NULL)
		SLIST_FOREACH(pattern, &pc->subs, link)
			gap_tell_pattern(pattern, GAP_MOVED);
}

void
conn_restore_tell(struct hub *hub)
{
	struct conn *c;

	LIST_FOREACH(c, &hub->net->conns.living, link)
		if (c->state == CONN_OPEN)
			restore_tell(hub, client_of(c));
	watch_lapped(hub);
}
