/* SPDX-License-Identifier: MIT */
/* overflow.c - see overflow.h. */

#include "worker/net/overflow.h"

#include "worker/net/conn.h"
#include "worker/net/drops.h"
#include "worker/net/service.h"

static struct outq *
overflow_queue(struct conn *c)
{
	if (c->out == NULL)
		c->out = outq_new(&c->net->budget);
	return c->out;
}

/* A message is dropped: a client that can be told is told, in the place where
 * the message would have come. */
static void
overflow_tell(
    struct conn *c, uint32_t topic, uint64_t seq, struct outq_item *before)
{
	if (c->handler->dropped != NULL)
		c->handler->dropped(c, topic, seq, before);
}

/* Whether as many messages wait as may.  Answers are not counted, so that a
 * long history that a client asked for costs it no message. */
static bool
overflow_is_full(const struct conn *c, size_t len)
{
	const struct outq *q = c->out;

	/* One message may always wait, however long --max-message lets it be. */
	return q->messages >= c->buffer_max ||
	       (q->messages > 0 &&
		   q->bytes - q->answer_bytes + len > OVERFLOW_BYTES_MAX);
}

/* Under overflow=latest older messages make room. */
static void
overflow_make_room(struct conn *c, size_t len)
{
	struct outq_dropped dropped;

	while (overflow_is_full(c, len)) {
		if (!outq_drop_oldest(c->out, &dropped))
			return;
		drops_add(c, STATS_DROPS);
		overflow_tell(c, dropped.topic, dropped.seq, dropped.next);
	}
}

/* What happens if there is no room for a message of this topic. */
static uint8_t
overflow_of(const struct conn *c, uint32_t topic)
{
	const struct service *service = c->net->service;

	return service->overflow != NULL ? service->overflow(c, topic)
	                                 : c->overflow;
}

/* Whether a message of this length may wait.  If not, it counts as dropped. */
static bool
overflow_has_room(struct net *net, struct conn *c, uint8_t overflow, size_t len)
{
	overflow_queue(c);
	if (overflow == OUTQ_LATEST && c->buffer_max > 0)
		overflow_make_room(c, len);
	if (overflow_is_full(c, len)) {
		drops_add(c, STATS_DROPS);
		return false;
	}
	if (budget_has_room(&net->budget, BUDGET_OUTPUT, c->out->bytes, len,
		net->conns.count))
		return true;
	drops_add(c, STATS_DROPS_MEMORY);
	return false;
}

/* A full queue costs a message: deal with that as overflow_of() said.  Returns
 * false when the connection is being closed for it. */
static bool
overflow_drop_frame(
    struct net *net, struct conn *c, uint8_t overflow, uint32_t index)
{
	const struct arena_entry *frame = &net->arena.table[index];

	if (overflow != OUTQ_CLOSE) {
		overflow_tell(c, frame->topic, frame->seq, NULL);
		return true;
	}
	stats_add(&net->stats, STATS_SLOW_CLOSES, 1);
	c->handler->refuse(c, CONN_TOO_SLOW);
	return false;
}

/* Whether the connection follows the topic no more.  Then the message counts as
 * dropped. */
static bool
overflow_has_ended(struct conn *c, uint8_t overflow)
{
	if (overflow != OUTQ_ENDED)
		return false;
	drops_add(c, STATS_DROPS);
	return true;
}

/* Queue one frame if it is to wait.  Returns false when the connection is being
 * closed. */
static bool
overflow_queue_frame(struct net *net, struct conn *c, uint32_t index)
{
	const struct arena_entry *frame = &net->arena.table[index];
	size_t len = frame->end - arena_start(&net->arena, index);
	uint8_t overflow = overflow_of(c, frame->topic);

	if (overflow_has_ended(c, overflow))
		return true;
	if (!overflow_has_room(net, c, overflow, len))
		return overflow_drop_frame(net, c, overflow, index);
	/* An older one of the topic may have made that room. */
	if (overflow != OUTQ_LATEST ||
	    !overflow_has_ended(c, overflow_of(c, frame->topic)))
		outq_add_message(c->out, frame->topic, frame->seq,
		    arena_keep(&net->arena, index));
	return true;
}

/* Queue bytes of the arena that must be sent. */
static void
overflow_queue_bytes(struct net *net, struct conn *c, size_t start, size_t end)
{
	outq_add_answer(overflow_queue(c), net->arena.bytes.at + start,
	    (uint32_t)(end - start));
}

/* Queue the rest of one run.  `begun' bytes of its first frame are out already,
 * so the rest of that frame must follow whatever the limits say.  Returns false
 * when the connection is being closed. */
static bool
overflow_queue_run(
    struct net *net, struct conn *c, const struct outbox_run *r, size_t begun)
{
	const struct arena *arena = &net->arena;
	size_t start = arena_start(arena, r->first);
	uint32_t i = 0;

	if (r->replayed) {
		stats_add(&net->stats, STATS_MESSAGES_OUT, r->count);
		overflow_queue_bytes(net, c, start + begun,
		    arena_start(arena, r->first + r->count));
		return true;
	}
	if (begun > 0) {
		overflow_queue_bytes(
		    net, c, start + begun, arena->table[r->first].end);
		stats_add(&net->stats, STATS_MESSAGES_OUT, 1);
		i = 1;
	}
	for (; i < r->count; i++)
		if (!overflow_queue_frame(net, c, r->first + i))
			return false;
	return true;
}

void
overflow_queue_runs(struct net *net, struct conn *c, uint32_t run, size_t begun)
{
	while (run != 0) {
		const struct outbox_run *r = &net->outbox.runs[run - 1];

		if (!overflow_queue_run(net, c, r, begun))
			return;
		begun = 0;
		run = r->next;
	}
}
