/* SPDX-License-Identifier: MIT */
/* resume.c - see resume.h. */

#include "worker/requests/resume.h"

#include "worker/net/rate.h"
#include "worker/requests/intake.h"
#include "worker/delivery/gap.h"
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

/* Whether the client cannot have been where it says: in another ring's life, or
 * at a number that this life of the topic has not given. */
static bool
resume_is_lost(const struct intake_op *op)
{
	return op->want.has_since &&
	       (op->want.is_other_epoch || op->want.since > op->start.seq ||
		   op->want.since < op->start.base);
}

static void
resume_plan_replay(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	if (op->withheld) {
		resume->how = RESUME_WITHHELD;
		resume->recovered = op->want.since == op->start.seq;
		return;
	}
	resume->how = RESUME_REPLAY;
	resume->wanted = resume_wanted(op);
	/* resume-1: from the pair that was read under the lock */
	replay_plan(hub, &op->start, resume->wanted, &resume->chain);
	resume->replayed = op->start.seq + 1 - resume->chain.low;
	resume->recovered = resume->chain.low <= resume->wanted;
	rate_charge(op->conn, resume->replayed);
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
	if (resume_is_lost(op)) {
		resume->how = RESUME_GAP;
		resume->reason =
		    op->want.is_other_epoch ? GAP_EPOCH : GAP_UNKNOWN;
	} else {
		resume_plan_replay(hub, op, resume);
	}
}

static void
resume_begin_replay(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	/* resume-2: numbers that are gone are told in their place */
	if (op->want.has_since && !resume->recovered)
		gap_tell(resume->sub, resume->wanted, resume->chain.low - 1,
		    GAP_EXPIRED);
	if (resume->replayed > 0)
		replay_begin(hub, resume->sub, &resume->chain);
	else
		chain_fini(&resume->chain);
}

void
resume_begin(struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	switch (resume->how) {
	case RESUME_LIVE:
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
		break;
	}
}
