/* SPDX-License-Identifier: MIT */
/* policed.c - see policed.h. */

#include "worker/requests/policed.h"

#include "common/clock.h"
#include "worker/delivery/policies.h"
#include "worker/requests/intake.h"

#define POLICED_SECOND_NS UINT64_C(1000000000)

/*
 * A topic's word says until when its messages are paid for, each of which takes
 * its part of a second: the generic cell rate algorithm (ITU-T I.371, annex A),
 * whose whole state is one number.  So whoever dies in between leaves one that is
 * good.  A number that no clock of this host can have led to counts as none.
 */
bool
policed_may_publish(struct hub *hub, uint32_t slot)
{
	const struct policy *policy = policy_of(hub, slot);
	struct layout_topic *topic = &hub->seg->topics[slot];
	uint64_t now, paid;

	if (policy->rate == 0)
		return true;
	now = clock_monotonic_ns();
	paid = topic->paid_ns;
	if (paid < now || paid > now + 2 * POLICED_SECOND_NS)
		paid = now;
	paid += POLICED_SECOND_NS / policy->rate;
	if (paid > now + POLICED_SECOND_NS) {
		stats_add(&hub->net->stats, STATS_REFUSED_TOPIC_RATE, 1);
		return false;
	}
	topic->paid_ns = paid;
	return true;
}

void
policed_complete(struct hub *hub, struct intake_op *op)
{
	const struct policy *policy = policy_of(hub, op->start.slot);
	struct intake_request *want = &op->want;

	if (want->is_ephemeral)
		return;
	if (!want->says_retain)
		want->retain = policy->retain;
	if (want->ttl_s == 0)
		want->ttl_s = policy->ttl_s;
}

void
policed_bound_past(struct hub *hub, struct intake_op *op)
{
	uint32_t most = policy_of(hub, op->start.slot)->history;
	struct subs_start *start = &op->start;

	op->past_max = most;
	if (op->want.kind == INTAKE_HISTORY && start->seq - start->base > most)
		start->base = start->seq - most;
}
