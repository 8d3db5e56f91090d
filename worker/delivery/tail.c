/* SPDX-License-Identifier: MIT */
/* tail.c - ring to frames to connections; see tail.h. */

#include "worker/delivery/tail.h"

#include "broker/shared/stop_point.h"
#include "common/bug.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/latency.h"
#include "worker/delivery/lost.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/tail_mixed.h"
#include "worker/delivery/watch.h"
#include "worker/net/outbox.h"

#include <stdlib.h>
#include <string.h>

/* Say how far this worker is; publishers look for those far behind. */
static void
tail_publish_cursor(struct hub *hub)
{
	atomic_store_explicit(&hub->seg->workers[hub->slot].cursor,
	    hub->tail->cursor.pos, memory_order_relaxed);
}

void
tail_init(struct tail *tail, const struct segment *seg, uint32_t max_message)
{
	uint64_t record =
	    ring_record_max(max_message) + sizeof(struct layout_mark);

	memset(tail, 0, sizeof(*tail));
	tail->cursor.pos = ring_head(seg);
	tail->batch.records_max = TAIL_TURN_RECORDS;
	tail->batch.records =
	    xcalloc(TAIL_TURN_RECORDS, sizeof(*tail->batch.records));
	tail->batch.size = record > TAIL_TURN_BYTES ? record : TAIL_TURN_BYTES;
	tail->batch.bytes = xmalloc(tail->batch.size);
	tail->next_of_topic =
	    xcalloc(TAIL_TURN_RECORDS, sizeof(*tail->next_of_topic));
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	tail->touched = xcalloc(TAIL_TURN_RECORDS, sizeof(*tail->touched));
}

void
tail_fini(struct tail *tail)
{
	free(tail->batch.records);
	free(tail->batch.bytes);
	free(tail->next_of_topic);
	free(tail->touched);
	pattern_tail_fini(&tail->patterns);
}

void
tail_skip_to_head(struct hub *hub)
{
	hub->tail->cursor.pos = ring_head(hub->seg);
	tail_publish_cursor(hub);
}

void
tail_go_on_at(struct hub *hub, uint64_t pos)
{
	hub->tail->cursor.pos = pos;
}

bool
tail_reached(const struct hub *hub, uint64_t head)
{
	return hub->tail->cursor.pos >= head;
}

/* Whether a record is for the topic's subscribers here, whatever each of them
 * has seen; a number counts as tailed. */
static bool
tail_takes(struct sub_topic *topic, const struct ring_record *rec)
{
	/* tail-6: not a record of an earlier life of the slot, or from before
	 * the first subscriber came. */
	if (rec->seq <= topic->seq) {
		if ((rec->flags & RECORD_UNNUMBERED) == 0 ||
		    !tail_mixed_is_of(topic, rec))
			return false;
		topic->is_mixed = true;
		return true;
	}
	CHECK(rec->seq == topic->seq + 1); /* dense, or we were lapped */
	topic->seq = rec->seq;
	topic->pos = rec->pos;
	return true;
}

/* Note a record of a topic with subscribers, the index-th of the batch.  *topics
 * is how many have been touched.  Returns whether it is one for them. */
static bool
tail_add(struct tail *tail, struct sub_topic *topic, uint32_t index,
    uint32_t *topics)
{
	if (!tail_takes(topic, &tail->batch.records[index]))
		return false;
	tail->next_of_topic[index] = 0;
	if (topic->first == 0) {
		topic->first = index + 1;
		tail->touched[(*topics)++] = topic;
	} else {
		tail->next_of_topic[topic->last - 1] = index + 1;
	}
	topic->last = index + 1;
	return true;
}

/* Chain the batch's records by topic.  Returns how many topics there are. */
static uint32_t
tail_group(struct hub *hub)
{
	struct tail *tail = hub->tail;
	uint32_t topics = 0;

	for (uint32_t i = 0; i < tail->batch.count; i++) {
		const struct ring_record *rec = &tail->batch.records[i];
		struct sub_topic *topic = hub->subs.by_slot[rec->topic];
		bool is_followed =
		    hub->patterns != NULL &&
		    pattern_tail_add(hub, &tail->patterns, rec, i);

		if (rec->mark != NULL && hub->came_back != NULL &&
		    rec->worker == hub->slot)
			hub->came_back(hub, rec);
		/* One that has no topic here was wanted for that alone. */
		if ((topic != NULL && tail_add(tail, topic, i, &topics)) ||
		    is_followed)
			latency_add(hub, rec, tail->cursor.pos);
	}
	return topics;
}

static struct tail_records
tail_records(const struct hub *hub)
{
	return (struct tail_records){ hub->tail->batch.records,
		hub->tail->next_of_topic };
}

/* Encode a topic's messages, or use what was encoded for those who follow
 * patterns. */
static struct tail_run
tail_encode(struct hub *hub, const struct sub_topic *topic, enum form_id form)
{
	struct tail_run run;

	if (hub->patterns != NULL &&
	    pattern_tail_run(hub, &hub->tail->patterns, topic, form, &run))
		return run;
	return tail_run_encode(
	    hub, topic, form, tail_records(hub), topic->first);
}

/* Give one subscriber the messages that it has not seen and has not published
 * itself. */
static void
tail_send_to_without_echo(struct hub *hub, const struct sub *sub,
    const struct tail_run *run, uint32_t skip)
{
	const struct tail *tail = hub->tail;
	uint32_t i = 0;

	for (uint32_t at = sub->topic->first; at != 0;
	     at = tail->next_of_topic[at - 1], i++) {
		const struct ring_record *rec = &tail->batch.records[at - 1];

		if (i >= skip && !tail_run_is_own(hub, rec, sub->client))
			outbox_frames(&hub->net->outbox, &sub->client->conn,
			    run->from + i, 1);
	}
}

/* Give one subscriber the messages that it has not seen. */
static void
tail_send_to(struct hub *hub, struct sub *sub, const struct tail_run *run)
{
	uint32_t skip;

	/* tail-7: no number that it was sent, or told in a gap */
	if (sub->seen >= run->last_seq)
		return;
	skip = sub->seen >= run->first_seq
	           ? (uint32_t)(sub->seen + 1 - run->first_seq)
	           : 0;
	sub->seen = run->last_seq;
	if (sub->no_echo)
		tail_send_to_without_echo(hub, sub, run, skip);
	else
		outbox_frames(&hub->net->outbox, &sub->client->conn,
		    run->from + skip, run->count - skip);
}

/* Encode a topic's messages in each form that somebody here needs, and give
 * them to its subscribers. */
static void
tail_deliver_run(struct hub *hub, const struct sub_topic *topic)
{
	struct tail_run runs[FORMS];

	for (int form = 0; form < FORMS; form++)
		if (topic->forms[form] > 0)
			runs[form] = tail_encode(hub, topic, form);
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (!sub->replaying && !sub->paced)
			tail_send_to(hub, sub, &runs[sub->client->form]);
	}
}

/* The same one by one. */
static void
tail_deliver_mixed(struct hub *hub, const struct sub_topic *topic)
{
	const struct tail *tail = hub->tail;

	for (uint32_t at = topic->first; at != 0;
	     at = tail->next_of_topic[at - 1]) {
		const struct ring_record *rec = &tail->batch.records[at - 1];

		if ((rec->flags & RECORD_MEMBERS) != 0)
			watch_deliver(hub, topic, rec);
		else
			tail_mixed_send(hub, topic, rec);
	}
}

static void
tail_deliver(struct hub *hub, struct sub_topic *topic)
{
	if (topic->is_mixed)
		tail_deliver_mixed(hub, topic);
	else
		tail_deliver_run(hub, topic);
	if (topic->paced > 0)
		paces_note(hub, topic, tail_records(hub));
	topic->is_mixed = false;
	topic->first = topic->last = 0;
}

/* Move one subscription up to number seq.  Returns how many it missed. */
static uint64_t
tail_skip_to(struct sub *sub, uint64_t seq)
{
	uint64_t from;

	if (sub->is_over)
		return 0;
	if (sub->paced)
		return pace_lapped(hub_of(&sub->client->conn), sub, seq);
	if (sub->replaying)
		return replay_lapped(sub, seq);
	if (sub->seen >= seq)
		return 0;
	from = sub->seen + 1;
	sub->seen = seq;
	sub->fresh = false; /* what is below was told */
	gap_tell(sub, from, seq, GAP_LAPPED);
	return seq - from + 1;
}

uint64_t
tail_skip_lap(struct hub *hub)
{
	struct sub_topic *topic, *next;
	uint64_t missed = 0;

	watch_lapped(hub);

	HASH_ITER(hh, hub->subs.by_name, topic, next) {
		/* tail-5: after `applied', or it might be older than that */
		uint64_t seq = ring_topic_seq(hub->seg, topic->slot);

		topic->seq = seq;
		topic->pos = 0; /* cannot be read exactly without the lock */
		for (uint32_t i = 0; i < topic->count; i++)
			missed += tail_skip_to(topic->subs[i], seq);
	}
	return missed;
}

static void
tail_lapped(struct hub *hub)
{
	uint64_t missed = tail_skip_lap(hub);

	if (hub->lapped != NULL)
		hub->lapped(hub);
	if (hub->patterns != NULL)
		pattern_tail_lapped(hub);
	stats_add(&hub->net->stats, STATS_LAPS, 1);
	stats_add(&hub->net->stats, STATS_MISSED, missed);
	log_warnx(
	    "lapped by the ring: %llu deliveries missed (see --ring-size)",
	    (unsigned long long)missed);
}

/* Read on.  Who follows patterns reads more than what has subscribers. */
static enum ring_status
tail_read(struct hub *hub)
{
	struct tail *tail = hub->tail;
	const uint64_t *wanted = hub->subs.wanted;

	tail->batch.reborn = NULL;
	tail->batch.for_worker = hub->awaited > 0 ? hub->slot + 1 : 0;
	if (hub->patterns != NULL) {
		pattern_tail_begin(&tail->patterns, TAIL_TURN_RECORDS);
		wanted = tail->batch.reborn = patterns_wanted(hub);
	}
	return ring_tail(&hub->ring, &tail->cursor, wanted, &tail->batch);
}

/* Hand over what was read. */
static void
tail_hand_over(struct hub *hub)
{
	struct tail *tail = hub->tail;
	uint32_t topics = tail_group(hub);

	if (hub->patterns != NULL)
		pattern_tail_deliver(hub, &tail->patterns, tail->batch.records);
	for (uint32_t i = 0; i < topics; i++)
		tail_deliver(hub, tail->touched[i]);
	if (hub->patterns != NULL)
		pattern_tail_end(hub, &tail->patterns);
}

void
tail_turn(struct hub *hub)
{
	enum ring_status status;

	if (!hub_follows(hub)) {
		tail_skip_to_head(hub);
		return;
	}
	status = tail_read(hub);
	tail_publish_cursor(hub);
	lost_look(hub);
	switch (status) {
	case RING_EMPTY:
		return;
	case RING_LAPPED:
		tail_lapped(hub);
		return;
	case RING_OK:
		stop_point_here(hub->seg->header, STOP_TAILED);
		tail_hand_over(hub);
		return;
	case RING_CORRUPT:
		BUG("the ring holds a record that nobody wrote");
	case RING_BUSY:
	case RING_SEALED:
		BUG("ring_tail() does not return this");
	}
}
