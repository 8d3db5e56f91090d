/* SPDX-License-Identifier: MIT */
/* past.c - see past.h. */

#include "worker/requests/past.h"

#include "broker/ring/topics.h"
#include "worker/requests/intake.h"
#include "worker/requests/last.h"
#include "worker/requests/presence.h"

bool
past_find_topic(
    const struct hub *hub, const struct intake_op *op, struct subs_start *start)
{
	uint32_t slot = topics_find(hub->seg, intake_topic(hub->intake, op),
	    op->want.topic_len, op->hash);

	if (slot == TOPICS_NONE)
		return false;
	topic_snapshot(hub->seg, slot, start);
	return true;
}

/* Records that a request for the past will visit, at most: from the newest
 * back to the one before the first that is wanted. */
static uint64_t
past_walk_len(const struct hub *hub, const struct intake_op *op)
{
	const struct intake_request *want = &op->want;
	uint64_t most = hub->ring.capacity / sizeof(struct layout_record);
	struct subs_start start;
	uint64_t first;

	if (want->kind == INTAKE_PRESENCE)
		return presence_walk_len(hub, want);
	if (want->kind == INTAKE_SUBSCRIBE && !want->has_since &&
	    !want->has_limit)
		return 0; /* its last value alone */
	if (!past_find_topic(hub, op, &start))
		return 0;
	first = start.seq + 1;
	if (want->has_before && want->before < first)
		first = want->before;
	if (!want->has_since)
		first = first > want->limit ? first - want->limit : 0;
	else if (!want->is_other_epoch && want->since < first)
		first = want->since;
	else if (want->is_other_epoch && want->since_place != 0)
		first = start.base; /* its number here is not known yet */
	if (first < start.base)
		first = start.base;
	return start.seq + 1 - first < most ? start.seq + 1 - first : most;
}

bool
past_must_wait(struct hub *hub, const struct intake_op *op)
{
	struct intake *intake = hub->intake;
	uint64_t len;

	if (!intake_reads_past(&op->want) || op->conn->state != CONN_OPEN)
		return false;
	len = op->want.kind == INTAKE_LAST ? 0 : past_walk_len(hub, op);
	if (op->want.last || op->want.kind == INTAKE_LAST)
		len += last_cost(hub, op);
	if (!op->want.follows && intake->walked > 0 &&
	    intake->walked + len > INTAKE_WALK_MAX)
		return true;
	intake->walked += len;
	return false;
}
