/* SPDX-License-Identifier: MIT */
/* replay.c - see replay.h. */

#include "worker/delivery/replay.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/delivery/ending.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/pace.h"
#include "worker/net/outbox.h"

#include <stdlib.h>
#include <string.h>

void
replays_init(struct replays *replays, uint64_t record_max)
{
	memset(replays, 0, sizeof(*replays));
	TAILQ_INIT(&replays->ready);
	replays->size = record_max;
	replays->bytes = xmalloc(record_max);
}

void
replays_fini(struct replays *replays)
{
	CHECK(replays->count == 0);
	free(replays->bytes);
}

void
replay_plan(struct hub *hub, const struct subs_start *start, uint64_t first,
    struct chain *chain)
{
	chain_init(chain, hub->seg, start->slot, start->seq, start->pos);
	chain_walk(chain, first > start->base ? first : start->base + 1);
}

static void
replay_set_ready(struct hub *hub, struct replay *r, bool ready)
{
	if (r->ready == ready)
		return;
	r->ready = ready;
	if (ready)
		TAILQ_INSERT_TAIL(&hub->replays->ready, r, link);
	else
		TAILQ_REMOVE(&hub->replays->ready, r, link);
}

static void
replay_free(struct hub *hub, struct replay *r)
{
	replay_set_ready(hub, r, false);
	chain_fini(&r->chain);
	hub->replays->count--;
	free(r);
}

void
replay_cancel(struct hub *hub, struct sub *sub)
{
	CHECK(sub->replaying);
	sub->replaying = false;
	replay_free(hub, sub->replay);
	sub->replay = NULL;
}

void
replay_begin_at(
    struct hub *hub, struct sub *sub, struct chain *chain, uint64_t next)
{
	struct replay *r = xcalloc(1, sizeof(*r));

	/* resume_find_begun() finds only a subscription that has just begun. */
	CHECK(!sub->replaying);
	r->sub = sub;
	r->chain = *chain;
	r->next = next;
	sub->replaying = true;
	sub->fresh = false;
	sub->replay = r;
	hub->replays->count++;
	replay_set_ready(hub, r, true);
	hub->net->more = true;
}

void
replay_begin(struct hub *hub, struct sub *sub, struct chain *chain)
{
	replay_begin_at(hub, sub, chain, chain->low);
}

/* From number seq + 1 on the subscription is live. */
static void
replay_end(struct hub *hub, struct sub *sub, uint64_t seq)
{
	replay_cancel(hub, sub);
	sub->seen = seq;
}

uint64_t
replay_lapped(struct sub *sub, uint64_t seq)
{
	uint64_t from = sub->replay->next;

	replay_end(hub_of(&sub->client->conn), sub, seq);
	if (from > seq)
		return 0;
	gap_tell(sub, from, seq, GAP_LAPPED);
	return seq - from + 1;
}

uint64_t
replay_last_told(const struct sub *sub)
{
	return sub->replaying ? sub->replay->next - 1
	       : sub->paced   ? sub->pace->told
	                      : sub->seen;
}

void
replays_resume(struct conn *c)
{
	struct hub *hub = hub_of(c);
	struct sub *sub;

	if (hub->replays->count == 0)
		return;
	SLIST_FOREACH(sub, &client_of(c)->subs, link)
		if (sub->replaying) {
			replay_set_ready(hub, sub->replay, true);
			hub->net->more = true;
		}
}

/*
 * This chain's messages are sent, up to the topic's end when the chain was
 * made.  Go on with the messages that came since, or go live.  Returns whether
 * it goes on.
 */
static bool
replay_next_chain(struct hub *hub, struct replay *r)
{
	struct sub *sub = r->sub;
	struct sub_topic *topic = sub->topic;

	/* resume-4: not before it was sent everything that was tailed here */
	if (topic->seq < r->next) {
		replay_end(hub, sub, r->next - 1);
		return false;
	}
	/* resume-3: from the last record tailed, not from the directory's */
	chain_fini(&r->chain);
	chain_init(&r->chain, hub->seg, topic->slot, topic->seq, topic->pos);
	chain_walk(&r->chain, r->next);
	hub->replays->walked += r->chain.seq + 1 - r->chain.low;
	return true;
}

/* Numbers from r->next to `to' are gone: say so in their place. */
static void
replay_put_gap(struct hub *hub, struct replay *r, uint64_t to)
{
	const struct sub *sub = r->sub;

	hub_put_gap(
	    hub, sub->client->form, sub->topic, r->next, to, GAP_EXPIRED);
	r->next = to + 1;
	ending_begin(hub, r->sub);
}

static enum ring_status
replay_read(
    struct hub *hub, struct replay *r, uint64_t number, struct ring_record *rec)
{
	return chain_read(
	    &r->chain, number, hub->replays->bytes, hub->replays->size, rec);
}

/* Number r->next has been overwritten since the walk, and so have all before
 * it.  Find where the numbers begin that the ring still has.  Returns the last
 * number that is gone. */
static uint64_t
replay_last_gone(struct hub *hub, struct replay *r)
{
	uint64_t gone = r->next, left = r->chain.seq + 1;
	struct ring_record rec;

	while (left - gone > 1) {
		uint64_t middle = gone + (left - gone) / 2;

		if (replay_read(hub, r, middle, &rec) == RING_LAPPED)
			gone = middle;
		else
			left = middle;
	}
	return gone;
}

/* The time of number r->next is over: tell it, and those behind it that are as
 * old, as a gap. */
static void
replay_put_expired(struct hub *hub, struct replay *r)
{
	uint64_t to = r->next;
	struct ring_record rec;

	while (to < r->chain.seq && to - r->next < REPLAY_TURN_RECORDS &&
	       replay_read(hub, r, to + 1, &rec) == RING_OK &&
	       ring_expired(rec.expires_ms))
		to++;
	stats_add(&hub->net->stats, STATS_EXPIRED, to - r->next + 1);
	replay_put_gap(hub, r, to);
}

/* Put one number into the turn's frames: its message, or a gap. */
static void
replay_put(struct hub *hub, struct replay *r)
{
	struct ring_record rec;

	if (r->next < r->chain.low) {
		replay_put_gap(hub, r, r->chain.low - 1);
		return;
	}
	switch (replay_read(hub, r, r->next, &rec)) {
	case RING_OK:
		if (ring_expired(rec.expires_ms)) {
			replay_put_expired(hub, r);
			return;
		}
		/* For one client alone: it is not compressed (pack.h). */
		hub_put_record(
		    hub, form_base(r->sub->client->form), r->sub->topic, &rec);
		r->next++;
		return;
	case RING_LAPPED:
		replay_put_gap(hub, r, replay_last_gone(hub, r));
		return;
	case RING_CORRUPT:
	case RING_BUSY:
	case RING_SEALED:
	case RING_EMPTY:
		BUG("a topic's chain leads to a foreign record");
	}
}

/* Send one subscription its piece. */
static void
replay_send(struct hub *hub, struct replay *r)
{
	struct conn *c = &r->sub->client->conn;
	uint32_t first = hub->net->arena.count;
	size_t start = hub->net->arena.bytes.len;

	while (!r->sub->is_over &&
	       hub->net->arena.count - first < hub->replays->turn_records &&
	       hub->net->arena.bytes.len - start < hub->replays->turn_bytes) {
		if (r->next > r->chain.seq && !replay_next_chain(hub, r)) {
			r = NULL;
			break;
		}
		replay_put(hub, r);
	}
	if (hub->net->arena.count > first)
		outbox_replay(
		    &hub->net->outbox, c, first, hub->net->arena.count - first);
	if (r != NULL) {
		replay_set_ready(hub, r, false); /* to the end of the line */
		replay_set_ready(hub, r, true);
	}
}

/* Whether the replay can send anything now.  A connection gets one piece in a
 * turn, or all its subscriptions together would fill its queue. */
static bool
replay_turn(struct hub *hub, struct replay *r)
{
	struct conn *c = &r->sub->client->conn;

	if (c->out != NULL) {
		replay_set_ready(hub, r, false); /* until conn_written() */
		return false;
	}
	if (outbox_is_replayed(&hub->net->outbox, c))
		return false;
	replay_send(hub, r);
	return true;
}

void
replays_turn(struct hub *hub)
{
	struct replays *all = hub->replays;
	struct replay *last = TAILQ_LAST(&all->ready, replay_list);
	struct replay *r, *next = TAILQ_FIRST(&all->ready);
	size_t began = hub->net->arena.bytes.len;
	uint32_t served = 0;

	all->walked = 0;
	all->turn_bytes = REPLAY_TURN_BYTES + 2 * hub->net->arena.bytes.len;
	all->turn_records =
	    REPLAY_TURN_RECORDS + 2 * (size_t)hub->net->arena.count;
	/* Serve each once at most: its piece of this turn is not written
	 * yet. */
	for (uint32_t i = 0; i < REPLAY_TURN_LOOKS && next != NULL; i++) {
		r = next;
		next = r != last ? TAILQ_NEXT(r, link) : NULL;
		if (replay_turn(hub, r) && ++served == REPLAY_TURN_SUBS)
			break;
		if (all->walked >= REPLAY_TURN_WALK ||
		    hub->net->arena.bytes.len - began >=
			REPLAY_TURN_ALL + 2 * began)
			break;
	}
	if (!TAILQ_EMPTY(&all->ready))
		hub->net->more = true;
}
