/* SPDX-License-Identifier: MIT */
/* watch.c - see watch.h. */

#include "worker/delivery/watch.h"

#include "common/buf.h"
#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/ending.h"
#include "worker/delivery/hub.h"
#include "worker/net/outbox.h"

#include <stdlib.h>

struct watcher {
	struct sub *sub; /* borrowed */
	uint64_t from;   /* position: what happened before is known to it */
};

/* A topic that somebody here watches. */
struct watched {
	UT_hash_handle hh;
	uint32_t slot; /* of the directory */
	uint32_t count, max;
	struct watcher *all; /* owned */
};

static struct watched *
watched_find(const struct hub *hub, uint32_t slot)
{
	struct watched *topic;

	HASH_FIND_INT(hub->watches->by_slot, &slot, topic);
	return topic;
}

static void
watched_free(struct hub *hub, struct watched *topic)
{
	HASH_DEL(hub->watches->by_slot, topic);
	free(topic->all);
	free(topic);
}

void
watches_fini(struct hub *hub)
{
	struct watched *topic, *next;

	HASH_ITER(hh, hub->watches->by_slot, topic, next)
		watched_free(hub, topic);
}

/* The topic of a slot, which is watched from now on. */
static struct watched *
watched_open(struct hub *hub, uint32_t slot)
{
	struct watched *topic = watched_find(hub, slot);

	if (topic != NULL)
		return topic;
	topic = xcalloc(1, sizeof(*topic));
	topic->slot = slot;
	HASH_ADD_INT(hub->watches->by_slot, slot, topic);
	atomic_fetch_or(
	    &hub->seg->attendance[slot].watched, UINT64_C(1) << hub->slot);
	return topic;
}

static struct watcher *
watcher_of(struct watched *topic, const struct sub *sub)
{
	uint32_t i = 0;

	while (topic->all[i].sub != sub)
		CHECK(++i < topic->count);
	return &topic->all[i];
}

void
watch_adopt(struct hub *hub, struct sub *sub, uint64_t from)
{
	struct watched *topic = watched_open(hub, sub->topic->slot);

	if (sub->watches) {
		watcher_of(topic, sub)->from = from;
		return;
	}
	if (topic->count == topic->max) {
		topic->max = topic->max * 2 + 1;
		topic->all =
		    xreallocarray(topic->all, topic->max, sizeof(*topic->all));
	}
	topic->all[topic->count++] =
	    (struct watcher){ .sub = sub, .from = from };
	sub->watches = true;
	stats_set(&hub->net->stats, STATS_WATCHES, ++hub->watches->count);
}

void
watches_adopted(struct hub *hub)
{
	uint64_t bit = UINT64_C(1) << hub->slot;
	uint32_t used = atomic_load(&hub->seg->header->used);

	for (uint32_t slot = 0; slot < used; slot++)
		if ((atomic_load(&hub->seg->attendance[slot].watched) & bit) !=
			0 &&
		    watched_find(hub, slot) == NULL)
			atomic_fetch_and(
			    &hub->seg->attendance[slot].watched, ~bit);
}

void
watch_begin(struct hub *hub, struct sub *sub)
{
	watch_adopt(hub, sub, ring_head(hub->seg));
}

uint64_t
watch_from(const struct hub *hub, const struct sub *sub)
{
	struct watched *topic = watched_find(hub, sub->topic->slot);

	CHECK(topic != NULL);
	return watcher_of(topic, sub)->from;
}

void
watch_end(struct hub *hub, struct sub *sub)
{
	struct watched *topic;
	struct watcher *watcher;

	if (!sub->watches)
		return;
	topic = watched_find(hub, sub->topic->slot);
	CHECK(topic != NULL);
	watcher = watcher_of(topic, sub); /* while it counts among them */
	*watcher = topic->all[--topic->count];
	sub->watches = false;
	stats_set(&hub->net->stats, STATS_WATCHES, --hub->watches->count);
	if (topic->count > 0)
		return;
	atomic_fetch_and(&hub->seg->attendance[topic->slot].watched,
	    ~(UINT64_C(1) << hub->slot));
	watched_free(hub, topic);
}

/* What a client is told that does not watch any more. */
static void
watch_put_end(const struct hub *hub, const struct sub *sub, enum watch_end why,
    struct buf *text)
{
	buf_init(text);
	hub->forms[sub->client->form]->unwatched(text, sub->topic, why);
}

void
watch_expel(struct hub *hub, struct sub *sub, enum watch_end why)
{
	struct buf text;

	watch_end(hub, sub);
	if (sub->is_over)
		return;
	watch_put_end(hub, sub, why, &text);
	conn_answer(&sub->client->conn, text.at, text.len);
	buf_fini(&text);
	ending_begin(hub, sub);
}

/* Nobody knows who is there any more. */
static void
watch_expel_all(struct hub *hub, struct watched *topic, enum watch_end why)
{
	uint32_t slot = topic->slot;

	while ((topic = watched_find(hub, slot)) != NULL)
		watch_expel(hub, topic->all[topic->count - 1].sub, why);
}

/* Those of one form who have begun to watch before this record; the frame is
 * made for the first of them. */
static void
watch_send(struct hub *hub, const struct watched *topic,
    const struct ring_record *rec, const struct sub_topic *of,
    enum form_id form)
{
	struct arena *arena = &hub->net->arena;
	uint32_t frame = arena->count;

	for (uint32_t i = 0; i < topic->count; i++) {
		struct client *client = topic->all[i].sub->client;

		if (client->form != form || rec->pos < topic->all[i].from)
			continue;
		if (arena->count == frame) {
			hub->forms[form]->member(&arena->bytes, rec, of);
			arena_end(arena, of->slot, ARENA_MEMBER);
		}
		outbox_frames(&hub->net->outbox, &client->conn, frame, 1);
	}
}

void
watch_deliver(
    struct hub *hub, const struct sub_topic *of, const struct ring_record *rec)
{
	struct watched *topic = watched_find(hub, of->slot);

	if (topic == NULL)
		return;
	if ((rec->flags & RECORD_UNCOUNTED) != 0) {
		watch_expel_all(hub, topic, WATCH_FULL);
		return;
	}
	for (int form = 0; form < FORMS; form++)
		if (hub->forms[form]->member != NULL)
			watch_send(hub, topic, rec, of, form);
}

void
watch_lapped(struct hub *hub)
{
	struct watched *topic;

	while ((topic = hub->watches->by_slot) != NULL)
		watch_expel_all(hub, topic, WATCH_LAPPED);
}

void
watch_dropped(struct conn *c, uint32_t slot)
{
	struct hub *hub = hub_of(c);
	struct sub_topic *topic = hub->subs.by_slot[slot];
	struct buf text;
	struct sub *sub;

	if (topic == NULL)
		return;
	sub = subs_find_of_client(&client_of(c)->subs, topic);
	if (sub == NULL || !sub->watches || sub->is_over)
		return;
	watch_end(hub, sub);
	watch_put_end(hub, sub, WATCH_SLOW, &text);
	/* It is being written to: there is a queue, and it is the next. */
	outq_add_answer(c->out, text.at, (uint32_t)text.len);
	buf_fini(&text);
	ending_begin(hub, sub);
}
