/* SPDX-License-Identifier: MIT */
/* settle.c - see settle.h. */

#include "worker/requests/settle.h"

#include "broker/ring/ring_cluster.h"
#include "broker/ring/topics.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/wakeup.h"
#include "common/config.h"
#include "worker/delivery/attend.h"
#include "worker/net/rate.h"
#include "worker/requests/intake.h"
#include "worker/requests/log_mode.h"

/* What has become of a request's message, whose number is known by now. */
static void
settle_number(struct hub *hub, struct intake_op *op)
{
	struct intake *intake = hub->intake;

	if (op->msg > intake->msgs_done) {
		op->result = INTAKE_DRAINING;
		hub->awaited -= op->awaits;
		return;
	}
	op->start.seq = intake->msgs[op->msg - 1].seq;
	op->out = intake->msgs[op->msg - 1].out;
	if (op->awaits)
		op->result = INTAKE_WAITING;
}

void
settle_numbers(struct hub *hub)
{
	struct intake *intake = hub->intake;

	for (uint32_t i = 0; i < intake->count; i++) {
		struct intake_op *op = &intake->ops[i];

		if (op->msg != 0)
			settle_number(hub, op);
		/* A duplicate is answered as it was the first time. */
		if (op->want.wants_count && op->result == INTAKE_DONE &&
		    (op->msg != 0 || op->duplicate))
			op->count =
			    topics_subscribers(hub->seg, op->start.slot);
	}
}

void
settle_wake(struct hub *hub)
{
	struct intake *intake = hub->intake;
	uint64_t who = hub->attend->wake | log_mode_take_wake(hub);

	stop_point_here(hub->seg->header, STOP_BEFORE_WAKE);
	if (intake->msgs_done == 0 && who == 0)
		return;
	if (hub->waiting != NULL)
		who |= ring_outbox_interest(&hub->ring);
	if (hub->waiting == NULL || hub->is_local)
		who |=
		    ring_interest(&hub->ring, intake->msgs, intake->msgs_done);
	hub->attend->wake = 0;
	stats_add(&hub->net->stats, STATS_WAKEUPS_SENT,
	    wakeup_wake(hub->wakeup, who));
}

static void
settle_answer(struct hub *hub, const struct intake_op *op)
{
	/* The search in vain read a bit of every slot under the lock: charge
	 * the connection for it, a word of 64 bits as if it were a record. */
	if (op->result == INTAKE_DIRECTORY_FULL)
		rate_charge(op->conn, hub->net->config->max_topics / 64);
	if (op->result == INTAKE_CLUSTER_DOWN)
		stats_add(&hub->net->stats, STATS_CLUSTER_REFUSED, 1);
	if (op->want.answer != NULL && op->conn->state == CONN_OPEN)
		op->want.answer(hub, op);
}

void
settle_answers(struct hub *hub)
{
	const struct intake *intake = hub->intake;

	for (uint32_t i = 0; i < intake->count; i++)
		if (!intake_stays(intake->ops[i].result))
			settle_answer(hub, &intake->ops[i]);
}
