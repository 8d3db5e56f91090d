/* SPDX-License-Identifier: MIT */
/* telling.c - see telling.h. */

#include "broker/bridge/telling.h"

#include "broker/bridge/link.h"
#include "broker/cluster/tell.h"
#include "broker/ring/topics.h"

#include <string.h>

/* Questions, or slices of a list, in one turn: the log comes first. */
#define TELLING_TURN 8u

void
telling_init(struct telling *t, struct ring *ring, struct link *link)
{
	memset(t, 0, sizeof(*t));
	t->ring = ring;
	t->link = link;
	part_init(&t->part);
	buf_init(&t->text);
}

void
telling_take(struct telling *t, natsMsg *msg)
{
	if (t->count == TELLING_MAX) {
		natsMsg_Destroy(msg);
		return;
	}
	t->waiting[(t->first + t->count++) % TELLING_MAX] = msg;
}

/* The question that is the first in the queue.  Returns false if it is none. */
static bool
telling_read(
    struct telling *t, struct host_message *head, struct question *question)
{
	natsMsg *msg = t->waiting[t->first];
	const char *data = natsMsg_GetData(msg);
	size_t len = (size_t)natsMsg_GetDataLength(msg);

	return host_message_read(data, len, head) &&
	       question_read(
		   data + HOST_MESSAGE_HEAD, len - HOST_MESSAGE_HEAD, question);
}

static void
telling_drop_first(struct telling *t)
{
	topic_page_fini(&t->page);
	t->is_paging = false;
	natsMsg_Destroy(t->waiting[t->first]);
	t->first = (t->first + 1) % TELLING_MAX;
	t->count--;
}

/* Answer the first with t->part.  Without the lock: it may block. */
static void
telling_answer(struct telling *t, const struct host_message *asked)
{
	const struct host_message head = { .kind = HOST_ANSWERS,
		.origin = t->ring->header->cluster.self,
		.number = asked->number };

	buf_reset(&t->text);
	host_message_write(&t->text, &head);
	part_write(&t->text, &t->part);
	link_answer_host(t->link, asked->origin, t->text.at, t->text.len);
	part_fini(&t->part);
	part_init(&t->part);
	telling_drop_first(t);
}

static bool
telling_may_tell(void *arg, const char *name, size_t len)
{
	return question_may_tell(arg, name, len);
}

static void
telling_begin_page(struct telling *t, const struct question *q)
{
	t->page = (struct topic_page){ .prefix = q->name,
		.prefix_len = q->name_len,
		.after = q->after_name,
		.after_len = q->after_len,
		.has_after = q->has_after,
		.limit = q->limit,
		.may_tell = telling_may_tell };
	topic_page_begin(&t->page);
	t->is_paging = true;
}

/* Go on with a question, under the lock.  Returns whether t->part is whole. */
static bool
telling_step(struct telling *t, struct question *q)
{
	const struct segment *seg = t->ring->seg;

	if (q->kind == QUESTION_TOPIC) {
		tell_topic(seg,
		    topics_find(seg, q->name, q->name_len,
			topics_hash(seg, q->name, q->name_len)),
		    q, &t->part);
		return true;
	}
	if (!t->is_paging)
		telling_begin_page(t, q);
	t->page.arg = q;
	if (topic_page_slice(seg, &t->page))
		return false;
	tell_topics(&t->page, false, &t->part);
	return true;
}

bool
telling_turn(struct telling *t)
{
	struct host_message head;
	struct question q;
	bool is_whole;

	for (unsigned i = 0; i < TELLING_TURN && t->count > 0; i++) {
		if (!telling_read(t, &head, &q)) {
			telling_drop_first(t);
			continue;
		}
		if (ring_lock(t->ring) != RING_OK)
			return false;
		is_whole = telling_step(t, &q);
		ring_unlock(t->ring);
		if (is_whole)
			telling_answer(t, &head);
	}
	return true;
}
