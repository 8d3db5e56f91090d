/* SPDX-License-Identifier: MIT */
/* tail.c - ring to frames to connections; see tail.h. */

#include "worker/delivery/tail.h"

#include "broker/shared/stop_point.h"
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

		/* tail-6: not what is of an earlier life of the slot, or
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
		latency_add(w, rec);
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
tail_encode(
    struct worker *w, const struct sub_topic *topic, enum frames_form form)
{
	const struct tail *tail = &w->tail;
	struct tail_run run = { .from = w->frames.count,
		.first_seq = tail->batch.records[topic->first - 1].seq,
		.last_seq = topic->seq };

	for (uint32_t at = topic->first; at != 0;
	     at = tail->next_of_topic[at - 1])
		frames_add(&w->frames, form, &tail->batch.records[at - 1],
		    &topic->json, w->seg->header->epoch);
	run.count = w->frames.count - run.from;
	return run;
}

/* Give one subscriber what it has not seen, without what it published itself.
 */
static void
tail_send_to_without_echo(struct worker *w, const struct sub *sub,
    const struct tail_run *run, uint32_t skip)
{
	const struct tail *tail = &w->tail;
	uint32_t i = 0;

	for (uint32_t at = sub->topic->first; at != 0;
	     at = tail->next_of_topic[at - 1], i++) {
		const struct ring_record *rec = &tail->batch.records[at - 1];

		if (i >= skip &&
		    (rec->worker != w->slot || rec->conn != sub->conn->number))
			outbox_frames(&w->outbox, sub->conn, run->from + i, 1);
	}
}

/* Give one subscriber what it has not seen. */
static void
tail_send_to(struct worker *w, struct sub *sub, const struct tail_run *run)
{
	uint32_t skip;

	/* tail-7: nothing that it was sent, or told that it missed */
	if (sub->seen >= run->last_seq)
		return;
	skip = sub->seen >= run->first_seq
	           ? (uint32_t)(sub->seen + 1 - run->first_seq)
	           : 0;
	sub->seen = run->last_seq;
	if (sub->no_echo)
		tail_send_to_without_echo(w, sub, run, skip);
	else
		outbox_frames(
		    &w->outbox, sub->conn, run->from + skip, run->count - skip);
}

/* Encode a topic's messages in each form that somebody here needs, and give
 * them to its subscribers. */
static void
tail_deliver(struct worker *w, struct sub_topic *topic)
{
	struct tail_run runs[FRAMES_FORMS];

	for (int form = 0; form < FRAMES_FORMS; form++)
		if (topic->forms[form] > 0)
			runs[form] = tail_encode(w, topic, form);
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (!sub->replaying)
			tail_send_to(w, sub, &runs[sub->conn->form]);
	}
	topic->first = topic->last = 0;
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

void
tail_turn(struct worker *w)
{
	enum ring_status status;
	uint32_t topics;

	if (w->subs.topics == 0) {
		tail_skip_to_head(w);
		return;
	}
	status = ring_tail(
	    &w->ring, &w->tail.cursor, w->subs.wanted, &w->tail.batch);
	tail_publish_cursor(w);
	switch (status) {
	case RING_EMPTY:
		return;
	case RING_LAPPED:
		tail_lapped(w);
		return;
	case RING_OK:
		stop_point_here(w->seg->header, STOP_TAILED);
		topics = tail_group(w);
		for (uint32_t i = 0; i < topics; i++)
			tail_deliver(w, w->tail.touched[i]);
		return;
	case RING_CORRUPT:
		BUG("the ring holds a record that nobody wrote");
	case RING_BUSY:
	case RING_SEALED:
		BUG("ring_tail() does not return this");
	}
}
