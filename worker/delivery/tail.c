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
#include "worker/delivery/replay.h"
#include "worker/net/outbox.h"

#include <stdlib.h>

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
	uint64_t record = ring_record_max(max_message);

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

/* Chain the batch's records by topic.  Returns how many topics there are. */
static uint32_t
tail_group(struct hub *hub)
{
	struct tail *tail = hub->tail;
	uint32_t topics = 0;

	for (uint32_t i = 0; i < tail->batch.count; i++) {
		const struct ring_record *rec = &tail->batch.records[i];
		struct sub_topic *topic = hub->subs.by_slot[rec->topic];

		/* tail-6: not a record of an earlier life of the slot, or
		 * from before the first subscriber came. */
		if (rec->seq <= topic->seq)
			continue;
		tail->next_of_topic[i] = 0;
		if (topic->first == 0) {
			topic->first = i + 1;
			tail->touched[topics++] = topic;
		} else {
			tail->next_of_topic[topic->last - 1] = i + 1;
		}
		topic->last = i + 1;
		CHECK(
		    rec->seq == topic->seq + 1); /* dense, or we were lapped */
		topic->seq = rec->seq;
		topic->pos = rec->pos;
		latency_add(hub, rec, tail->cursor.pos);
	}
	return topics;
}

/* A topic's messages of this turn, in one form. */
struct tail_run {
	uint32_t from; /* frame index */
	uint32_t count;
	uint64_t first_seq;
	uint64_t last_seq;
};

/* Encode them, one behind another. */
static struct tail_run
tail_encode(struct hub *hub, const struct sub_topic *topic, enum form_id form)
{
	const struct tail *tail = hub->tail;
	struct tail_run run = { .from = hub->net->arena.count,
		.first_seq = tail->batch.records[topic->first - 1].seq,
		.last_seq = topic->seq };

	for (uint32_t at = topic->first; at != 0;
	     at = tail->next_of_topic[at - 1])
		hub_put_message(hub, form, topic, &tail->batch.records[at - 1]);
	run.count = hub->net->arena.count - run.from;
	return run;
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

		if (i >= skip && (rec->worker != hub->slot ||
				     rec->conn != sub->client->conn.number))
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
tail_deliver(struct hub *hub, struct sub_topic *topic)
{
	struct tail_run runs[FORMS];

	for (int form = 0; form < FORMS; form++)
		if (topic->forms[form] > 0)
			runs[form] = tail_encode(hub, topic, form);
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (!sub->replaying)
			tail_send_to(hub, sub, &runs[sub->client->form]);
	}
	topic->first = topic->last = 0;
}

/* Move one subscription up to number seq.  Returns how many it missed. */
static uint64_t
tail_skip_to(struct sub *sub, uint64_t seq)
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
tail_skip_lap(struct hub *hub)
{
	struct sub_topic *topic, *next;
	uint64_t missed = 0;

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

	stats_add(&hub->net->stats, STATS_LAPS, 1);
	stats_add(&hub->net->stats, STATS_MISSED, missed);
	log_warnx(
	    "lapped by the ring: %llu deliveries missed (see --ring-size)",
	    (unsigned long long)missed);
}

void
tail_turn(struct hub *hub)
{
	enum ring_status status;
	uint32_t topics;

	if (hub->subs.topics == 0) {
		tail_skip_to_head(hub);
		return;
	}
	status = ring_tail(&hub->ring, &hub->tail->cursor, hub->subs.wanted,
	    &hub->tail->batch);
	tail_publish_cursor(hub);
	switch (status) {
	case RING_EMPTY:
		return;
	case RING_LAPPED:
		tail_lapped(hub);
		return;
	case RING_OK:
		stop_point_here(hub->seg->header, STOP_TAILED);
		topics = tail_group(hub);
		for (uint32_t i = 0; i < topics; i++)
			tail_deliver(hub, hub->tail->touched[i]);
		return;
	case RING_CORRUPT:
		BUG("the ring holds a record that nobody wrote");
	case RING_BUSY:
	case RING_SEALED:
		BUG("ring_tail() does not return this");
	}
}
