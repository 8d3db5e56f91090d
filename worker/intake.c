/* SPDX-License-Identifier: MIT */
/* intake.c - see intake.h. */

#include "worker/intake.h"

#include "broker/stop.h"
#include "broker/topics.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/ws.h"
#include "common/xmalloc.h"
#include "worker/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The turn's end tries again; this only sees to it that there is one. */
static void
intake_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
}

void
intake_init(struct intake *intake)
{
	memset(intake, 0, sizeof(*intake));
	ev_timer_init(&intake->retry, intake_retry_cb, INTAKE_RETRY_S, 0);
}

void
intake_fini(struct intake *intake)
{
	free(intake->ops);
	free(intake->bytes);
	free(intake->msgs);
}

bool
intake_full(const struct intake *intake)
{
	return intake->count >= INTAKE_OPS_MAX ||
	       intake->used >= INTAKE_BYTES_MAX;
}

bool
intake_empty(const struct intake *intake)
{
	return intake->count == 0;
}

/* Note a request; returns the room for its message. */
static char *
intake_add(struct worker *w, struct conn *c, const char *name, uint8_t name_len,
    uint32_t body_len)
{
	struct intake *intake = &w->intake;
	struct intake_op *op;

	if (intake->count == intake->max) {
		intake->max = intake->max * 2 + 64;
		intake->ops = xreallocarray(
		    intake->ops, intake->max, sizeof(*intake->ops));
	}
	/* Also for a request without a byte: a name is never at NULL. */
	if (intake->size - intake->used <= (size_t)name_len + body_len) {
		intake->size = (intake->size + name_len + body_len) * 2 + 4096;
		intake->bytes = xreallocarray(intake->bytes, intake->size, 1);
	}
	op = &intake->ops[intake->count++];
	*op = (struct intake_op){ .conn = c,
		.at = intake->used,
		.body_len = body_len,
		.name_len = name_len };
	memcpy(intake->bytes + op->at, name, name_len);
	intake->used += (size_t)name_len + body_len;
	c->ops++;
	return intake->bytes + op->at + name_len;
}

void
intake_subscribe(
    struct worker *w, struct conn *c, const char *name, uint8_t name_len)
{
	intake_add(w, c, name, name_len, 0);
}

char *
intake_publish(struct worker *w, struct conn *c, const char *name,
    uint8_t name_len, uint32_t body_len)
{
	char *body = intake_add(w, c, name, name_len, body_len);
	struct intake_op *op = &w->intake.ops[w->intake.count - 1];

	op->is_publish = true;
	op->time_ms = clock_wall_ms();
	return body;
}

/* Publish what has been gathered, so that it comes before what follows.
 * Under the lock.  Sealed: the server is leaving, and it is too late. */
static void
intake_publish_gathered(struct worker *w)
{
	struct intake *intake = &w->intake;
	uint32_t n = intake->msgs_count - intake->msgs_done;

	if (n == 0)
		return;
	if (ring_publish(&w->ring, intake->msgs + intake->msgs_done, n) ==
	    RING_SEALED) {
		log_warnx("%u messages came too late: the ring is sealed", n);
		intake->msgs_count = intake->msgs_done;
		return;
	}
	intake->msgs_done = intake->msgs_count;
	stats_add(&w->stats, STATS_MESSAGES_IN, n);
}

/* A client cannot have what it asked for. */
static void
intake_refuse(struct worker *w, struct conn *c, enum subs_status status)
{
	char reason[WS_REASON_MAX + 1];

	stats_add(&w->stats, STATS_PROTOCOL_ERRORS, 1);
	if (status == SUBS_TOO_MANY)
		snprintf(reason, sizeof(reason),
		    "too many topics: %u per connection",
		    w->config->max_topics_per_conn);
	else
		snprintf(reason, sizeof(reason),
		    "no room for another topic: all %u have subscribers",
		    w->config->max_topics);
	conn_close(c, WS_CODE_POLICY, reason);
}

/* Subscribe, if it is not yet, and find the topic's slot.  Returns false when
 * the connection is being closed instead.  Under the lock. */
static bool
intake_do_subscribe(struct worker *w, struct conn *c, const char *name,
    uint8_t name_len, uint32_t *slot)
{
	struct sub_topic *topic = subs_find(&w->subs, name, name_len);
	enum subs_status status;

	if (topic != NULL && subs_of(c, topic) != NULL) {
		*slot = topic->slot;
		return true;
	}
	/* Its first number must come after what others sent before, and a slot
	 * that waits for a gathered message must not be recycled. */
	intake_publish_gathered(w);
	status = subs_add(w, c, name, name_len, slot);
	if (status == SUBS_OK || status == SUBS_ALREADY)
		return true;
	intake_refuse(w, c, status);
	return false;
}

/* What somebody published who has left since goes out all the same. */
static bool
intake_find_slot(
    struct worker *w, const char *name, uint8_t name_len, uint32_t *slot)
{
	intake_publish_gathered(w);
	*slot =
	    topics_open(w->seg, name, name_len, topics_hash(name, name_len));
	return *slot != TOPICS_NONE;
}

/* Do one request.  Under the lock. */
static void
intake_do(struct worker *w, const struct intake_op *op)
{
	const char *name = w->intake.bytes + op->at;
	bool alive = op->conn->state == CONN_WS;
	uint32_t slot;

	if (!alive && !op->is_publish)
		return;
	if (alive ? !intake_do_subscribe(w, op->conn, name, op->name_len, &slot)
		  : !intake_find_slot(w, name, op->name_len, &slot))
		return;
	if (!op->is_publish)
		return;
	w->intake.msgs[w->intake.msgs_count++] = (struct ring_msg){
		.topic = slot,
		.body = name + op->name_len,
		.body_len = op->body_len,
		.time_ms = op->time_ms,
		.conn = op->conn->number,
	};
}

/* Those who asked are not read until it is done. */
static void
intake_hold(struct worker *w)
{
	struct intake *intake = &w->intake;

	stats_add(&w->stats, STATS_LOCK_BUSY, 1);
	for (uint32_t i = 0; i < intake->count; i++) {
		conn_pause(intake->ops[i].conn, PAUSE_INTAKE);
		conn_watch(intake->ops[i].conn);
	}
	if (!ev_is_active(&intake->retry)) {
		ev_timer_set(&intake->retry, INTAKE_RETRY_S, 0);
		ev_timer_start(w->loop, &intake->retry);
	}
}

/* It is done: read on.  That may bring new requests, so what was done is set
 * aside first. */
static void
intake_release(struct worker *w)
{
	struct intake *intake = &w->intake;
	struct intake_op *done = intake->ops;
	uint32_t count = intake->count;

	intake->ops = NULL;
	intake->count = intake->max = 0;
	intake->used = 0;
	for (uint32_t i = 0; i < count; i++) {
		CHECK(done[i].conn->ops > 0);
		if (--done[i].conn->ops == 0 && done[i].conn->out != NULL)
			outbox_touch(&w->outbox, done[i].conn);
	}
	/* Once each: who has asked for something new waits for that. */
	for (uint32_t i = 0; i < count; i++)
		if (done[i].conn->ops == 0)
			conn_resume(done[i].conn, PAUSE_INTAKE);
	if (intake->ops == NULL) {
		intake->ops = done;
		intake->max = count;
	} else {
		free(done);
		w->more = true;
	}
}

void
intake_commit(struct worker *w)
{
	struct intake *intake = &w->intake;
	uint64_t who;

	if (intake->count == 0)
		return;
	if (ring_lock(&w->ring) == RING_BUSY) {
		intake_hold(w);
		return;
	}
	if (intake->msgs_max < intake->count) {
		intake->msgs_max = intake->count;
		intake->msgs = xreallocarray(
		    intake->msgs, intake->msgs_max, sizeof(*intake->msgs));
	}
	intake->msgs_count = intake->msgs_done = 0;
	for (uint32_t i = 0; i < intake->count; i++)
		intake_do(w, &intake->ops[i]);
	intake_publish_gathered(w);
	ring_unlock(&w->ring);

	stop_here(w->seg->header, STOP_BEFORE_WAKE);
	if (intake->msgs_done > 0) {
		who = ring_interest(&w->ring, intake->msgs, intake->msgs_done);
		stats_add(
		    &w->stats, STATS_WAKEUPS_SENT, wakeup_wake(w->wakeup, who));
	}
	intake_release(w);
}
