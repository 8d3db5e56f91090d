/* SPDX-License-Identifier: MIT */
/* overflow.c - queue what was not sent, or drop it; see overflow.h. */

#include "worker/net/overflow.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/gap.h"
#include "worker/net/budget.h"

static struct outq *
outbox_queue(struct conn *c)
{
	if (c->out == NULL) {
		c->out = xmalloc(sizeof(*c->out));
		outq_init(c->out);
	}
	return c->out;
}

/*
 * A message is dropped.  Who can be told is told, in the place where it would
 * have come: in front of `before', or (NULL) last.
 */
static void
outbox_missed(struct worker *w, struct conn *c, uint32_t slot, uint64_t seq,
    struct outq_item *before)
{
	const struct sub_topic *topic = w->subs.by_slot[slot];
	uint32_t digits_at;
	size_t was = c->out->bytes;

	if (c->form == FRAMES_RAW)
		return;
	if (outq_extend_gap(c->out, slot, seq))
		return;
	/* Of a topic that it left nothing is dropped: outq_leave_topic(). */
	CHECK(topic != NULL && subs_find_of_conn(c, topic) != NULL);
	stats_add(&w->stats, STATS_GAPS, 1);
	buf_reset(&w->text);
	digits_at = gap_put(
	    &w->text, (enum frames_form)c->form, topic, seq, seq, GAP_SLOW);
	outq_add_gap(c->out, slot, seq, before, w->text.at,
	    (uint32_t)w->text.len, digits_at);
	outbox_account(w, was, c->out->bytes);
}

/* Whether the messages that wait are as many as may.  Answers are not counted:
 * a long history that a client asked for shall cost it no message. */
static bool
outbox_is_full(const struct conn *c, size_t len)
{
	const struct outq *q = c->out;

	/* One message may always wait, however long --max-message lets it be. */
	return q->messages >= c->buffer_max ||
	       (q->messages > 0 &&
		   q->bytes - q->answer_bytes + len > OUTBOX_BUFFER_BYTES);
}

/* Under overflow=latest older messages make room. */
static void
outbox_make_room(struct worker *w, struct conn *c, size_t len)
{
	struct outq_dropped dropped;

	while (outbox_is_full(c, len)) {
		if (!outq_drop_oldest(c->out, &dropped))
			return;
		stats_add(&w->stats, STATS_DROPS, 1);
		outbox_account(w, dropped.len, 0);
		outbox_missed(w, c, dropped.topic, dropped.seq, dropped.next);
	}
}

/* Whether a message of this length may wait.  If not, it counts as dropped. */
static bool
outbox_has_room(struct worker *w, struct conn *c, size_t len)
{
	outbox_queue(c);
	if (c->overflow == OUTQ_LATEST && c->buffer_max > 0)
		outbox_make_room(w, c, len);
	if (outbox_is_full(c, len)) {
		stats_add(&w->stats, STATS_DROPS, 1);
		return false;
	}
	if (w->conns.buffered + len <= budget_output_max(w->config))
		return true;
	stats_add(&w->stats, STATS_DROPS_MEMORY, 1);
	return false;
}

/* Queue one frame, or deal with a full queue as the client asked.  Returns
 * false when the connection is being closed for it. */
static bool
outbox_queue_frame(struct worker *w, struct conn *c, uint32_t index)
{
	const struct frames_entry *frame = &w->frames.table[index];
	size_t start = frames_start(&w->frames, index);
	size_t len = frame->end - start;

	if (outbox_has_room(w, c, len)) {
		outq_add_message(c->out, frame->topic, frame->seq,
		    w->frames.bytes.at + start, (uint32_t)len);
		outbox_account(w, 0, len);
		return true;
	}
	if (c->overflow != OUTQ_CLOSE) {
		outbox_missed(w, c, frame->topic, frame->seq, NULL);
		return true;
	}
	stats_add(&w->stats, STATS_SLOW_CLOSES, 1);
	conn_too_slow(c);
	return false;
}

void
outbox_answer(struct worker *w, struct conn *c, const void *data, size_t len)
{
	outq_add_answer(outbox_queue(c), data, (uint32_t)len);
	outbox_account(w, 0, len);
}

/* Queue bytes of the arena that must be sent. */
static void
outbox_queue_bytes(struct worker *w, struct conn *c, size_t start, size_t end)
{
	outbox_answer(w, c, w->frames.bytes.at + start, end - start);
}

/* Queue what is left of one run.  Of its first frame `begun' bytes are out
 * already, so the rest of that must follow whatever the limits say.  Returns
 * false when the connection is being closed. */
static bool
outbox_queue_run(
    struct worker *w, struct conn *c, const struct outbox_run *r, size_t begun)
{
	const struct frames *frames = &w->frames;
	size_t start = frames_start(frames, r->first);
	uint32_t i = 0;

	if (r->replayed) {
		stats_add(&w->stats, STATS_MESSAGES_OUT, r->count);
		outbox_queue_bytes(w, c, start + begun,
		    frames_start(frames, r->first + r->count));
		return true;
	}
	if (begun > 0) {
		outbox_queue_bytes(
		    w, c, start + begun, frames->table[r->first].end);
		stats_add(&w->stats, STATS_MESSAGES_OUT, 1);
		i = 1;
	}
	for (; i < r->count; i++)
		if (!outbox_queue_frame(w, c, r->first + i))
			return false;
	return true;
}

void
outbox_queue_runs(struct worker *w, struct conn *c, uint32_t run, size_t begun)
{
	while (run != 0) {
		const struct outbox_run *r = &w->outbox.runs[run - 1];

		if (!outbox_queue_run(w, c, r, begun))
			return;
		begun = 0;
		run = r->next;
	}
}
