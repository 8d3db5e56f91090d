/* SPDX-License-Identifier: MIT */
/* commit.c - see commit.h. */

#include "worker/requests/commit.h"

#include "broker/shared/stamps.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/wakeup.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/config.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/net/rate.h"
#include "worker/requests/caller.h"
#include "worker/requests/granted.h"
#include "worker/requests/intake.h"

#include <string.h>

/* Publish what has been gathered.  Sealed: the server is leaving, and it is too
 * late for those. */
static void
commit_publish_gathered(struct hub *hub)
{
	struct intake *intake = hub->intake;
	uint32_t n = intake->msgs_count - intake->msgs_done;

	if (n == 0)
		return;
	if (intake->msgs_done == 0)
		stamps_add(hub->seg, intake->began_ns);
	if (ring_publish(&hub->ring, intake->msgs + intake->msgs_done, n) ==
	    RING_SEALED) {
		log_warnx("%u messages came too late: the ring is sealed", n);
		intake->msgs_count = intake->msgs_done;
		return;
	}
	intake->msgs_done = intake->msgs_count;
	stats_add(&hub->net->stats, STATS_MESSAGES_IN, n);
}

static void
commit_gather(struct hub *hub, struct intake_op *op)
{
	struct intake *intake = hub->intake;

	intake->msgs[intake->msgs_count++] = (struct ring_msg){
		.topic = op->start.slot,
		.body = intake_body(intake, op),
		.body_len = op->want.body_len,
		.time_ms = op->time_ms,
		.conn = op->conn->number,
	};
	op->msg = intake->msgs_count;
}

static struct sub *
commit_find_sub(const struct hub *hub, const struct intake_op *op)
{
	struct sub_topic *topic = subs_find(&hub->subs,
	    intake_topic(hub->intake, op), op->want.topic_len, op->hash);

	return topic != NULL
	           ? subs_find_of_client(&client_of(op->conn)->subs, topic)
	           : NULL;
}

static enum intake_result
commit_subscribe(struct hub *hub, struct intake_op *op)
{
	const char *name = intake_topic(hub->intake, op);
	struct sub *sub;

	commit_publish_gathered(hub);
	switch (subscribe_begin(hub, client_of(op->conn), name,
	    op->want.topic_len, op->hash, &op->start)) {
	case SUBS_OK:
		break;
	case SUBS_ALREADY:
		op->already = true;
		break;
	case SUBS_TOO_MANY:
		return INTAKE_TOO_MANY;
	case SUBS_HOLDS_TOO_MANY:
		return INTAKE_HOLDS_TOO_MANY;
	case SUBS_DIRECTORY_FULL:
		return INTAKE_DIRECTORY_FULL;
	}
	if (op->already && (op->want.has_since || op->want.has_limit))
		return INTAKE_RESUBSCRIBED;
	sub = commit_find_sub(hub, op);
	CHECK(sub != NULL);
	sub->no_echo = op->want.no_echo;
	if (!op->already)
		sub->begun_by = (uint16_t)(op - hub->intake->ops);
	return INTAKE_DONE;
}

/* Its answer is a place to resume from: behind what the client was sent or told,
 * which is not all that there is. */
static enum intake_result
commit_unsubscribe(struct hub *hub, struct intake_op *op)
{
	struct sub *sub = commit_find_sub(hub, op);

	if (sub == NULL)
		return INTAKE_NOT_SUBSCRIBED;
	commit_publish_gathered(hub);
	op->start.seq = replay_last_told(sub);
	subscribe_end(hub, sub);
	return INTAKE_DONE;
}

/* Publish to a topic with or without subscribers. */
static enum intake_result
commit_publish(struct hub *hub, struct intake_op *op)
{
	const char *name = intake_topic(hub->intake, op);
	struct sub_topic *topic;

	topic = subs_find(&hub->subs, name, op->want.topic_len, op->hash);
	if (topic != NULL) {
		op->start.slot = topic->slot;
	} else {
		op->start.slot =
		    topics_find(hub->seg, name, op->want.topic_len, op->hash);
		if (op->start.slot == TOPICS_NONE) {
			/* open-2: before the slot of a gathered message
			 * can become another topic's */
			commit_publish_gathered(hub);
			op->start.slot = topics_open(
			    hub->seg, name, op->want.topic_len, op->hash);
		}
	}
	if (op->start.slot == TOPICS_NONE) {
		stats_add(&hub->net->stats, STATS_DIRECTORY_FULL, 1);
		return INTAKE_DIRECTORY_FULL;
	}
	commit_gather(hub, op);
	return INTAKE_DONE;
}

static enum intake_result
commit_publish_one(struct hub *hub, struct intake_op *op)
{
	return hub->net->draining ? INTAKE_DRAINING : commit_publish(hub, op);
}

/* Subscribe the connection if it is not yet, then publish.  If it has closed
 * since, only publish.  Messages that were read before a drain are taken. */
static enum intake_result
commit_plain(struct hub *hub, struct intake_op *op)
{
	struct sub *sub = commit_find_sub(hub, op);
	enum intake_result result;

	/* From the beginning of a drain on, v1 clients are refused with an
	 * answer; plain ones cannot be told and are not even read then. */
	if (client_of(op->conn)->form != FORM_TEXT && hub->net->draining)
		return INTAKE_DRAINING;
	if (sub != NULL) {
		op->start.slot = sub->topic->slot;
	} else if (op->conn->state == CONN_OPEN) {
		result = commit_subscribe(hub, op);
		if (result != INTAKE_DONE)
			return result;
	} else {
		return commit_publish(hub, op);
	}
	commit_gather(hub, op);
	return INTAKE_DONE;
}

/* Where the topic of a request stands.  Returns false if it has no slot. */
static bool
commit_find_topic(
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
commit_walk_len(const struct hub *hub, const struct intake_op *op)
{
	const struct intake_request *want = &op->want;
	uint64_t most = hub->ring.capacity / sizeof(struct layout_record);
	struct subs_start start;
	uint64_t first;

	if (!commit_find_topic(hub, op, &start))
		return 0;
	first = start.seq + 1;
	if (want->has_before && want->before < first)
		first = want->before;
	if (!want->has_since)
		first = first > want->limit ? first - want->limit : 0;
	else if (!want->is_other_epoch && want->since < first)
		first = want->since;
	if (first < start.base)
		first = start.base;
	return start.seq + 1 - first < most ? start.seq + 1 - first : most;
}

/* Whether a request has to wait for another turn, because this turn has walked
 * over enough records.  The first one does not wait, nor one of a connection
 * that has closed. */
static bool
commit_must_defer(struct hub *hub, const struct intake_op *op)
{
	struct intake *intake = hub->intake;
	uint64_t len;

	if (!intake_reads_past(&op->want) || op->conn->state != CONN_OPEN)
		return false;
	len = commit_walk_len(hub, op);
	if (intake->walked > 0 && intake->walked + len > INTAKE_WALK_MAX)
		return true;
	intake->walked += len;
	return false;
}

/* How a topic stands, without making it. */
static enum intake_result
commit_look_up(struct hub *hub, struct intake_op *op)
{
	commit_publish_gathered(hub);
	if (!commit_find_topic(hub, op, &op->start))
		return INTAKE_NO_TOPIC;
	op->count = topics_subscribers(hub->seg, op->start.slot);
	return INTAKE_DONE;
}

/* Whether a request publishes where the one before it did, for the same client,
 * as most do that come together: then what was found out for that holds. */
static bool
commit_repeats(const struct hub *hub, const struct intake_op *op)
{
	const struct intake *intake = hub->intake;
	const struct intake_op *before;

	if (op == intake->ops)
		return false;
	before = op - 1;
	return before->msg != 0 && before->conn == op->conn &&
	       before->want.kind == op->want.kind &&
	       before->want.topic_len == op->want.topic_len &&
	       memcmp(intake_topic(intake, before), intake_topic(intake, op),
		   op->want.topic_len) == 0;
}

static enum intake_result
commit_request(struct hub *hub, struct intake_op *op)
{
	if (commit_repeats(hub, op)) {
		op->start.slot = op[-1].start.slot;
		commit_gather(hub, op);
		return INTAKE_DONE;
	}
	if (!granted(hub, op))
		return INTAKE_FORBIDDEN;
	op->hash = topics_hash(
	    hub->seg, intake_topic(hub->intake, op), op->want.topic_len);
	if (commit_must_defer(hub, op))
		return INTAKE_LATER;
	switch (op->want.kind) {
	case INTAKE_PLAIN:
		return commit_plain(hub, op);
	case INTAKE_SUBSCRIBE:
		return op->conn->state == CONN_OPEN ? commit_subscribe(hub, op)
		                                    : INTAKE_DONE;
	case INTAKE_UNSUBSCRIBE:
		return commit_unsubscribe(hub, op);
	case INTAKE_PUBLISH:
		return commit_publish_one(hub, op);
	case INTAKE_PRESENCE:
	case INTAKE_HISTORY:
	case INTAKE_TOPIC:
		return commit_look_up(hub, op);
	case INTAKE_AUTH:
		return caller_become(op->conn, op->want.identity)
		           ? INTAKE_DONE
		           : INTAKE_FORBIDDEN;
	case INTAKE_PING:
	case INTAKE_ERROR:
	case INTAKE_WAIT:
		break;
	}
	return INTAKE_DONE;
}

/* Note the numbers of the gathered messages, which are in the ring by now or
 * were refused. */
static void
commit_note_numbers(struct hub *hub)
{
	struct intake *intake = hub->intake;

	for (uint32_t i = 0; i < intake->count; i++) {
		struct intake_op *op = &intake->ops[i];

		if (op->msg == 0)
			continue;
		if (op->msg > intake->msgs_done) {
			op->result = INTAKE_DRAINING;
			continue;
		}
		op->start.seq = intake->msgs[op->msg - 1].seq;
		if (op->want.wants_count)
			op->count =
			    topics_subscribers(hub->seg, op->start.slot);
	}
}

static void
commit_requests(struct hub *hub)
{
	struct intake *intake = hub->intake;

	intake->walked = 0;
	for (uint32_t i = 0; i < intake->count; i++)
		intake->ops[i].result = commit_request(hub, &intake->ops[i]);
	commit_publish_gathered(hub);
	commit_note_numbers(hub);
}

/* Wake the workers that have subscribers for the published messages. */
static void
commit_wake(struct hub *hub)
{
	struct intake *intake = hub->intake;
	uint64_t who;

	stop_point_here(hub->seg->header, STOP_BEFORE_WAKE);
	if (intake->msgs_done == 0)
		return;
	who = ring_interest(&hub->ring, intake->msgs, intake->msgs_done);
	stats_add(&hub->net->stats, STATS_WAKEUPS_SENT,
	    wakeup_wake(hub->wakeup, who));
}

static void
commit_answer(struct hub *hub, const struct intake_op *op)
{
	/* The search in vain read a bit of every slot under the lock: charge
	 * the connection for it, a word of 64 bits as if it were a record. */
	if (op->result == INTAKE_DIRECTORY_FULL)
		rate_charge(op->conn, hub->net->config->max_topics / 64);
	if (op->want.answer != NULL && op->conn->state == CONN_OPEN)
		op->want.answer(hub, op);
}

void
commit_turn(struct hub *hub)
{
	struct intake *intake = hub->intake;

	if (intake->count > 0 && ring_lock(&hub->ring) == RING_BUSY) {
		intake_retry(hub);
		return;
	}
	intake->commits++;
	if (intake->count == 0)
		return;
	if (intake->msgs_max < intake->count) {
		intake->msgs_max = intake->count;
		intake->msgs = xreallocarray(
		    intake->msgs, intake->msgs_max, sizeof(*intake->msgs));
	}
	intake->msgs_count = intake->msgs_done = 0;
	commit_requests(hub);
	ring_unlock(&hub->ring);
	commit_wake(hub);
	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->ops[i].result != INTAKE_LATER)
			commit_answer(hub, &intake->ops[i]);
	intake_release(hub);
}
