/* SPDX-License-Identifier: MIT */
/* resume.c - see resume.h. */

#include "worker/requests/resume.h"

#include "worker/net/rate.h"
#include "worker/requests/intake.h"
#include "worker/requests/last.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/lost.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/replay.h"

#include <string.h>

/* The first number that the subscription wants to see again. */
static uint64_t
resume_wanted(const struct intake_op *op)
{
	const struct subs_start *start = &op->start;

	if (op->want.has_since)
		return op->want.since + 1;
	if (start->seq - start->base > op->want.limit)
		return start->seq - op->want.limit + 1;
	return start->base + 1;
}

/* The first number that the topic's history goes back to. */
static uint64_t
resume_first(const struct intake_op *op)
{
	const struct subs_start *start = &op->start;

	return start->seq - start->base > op->past_max
	           ? start->seq - op->past_max + 1
	           : start->base + 1;
}

/* Whether the client cannot have been where it says: in another ring's life, or
 * at a number that this life of the topic has not given. */
static bool
resume_is_lost(const struct intake_op *op)
{
	return op->want.has_since &&
	       (op->want.is_other_epoch || op->want.since > op->start.seq ||
		   op->want.since < op->start.base);
}

/* Whether the client goes on with another host's messages: by their place. */
static bool
resume_is_by_place(const struct intake_op *op)
{
	return op->want.has_since && op->want.is_other_epoch &&
	       op->want.since_place != 0;
}

/* At most one message in some time: of what comes behind a place there is no
 * replay, but it counts. */
static void
resume_pace_place(struct resume *resume, uint64_t seq)
{
	resume->wanted = resume->chain.low;
	chain_fini(&resume->chain);
	resume->how = RESUME_NEWEST;
	resume->replayed = seq + 1 - resume->wanted;
	resume->recovered &= resume->replayed <= 1;
}

/* Of another host, behind a place of the log that both have. */
static void
resume_plan_place(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	if (op->withheld) {
		resume->how = RESUME_GAP;
		resume->reason = GAP_WITHHELD;
		return;
	}
	chain_init(&resume->chain, hub->seg, op->start.slot, op->start.seq,
	    op->start.pos);
	resume->recovered =
	    chain_walk_place(&resume->chain, op->want.since_place) ||
	    (resume->chain.low == 1 && op->start.base == 0 &&
		op->want.since_place >=
		    atomic_load(&hub->seg->header->cluster.joined));
	resume->recovered &= op->want.since_place >= lost_place(hub->seg);
	resume->is_short = !resume->recovered;
	if (op->want.every_ms != 0) {
		resume_pace_place(resume, op->start.seq);
		return;
	}
	resume->how = RESUME_REPLAY;
	resume->wanted = resume->chain.low;
	resume->replayed = op->start.seq + 1 - resume->chain.low;
	rate_charge(op->conn, resume->replayed);
}

static void
resume_plan_replay(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	uint64_t from;

	if (op->withheld) {
		resume->how = RESUME_WITHHELD;
		resume->recovered = op->want.since == op->start.seq;
		return;
	}
	resume->wanted = resume_wanted(op);
	if (op->want.every_ms != 0) {
		resume->how = RESUME_NEWEST;
		resume->replayed = op->start.seq + 1 - resume->wanted;
		resume->recovered = resume->replayed <= 1;
		return;
	}
	resume->how = RESUME_REPLAY;
	from = resume_first(op);
	/* resume-1: from the pair that was read under the lock */
	replay_plan(hub, &op->start,
	    resume->wanted > from ? resume->wanted : from, &resume->chain);
	resume->replayed = op->start.seq + 1 - resume->chain.low;
	resume->recovered =
	    resume->chain.low <= resume->wanted && resume->chain.expired == 0;
	rate_charge(op->conn, resume->replayed);
}

/* Whether messages of another host may have been lost since the client was where it
 * says, in this ring.  Who does not say its place cannot be told. */
static bool
resume_crosses_loss(const struct hub *hub, const struct intake_op *op)
{
	return op->want.has_since && op->want.since_place != 0 &&
	       op->want.since_place < lost_place(hub->seg);
}

/* The subscription that a request has begun, or NULL: a later one of the same
 * turn may have ended it already, and begun another. */
static struct sub *
resume_find_begun(const struct hub *hub, const struct intake_op *op)
{
	struct sub_topic *topic = subs_find(&hub->subs,
	    intake_topic(hub->intake, op), op->want.topic_len, op->hash);
	struct sub *sub = topic != NULL ? subs_find_of_client(
					      &client_of(op->conn)->subs, topic)
	                                : NULL;

	if (sub == NULL || sub->begun_by != (uint16_t)(op - hub->intake->ops))
		return NULL;
	return sub;
}

void
resume_plan(struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	memset(resume, 0, sizeof(*resume));
	resume->sub = resume_find_begun(hub, op);
	if (resume->sub == NULL || (!op->want.has_since && !op->want.has_limit))
		return;
	if (resume_is_by_place(op)) {
		resume_plan_place(hub, op, resume);
	} else if (resume_is_lost(op)) {
		resume->how = RESUME_GAP;
		resume->reason = !op->want.is_other_epoch ? GAP_UNKNOWN
		                 : op->want.has_place && hub->waiting != NULL
		                     ? GAP_CLUSTER
		                     : GAP_EPOCH;
	} else {
		resume_plan_replay(hub, op, resume);
		resume->has_lost = resume_crosses_loss(hub, op);
		resume->recovered &= !resume->has_lost;
	}
}

/* Send the topic's last value, which was copied for the request. */
static void
resume_send_last(struct hub *hub, struct sub *sub, struct ring_record *rec,
    const struct intake_op *op)
{
	struct conn *c = op->conn;
	const struct form *form = hub->forms[sub->client->form];
	struct buf text;

	/* The id of an event is where its follower goes on. */
	if (sub->client->form == FORM_EVENT || sub->client->form == FORM_CHUNK)
		rec->seq = op->start.seq;
	buf_init(&text);
	form_put_message(form, &text, rec, sub->topic, hub->seg->header->epoch);
	conn_answer(c, text.at, text.len);
	buf_fini(&text);
	stats_add(&c->net->stats, STATS_MESSAGES_OUT, 1);
}

/* The last value of the topic, if it was asked for and does not come anyway:
 * numbers from `first' on do. */
static bool
resume_has_last(struct hub *hub, const struct intake_op *op, uint64_t first,
    struct ring_record *rec)
{
	return last_get(hub, op, rec) && rec->seq < first;
}

/* Tell the numbers before the replay that are gone, and in their midst the last
 * value, whose text is not. */
static void
resume_tell_gone(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	uint64_t from = resume->wanted, low = resume->chain.low;
	struct ring_record rec;

	if (resume_has_last(hub, op, low, &rec) && rec.seq >= from) {
		if (rec.seq > from)
			gap_tell(resume->sub, from, rec.seq - 1, GAP_EXPIRED);
		from = rec.seq + 1;
		resume_send_last(hub, resume->sub, &rec, op);
	}
	if (low > from)
		gap_tell(resume->sub, from, low - 1, GAP_EXPIRED);
}

static void
resume_begin_replay(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	struct ring_record rec;

	/* resume-2: numbers that are gone are told in their place */
	if (resume->is_short)
		gap_tell(resume->sub, 0, resume->chain.low - 1, GAP_EXPIRED);
	else if (op->want.has_since)
		resume_tell_gone(hub, op, resume);
	else if (resume_has_last(hub, op, resume->chain.low, &rec))
		resume_send_last(hub, resume->sub, &rec, op);
	if (resume->replayed > 0)
		replay_begin(hub, resume->sub, &resume->chain);
	else
		chain_fini(&resume->chain);
}

static void
resume_begin_now(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	struct ring_record rec;

	if (resume->how != RESUME_LIVE)
		resume->sub->fresh = false;
	if (resume->has_lost)
		gap_tell(resume->sub, 0, op->want.since, GAP_LOST);
	switch (resume->how) {
	case RESUME_LIVE:
		if (resume->sub != NULL &&
		    resume_has_last(hub, op, UINT64_MAX, &rec))
			resume_send_last(hub, resume->sub, &rec, op);
		break;
	case RESUME_NEWEST:
		if (resume->is_short)
			gap_tell(
			    resume->sub, 0, resume->wanted - 1, GAP_EXPIRED);
		if (resume_has_last(hub, op, resume->wanted, &rec) &&
		    !op->want.has_since)
			resume_send_last(hub, resume->sub, &rec, op);
		break;
	case RESUME_REPLAY:
		resume_begin_replay(hub, op, resume);
		break;
	case RESUME_WITHHELD:
		if (!resume->recovered)
			gap_tell(resume->sub, op->want.since + 1, op->start.seq,
			    GAP_WITHHELD);
		break;
	case RESUME_GAP:
		gap_tell(resume->sub, 0, op->start.seq, resume->reason);
		if (resume_has_last(hub, op, UINT64_MAX, &rec))
			resume_send_last(hub, resume->sub, &rec, op);
		break;
	}
}

/* From now on the subscription gets at most one message in its time. */
static void
resume_pace(
    struct hub *hub, const struct intake_op *op, const struct resume *resume)
{
	struct sub *sub = resume->sub;
	uint64_t told =
	    resume->how == RESUME_NEWEST ? resume->wanted - 1 : op->start.seq;

	pace_begin(hub, sub, told, op->want.every_ms,
	    op->last != 0 ? op->want.every_ms : 0);
	pace_note(hub, sub, op->start.seq, op->start.pos);
}

void
resume_begin(struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	resume_begin_now(hub, op, resume);
	if (op->want.every_ms != 0 && resume->sub != NULL)
		resume_pace(hub, op, resume);
}

void
resume_begin_at(struct hub *hub, const struct intake_op *op,
    struct resume *resume, uint64_t next)
{
	resume->sub->fresh = false;
	if (next > op->start.seq)
		chain_fini(&resume->chain);
	else
		replay_begin_at(hub, resume->sub, &resume->chain, next);
}

void
resume_begin_live(struct resume *resume)
{
	if (resume->sub != NULL)
		resume->sub->fresh = false;
	if (resume->how == RESUME_REPLAY)
		chain_fini(&resume->chain);
}
