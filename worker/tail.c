/* SPDX-License-Identifier: MIT */
/* tail.c - ring to frames to connections; see tail.h. */

#include "worker/tail.h"

#include "common/bug.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/state.h"

#include <stdlib.h>

/* Say how far this worker is; publishers look for those far behind. */
static void
tail_publish_cursor(struct worker *w)
{
	atomic_store_explicit(&w->seg->workers[w->slot].cursor,
	    w->tail.cursor.pos, memory_order_relaxed);
}

void
tail_init(struct tail *tail, const struct worker *w)
{
	uint64_t record = ring_record_max(w->config->max_message);

	tail->cursor.pos = ring_head(w->seg);
	tail->batch.records_max = TAIL_TURN_RECORDS;
	tail->batch.records =
	    xcalloc(TAIL_TURN_RECORDS, sizeof(*tail->batch.records));
	tail->batch.size = record > TAIL_TURN_BYTES ? record : TAIL_TURN_BYTES;
	tail->batch.bytes = xmalloc(tail->batch.size);
	tail->next_of_topic =
	    xcalloc(TAIL_TURN_RECORDS, sizeof(*tail->next_of_topic));
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
tail_skip_to_head(struct worker *w)
{
	w->tail.cursor.pos = ring_head(w->seg);
	tail_publish_cursor(w);
}

bool
tail_reached(const struct worker *w, uint64_t head)
{
	return w->tail.cursor.pos >= head;
}

/* Chain the batch's records by topic.  Returns how many topics there are. */
static uint32_t
tail_group(struct worker *w)
{
	struct tail *tail = &w->tail;
	uint32_t topics = 0;

	for (uint32_t i = 0; i < tail->batch.count; i++) {
		const struct ring_record *rec = &tail->batch.records[i];
		struct sub_topic *topic = w->subs.by_slot[rec->topic];

		/* Of an earlier life of the slot, or from before the first
		 * subscriber came. */
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
	}
	return topics;
}

/* Encode a topic's messages, one behind another.  Returns the first's number;
 * the frames are those from *from on. */
static uint64_t
tail_encode(struct worker *w, struct sub_topic *topic, uint32_t *from)
{
	struct tail *tail = &w->tail;
	uint64_t first_seq = tail->batch.records[topic->first - 1].seq;

	*from = w->frames.count;
	for (uint32_t at = topic->first; at != 0;
	     at = tail->next_of_topic[at - 1]) {
		const struct ring_record *rec = &tail->batch.records[at - 1];

		frames_add_raw(&w->frames, rec->body, rec->body_len);
	}
	topic->first = topic->last = 0;
	return first_seq;
}

/* Give a topic's new frames to its subscribers: to each what it has not seen.
 */
static void
tail_deliver(struct worker *w, struct sub_topic *topic)
{
	uint32_t from, count, skip;
	uint64_t first_seq = tail_encode(w, topic, &from);
	uint64_t last_seq = topic->seq;

	count = w->frames.count - from;
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (sub->seen >= last_seq)
			continue;
		skip = sub->seen >= first_seq
		           ? (uint32_t)(sub->seen + 1 - first_seq)
		           : 0;
		sub->seen = last_seq;
		outbox_frames(&w->outbox, sub->conn, from + skip, count - skip);
	}
}

static void
tail_lapped(struct worker *w)
{
	uint64_t missed = subs_lapped(w);

	stats_add(&w->stats, STATS_LAPS, 1);
	stats_add(&w->stats, STATS_MISSED, missed);
	log_warnx(
	    "lapped by the ring: %llu deliveries missed (see --ring-size)",
	    (unsigned long long)missed);
}

bool
tail_turn(struct worker *w)
{
	enum ring_status status;
	uint32_t topics;

	if (w->subs.topics == 0) {
		tail_skip_to_head(w);
		return false;
	}
	status = ring_tail(
	    &w->ring, &w->tail.cursor, w->subs.wanted, &w->tail.batch);
	tail_publish_cursor(w);
	switch (status) {
	case RING_EMPTY:
		return false;
	case RING_LAPPED:
		tail_lapped(w);
		return true;
	case RING_OK:
		topics = tail_group(w);
		for (uint32_t i = 0; i < topics; i++)
			tail_deliver(w, w->tail.touched[i]);
		return true;
	case RING_CORRUPT:
		BUG("the ring holds a record that nobody wrote");
	case RING_BUSY:
	case RING_SEALED:
		BUG("ring_tail() does not return this");
	}
	return false;
}
