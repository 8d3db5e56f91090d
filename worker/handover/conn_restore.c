/* SPDX-License-Identifier: MIT */
/* conn_restore.c - see conn_restore.h. */

#include "worker/handover/conn_restore.h"

#include "common/xmalloc.h"
#include "worker/delivery/adopt.h"
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
	conn_deadline(c, head->deadline_ms);
}

/* Topics of the record's subscriptions, by their numbers.  NULL: one of them is
 * not to be had. */
static struct sub_topic **
restore_subs(struct hub *hub, struct conn *c, struct conn_record *record)
{
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	struct sub_topic **topics =
	    xcalloc(record->subs_count + 1, sizeof(*topics));
	struct conn_record_sub sub;

	for (uint32_t i = 0; conn_record_next_sub(record, &sub); i++) {
		topics[i] = adopt_sub(hub, client_of(c), sub.name, sub.name_len,
		    sub.no_echo, sub.told);
		if (topics[i] == NULL) {
			free(topics);
			return NULL;
		}
	}
	return topics;
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
conn_restore(struct hub *hub, int fd, struct conn_record *record)
{
	struct conn *c = restore_conn(hub->net, fd, record);
	struct sub_topic **topics;
	bool ok;

	restore_head(c, &record->head);
	topics = restore_subs(hub, c, record);
	if (topics == NULL)
		return false;
	restore_queue(c, record, topics);
	free(topics);
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
