/* SPDX-License-Identifier: MIT */
/* commit.c - see commit.h. */

#include "worker/requests/commit.h"

#include "broker/shared/stamps.h"
#include "broker/ring/ring_cluster.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/lost.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/requests/caller.h"
#include "worker/requests/extras.h"
#include "worker/requests/pattern_request.h"
#include "worker/requests/granted.h"
#include "worker/requests/intake.h"
#include "worker/requests/last.h"
#include "worker/requests/log_mode.h"
#include "worker/requests/past.h"
#include "worker/requests/policed.h"
#include "worker/requests/presence.h"
#include "worker/requests/settle.h"
#include "worker/requests/waiting.h"

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

/* Note the message that is to be published; op->start.slot is its topic's.
 * Returns INTAKE_DONE, or why it cannot be. */
static enum intake_result
commit_gather(struct hub *hub, struct intake_op *op)
{
	struct intake *intake = hub->intake;
	const bool must_look = extras_must_look(hub, &op->want);
	const struct layout_extra *extra;
	enum intake_result result;

	if (must_look)
		commit_publish_gathered(hub); /* it may have the same key */
	extra = extras_of(hub, op);
	if (must_look) {
		result = extras_admit(hub, op, extra);
		if (result != INTAKE_DONE || op->duplicate)
			return result;
	}
	intake->msgs[intake->msgs_count] = (struct ring_msg){
		.topic = op->start.slot,
		.body = intake_body(intake, op),
		.body_len = op->want.body_len,
		.time_ms = op->time_ms,
		.conn = op->conn->number,
		.flags = op->want.is_ephemeral ? RECORD_EPHEMERAL : 0,
		.extra = extra,
	};
	if (hub->waiting != NULL) {
		intake->msgs[intake->msgs_count].mark =
		    hub->is_local ? &ring_local : &ring_to_outbox;
		op->awaits = waiting_begin(hub, op);
	}
	op->msg = ++intake->msgs_count;
	return INTAKE_DONE;
}

/* Publish it, if its topic takes another message now. */
static enum intake_result
commit_take(struct hub *hub, struct intake_op *op)
{
	if (!policed_may_publish(hub, op->start.slot))
		return INTAKE_TOO_FAST;
	policed_complete(hub, op);
	return commit_gather(hub, op);
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
	case SUBS_TOO_MANY_MEMBERS:
		return INTAKE_TOO_MANY_MEMBERS;
	case SUBS_HOLDS_TOO_MANY:
		return INTAKE_HOLDS_TOO_MANY;
	case SUBS_DIRECTORY_FULL:
		return INTAKE_DIRECTORY_FULL;
	}
	if (op->already && op->want.follows)
		return INTAKE_DONE;
	if (op->already && (op->want.has_since || op->want.has_limit ||
			       op->want.last || op->want.every_ms != 0))
		return INTAKE_RESUBSCRIBED;
	if (op->want.last)
		last_look(hub, op);
	sub = commit_find_sub(hub, op);
	CHECK(sub != NULL);
	if (hub->waiting != NULL)
		op->place = waiting_place(hub);
	sub->no_echo = op->want.no_echo;
	policed_bound_past(hub, op);
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
	return commit_take(hub, op);
}

static enum intake_result
commit_publish_one(struct hub *hub, struct intake_op *op)
{
	if (log_mode_refuses(hub))
		return INTAKE_CLUSTER_DOWN;
	return hub->net->draining ? INTAKE_DRAINING : commit_publish(hub, op);
}

/* Subscribe the connection if it is not yet, then publish.  If it has closed
 * since, only publish.  Messages that were read before a drain are taken. */
static enum intake_result
commit_plain(struct hub *hub, struct intake_op *op)
{
	struct sub *sub = commit_find_sub(hub, op);
	enum intake_result result;

	if (log_mode_refuses(hub))
		return INTAKE_CLUSTER_DOWN;
	/* From the beginning of a drain on, v1 clients are refused with an
	 * answer; plain ones cannot be told and are not even read then. */
	if (form_base(client_of(op->conn)->form) != FORM_TEXT &&
	    hub->net->draining)
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
	return commit_take(hub, op);
}

/* How a topic stands, without making it. */
static enum intake_result
commit_look_up(struct hub *hub, struct intake_op *op)
{
	commit_publish_gathered(hub);
	if (!past_find_topic(hub, op, &op->start))
		return INTAKE_NO_TOPIC;
	policed_bound_past(hub, op);
	op->count = topics_subscribers(hub->seg, op->start.slot);
	return INTAKE_DONE;
}

/* Who is there, and whether the client is told of changes. */
static enum intake_result
commit_presence(struct hub *hub, struct intake_op *op)
{
	struct sub *sub = commit_find_sub(hub, op);
	enum intake_result result;

	if (presence_asks_hosts(hub, op, sub))
		return waiting_begin_to_ask(op);
	result = commit_look_up(hub, op);
	return presence_ask(hub, op, sub, result == INTAKE_DONE);
}

/* The same as a request of its own. */
static enum intake_result
commit_topic(struct hub *hub, struct intake_op *op)
{
	enum intake_result result;

	if (presence_asks_hosts(hub, op, NULL))
		return waiting_begin_to_ask(op);
	result = commit_look_up(hub, op);
	return op->is_back ? presence_of_hosts(hub, op, result == INTAKE_DONE)
	                   : result;
}

static enum intake_result
commit_last(struct hub *hub, struct intake_op *op)
{
	commit_publish_gathered(hub);
	last_look(hub, op);
	return op->last != 0 ? INTAKE_DONE : INTAKE_NO_TOPIC;
}

/* Whether a request came in one message with the one before it, and that was put
 * off: then so is this one.  (Elsewhere a client is not read behind a request
 * that may be.) */
static bool
commit_follows_late(const struct intake *intake, const struct intake_op *op)
{
	return op->want.is_behind && op > intake->ops &&
	       op[-1].conn == op->conn && op[-1].result == INTAKE_LATER;
}

static enum intake_result
commit_request(struct hub *hub, struct intake_op *op)
{
	if (op->is_back && !presence_may_ask_hosts(&op->want))
		return waiting_result(hub, op);
	if (commit_follows_late(hub->intake, op))
		return INTAKE_LATER;
	if (intake_repeats(hub->intake, op)) {
		op->start.slot = op[-1].start.slot;
		return commit_take(hub, op);
	}
	if (op->want.follows && op[-1].result != INTAKE_DONE)
		return op[-1].result;
	if (!granted(hub, op))
		return caller_is_known(op->conn) ? INTAKE_FORBIDDEN
		                                 : INTAKE_UNAUTHORIZED;
	op->hash = topics_hash(
	    hub->seg, intake_topic(hub->intake, op), op->want.topic_len);
	if (hub->waiting != NULL && !op->is_back && waiting_puts_off(hub, op))
		return INTAKE_PUT_OFF;
	if (!op->is_back && past_must_wait(hub, op))
		return INTAKE_LATER;
	switch (op->want.kind) {
	case INTAKE_PLAIN:
		return commit_plain(hub, op);
	case INTAKE_SUBSCRIBE:
		return op->conn->state == CONN_OPEN ? commit_subscribe(hub, op)
		                                    : INTAKE_DONE;
	case INTAKE_UNSUBSCRIBE:
		return commit_unsubscribe(hub, op);
	case INTAKE_SUBSCRIBE_PATTERN:
		commit_publish_gathered(hub);
		return pattern_request_begin(hub, op);
	case INTAKE_UNSUBSCRIBE_PATTERN:
		return pattern_request_end(hub, op);
	case INTAKE_PUBLISH:
		return commit_publish_one(hub, op);
	case INTAKE_PRESENCE:
		return commit_presence(hub, op);
	case INTAKE_HISTORY:
		return commit_look_up(hub, op);
	case INTAKE_TOPIC:
		return commit_topic(hub, op);
	case INTAKE_LAST:
		return commit_last(hub, op);
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

static void
commit_requests(struct hub *hub)
{
	struct intake *intake = hub->intake;

	intake->walked = 0;
	buf_reset(&intake->members);
	if (hub->waiting != NULL)
		log_mode_begin_turn(hub);
	if (hub->attend->must_clear)
		attend_take_slot(hub);
	intake->lasts_count = 0;
	buf_reset(&intake->last_bytes);
	for (uint32_t i = 0; i < intake->count; i++)
		intake->ops[i].result = commit_request(hub, &intake->ops[i]);
	commit_publish_gathered(hub);
	settle_numbers(hub);
	attend_turn(hub);
}

void
commit_turn(struct hub *hub)
{
	struct intake *intake = hub->intake;
	bool has_work = intake->count > 0 || attend_has_work(hub->attend) ||
	                log_mode_must_show(hub);

	if (has_work)
		lost_look(hub);
	if (has_work && ring_lock(&hub->ring) == RING_BUSY) {
		if (intake->count > 0)
			intake_retry(hub);
		return; /* or after a tick */
	}
	intake->commits++;
	if (!has_work)
		return;
	if (intake->msgs_max < intake->count) {
		intake->msgs_max = intake->count;
		intake->msgs = xreallocarray(
		    intake->msgs, intake->msgs_max, sizeof(*intake->msgs));
	}
	intake->msgs_count = intake->msgs_done = 0;
	commit_requests(hub);
	ring_unlock(&hub->ring);
	settle_wake(hub);
	settle_answers(hub);
	if (hub->waiting != NULL)
		waiting_take_from_intake(hub);
	intake_release(hub);
}
