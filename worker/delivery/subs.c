/* SPDX-License-Identifier: MIT */
/* subs.c - see subs.h. */

#include "worker/delivery/subs.h"

#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/replay.h"
#include "worker/state.h"

#include <stdlib.h>
#include <string.h>

void
subs_init(struct subs *subs, uint32_t topics_max)
{
	memset(subs, 0, sizeof(*subs));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	subs->by_slot = xcalloc(topics_max, sizeof(*subs->by_slot));
	subs->wanted = xcalloc(topics_max / 64 + 1, sizeof(*subs->wanted));
}

void
subs_fini(struct subs *subs)
{
	CHECK(subs->topics == 0);
	free(subs->by_slot);
	free(subs->wanted);
}

struct sub_topic *
subs_find(const struct subs *subs, const char *name, size_t len, uint32_t hash)
{
	struct sub_topic *topic;

	HASH_FIND_BYHASHVALUE(hh, subs->by_name, name, len, hash, topic);
	return topic;
}

struct sub *
subs_find_of_conn(const struct conn *c, const struct sub_topic *topic)
{
	struct sub *sub;

	SLIST_FOREACH(sub, &c->subs, link)
		if (sub->topic == topic)
			return sub;
	return NULL;
}

/* Keep the worker's gauges in step. */
static void
subs_count(struct worker *w)
{
	stats_set(&w->stats, STATS_SUBSCRIPTIONS, w->subs.count);
	stats_set(&w->stats, STATS_TOPICS, w->subs.topics);
}

/* The first subscriber here: make the topic, known by name and by slot. */
static struct sub_topic *
subs_topic_new(struct worker *w, uint32_t slot, const char *name, uint8_t len,
    uint32_t hash)
{
	struct subs *subs = &w->subs;
	struct sub_topic *topic = xcalloc(1, sizeof(*topic) + len);

	topic->slot = slot;
	topic->seq = ring_topic_seq(w->seg, slot);
	topic->pos = atomic_load(&w->seg->topics[slot].last);
	topic->name_len = len;
	memcpy(topic->name, name, len);
	buf_json_string(&topic->json, name, len);
	HASH_ADD_KEYPTR_BYHASHVALUE(
	    hh, subs->by_name, topic->name, len, hash, topic);
	CHECK(subs->by_slot[slot] == NULL);
	subs->by_slot[slot] = topic;
	subs->wanted[slot / 64] |= UINT64_C(1) << (slot % 64);
	/* subscribe-3: what was slept through is nobody's gap */
	if (subs->topics++ == 0)
		tail_skip_to_head(w);
	return topic;
}

static void
subs_topic_free(struct worker *w, struct sub_topic *topic)
{
	struct subs *subs = &w->subs;

	subs->by_slot[topic->slot] = NULL;
	subs->wanted[topic->slot / 64] &= ~(UINT64_C(1) << (topic->slot % 64));
	HASH_DELETE(hh, subs->by_name, topic);
	subs->topics--;
	buf_fini(&topic->json);
	free(topic->subs);
	free(topic);
}

static void
subs_link(struct conn *c, struct sub_topic *topic, uint64_t seen)
{
	struct sub *sub = xmalloc(sizeof(*sub));

	if (topic->count == topic->max) {
		topic->max += topic->max / 2 + 1;
		topic->subs = xreallocarray(
		    topic->subs, topic->max, sizeof(struct sub *));
	}
	sub->conn = c;
	sub->topic = topic;
	sub->seen = seen;
	sub->index = topic->count;
	sub->begun_by = 0;
	sub->no_echo = sub->replaying = false;
	topic->forms[c->form]++;
	topic->subs[topic->count++] = sub;
	SLIST_INSERT_HEAD(&c->subs, sub, link);
	c->subs_count++;
}

void
topic_snapshot(const struct worker *w, uint32_t slot, struct subs_start *start)
{
	const struct layout_topic *topic = &w->seg->topics[slot];

	start->slot = slot;
	start->seq = atomic_load_explicit(&topic->seq, memory_order_relaxed);
	start->pos = atomic_load_explicit(&topic->last, memory_order_relaxed);
	start->base = topic->base;
}

enum subs_status
subs_add(struct worker *w, struct conn *c, const char *name, uint8_t len,
    uint32_t hash, struct subs_start *start)
{
	struct sub_topic *topic = subs_find(&w->subs, name, len, hash);
	uint32_t slot;

	if (topic != NULL && subs_find_of_conn(c, topic) != NULL) {
		topic_snapshot(w, topic->slot, start);
		return SUBS_ALREADY;
	}
	if (c->subs_count >= w->config->max_topics_per_conn)
		return SUBS_TOO_MANY;
	slot =
	    topic != NULL ? topic->slot : topics_open(w->seg, name, len, hash);
	if (slot == TOPICS_NONE) {
		stats_add(&w->stats, STATS_DIRECTORY_FULL, 1);
		return SUBS_DIRECTORY_FULL;
	}
	/* subscribe-1: under the lock, like the next two */
	topics_subscribe(w->seg, slot, w->slot);
	/* subscribe-2: number and place, an exact pair */
	topic_snapshot(w, slot, start);
	if (topic == NULL)
		topic = subs_topic_new(w, slot, name, len, hash);
	subs_link(c, topic, start->seq);
	w->subs.count++;
	subs_count(w);
	return SUBS_OK;
}

/* Take a subscription out of its topic, and the topic away with the last. */
static void
subs_unlink(struct worker *w, struct sub *sub)
{
	struct sub_topic *topic = sub->topic;
	struct sub *moved = topic->subs[--topic->count];

	topic->subs[sub->index] = moved;
	moved->index = sub->index;
	topic->forms[sub->conn->form]--;
	if (sub->replaying)
		replay_cancel(w, sub);
	if (sub->conn->out != NULL)
		outq_leave_topic(sub->conn->out, topic->slot);
	topics_unsubscribe(w->seg, topic->slot, w->slot);
	if (topic->count == 0)
		subs_topic_free(w, topic);
	free(sub);
	w->subs.count--;
}

void
subs_drop(struct worker *w, struct sub *sub)
{
	struct conn *c = sub->conn;

	SLIST_REMOVE(&c->subs, sub, sub, link);
	c->subs_count--;
	subs_unlink(w, sub);
	subs_count(w);
}

void
subs_drop_all(struct worker *w, struct conn *c)
{
	struct sub *sub;

	while ((sub = SLIST_FIRST(&c->subs)) != NULL) {
		SLIST_REMOVE_HEAD(&c->subs, link);
		subs_unlink(w, sub);
	}
	c->subs_count = 0;
	subs_count(w);
}

/* Move one subscription up to number seq.  Returns how many it missed. */
static uint64_t
subs_skip(struct sub *sub, uint64_t seq)
{
	uint64_t from;

	if (sub->replaying)
		return replay_lapped(sub, seq);
	if (sub->seen >= seq)
		return 0;
	from = sub->seen + 1;
	sub->seen = seq;
	gap_tell(sub, from, seq, GAP_LAPPED);
	return seq - from + 1;
}

uint64_t
subs_lapped(struct worker *w)
{
	struct sub_topic *topic, *next;
	uint64_t missed = 0;

	HASH_ITER(hh, w->subs.by_name, topic, next) {
		/* tail-5: after `applied', or it might be older than that */
		uint64_t seq = ring_topic_seq(w->seg, topic->slot);

		topic->seq = seq;
		topic->pos = 0; /* read without the lock it would be a guess */
		for (uint32_t i = 0; i < topic->count; i++)
			missed += subs_skip(topic->subs[i], seq);
	}
	return missed;
}
