/* SPDX-License-Identifier: MIT */
/* intake.c - note, hold, do, answer, release; see intake.h. */

#include "worker/requests/intake.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "worker/net/feed.h"
#include "worker/net/outbox.h"

#include <stdlib.h>
#include <string.h>

/* turn_end() tries again; the timer only makes sure that there is a turn. */
static void
intake_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
}

void
intake_init(struct intake *intake, uint64_t record_max)
{
	memset(intake, 0, sizeof(*intake));
	buf_init(&intake->last_bytes);
	intake->record = xmalloc(record_max);
	intake->record_size = record_max;
	ev_timer_init(&intake->retry, intake_retry_cb, INTAKE_RETRY_S, 0);
}

void
intake_fini(struct intake *intake)
{
	free(intake->ops);
	free(intake->bytes);
	free(intake->msgs);
	free(intake->extras);
	free(intake->lasts);
	buf_fini(&intake->last_bytes);
	free(intake->record);
	buf_fini(&intake->members);
}

bool
intake_full(const struct intake *intake)
{
	return intake->count - intake->late >= INTAKE_OPS_MAX ||
	       intake->used - intake->late_used >= INTAKE_BYTES_MAX;
}

bool
intake_reads_past(const struct intake_request *want)
{
	return want->kind == INTAKE_HISTORY || want->kind == INTAKE_LAST ||
	       (want->kind == INTAKE_PRESENCE &&
		   (want->wants_members || want->counts_members)) ||
	       (want->kind == INTAKE_SUBSCRIBE &&
		   (want->has_since || want->has_limit || want->last));
}

bool
intake_empty(const struct intake *intake)
{
	return intake->count == 0;
}

const char *
intake_id(const struct intake *intake, const struct intake_op *op)
{
	return intake->bytes + op->at;
}

const char *
intake_key(const struct intake *intake, const struct intake_op *op)
{
	return intake->bytes + op->at + op->want.id_len;
}

const char *
intake_topic(const struct intake *intake, const struct intake_op *op)
{
	return intake_key(intake, op) + op->want.key_len;
}

const char *
intake_body(const struct intake *intake, const struct intake_op *op)
{
	return intake_topic(intake, op) + op->want.topic_len;
}

/* Bytes of a request's parts. */
static size_t
intake_len(const struct intake_request *want)
{
	return (size_t)want->id_len + want->key_len + want->topic_len +
	       want->body_len;
}

bool
intake_repeats(const struct intake *intake, const struct intake_op *op)
{
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

/* Room for so many more bytes. */
static char *
intake_room(struct intake *intake, size_t len)
{
	/* Also for a request without a byte: a name is never at NULL. */
	if (intake->size - intake->used <= len) {
		intake->size = (intake->size + len) * 2 + 4096;
		intake->bytes = xreallocarray(intake->bytes, intake->size, 1);
	}
	return intake->bytes + intake->used;
}

/* When a connection's requests came in: those that stand one behind another
 * were read together, so the clock is looked at once for them. */
static uint64_t
intake_time_ms(const struct intake *intake, const struct conn *c)
{
	if (intake->count > intake->late &&
	    intake->ops[intake->count - 1].conn == c)
		return intake->ops[intake->count - 1].time_ms;
	return clock_wall_ms();
}

/* Room for one more request. */
static struct intake_op *
intake_op_new(struct intake *intake)
{
	if (intake->count == 0)
		intake->began_ns = clock_monotonic_ns();
	if (intake->count == intake->max) {
		intake->max = intake->max * 2 + 64;
		intake->ops = xreallocarray(
		    intake->ops, intake->max, sizeof(*intake->ops));
	}
	return &intake->ops[intake->count++];
}

char *
intake_add(struct conn *c, const struct intake_request *want)
{
	struct intake *intake = hub_of(c)->intake;
	size_t len = intake_len(want);
	char *at = intake_room(intake, len);
	uint64_t time_ms = intake_time_ms(intake, c);
	struct intake_op *op = intake_op_new(intake);

	/* Member by member: an initialiser would be put together elsewhere and
	 * copied. */
	memset(op, 0, sizeof(*op));
	op->want = *want;
	op->conn = c;
	op->at = intake->used;
	op->time_ms = time_ms;
	if (want->id_len > 0)
		memcpy(at, want->id, want->id_len);
	at += want->id_len;
	if (want->key_len > 0)
		memcpy(at, want->key, want->key_len);
	at += want->key_len;
	if (want->topic_len > 0)
		memcpy(at, want->topic, want->topic_len);
	at += want->topic_len;
	if (want->body != NULL && want->body_len > 0)
		memcpy(at, want->body, want->body_len);
	intake->used += len;
	c->requests_pending++;
	if (intake_full(intake))
		conn_pause(c, PAUSE_INTAKE);
	return at;
}

bool
intake_hold(struct conn *c)
{
	const struct intake_request want = { .kind = INTAKE_WAIT };

	if (!intake_full(hub_of(c)->intake))
		return false;
	intake_add(c, &want); /* pauses it */
	return true;
}

void
intake_retry(struct hub *hub)
{
	struct intake *intake = hub->intake;

	stats_add(&hub->net->stats, STATS_LOCK_BUSY, 1);
	for (uint32_t i = 0; i < intake->count; i++) {
		conn_pause(intake->ops[i].conn, PAUSE_INTAKE);
		conn_update_events(intake->ops[i].conn);
	}
	if (!ev_is_active(&intake->retry)) {
		ev_timer_set(&intake->retry, INTAKE_RETRY_S, 0);
		ev_timer_start(hub->net->loop, &intake->retry);
	}
}

void
intake_put_back(
    struct hub *hub, const struct intake_op *op, const char *bytes, size_t len)
{
	struct intake *intake = hub->intake;
	char *at = intake_room(intake, len);
	struct intake_op *new_op = intake_op_new(intake);

	*new_op = *op;
	new_op->at = intake->used;
	if (len > 0)
		memcpy(at, bytes, len);
	intake->used += len;
}

/* Keep the requests that were put off, as the first of the next turn.  Their
 * bytes only move towards the front, over those of requests that were done. */
static void
intake_keep_later(struct hub *hub, const struct intake_op *done, uint32_t count)
{
	struct intake *intake = hub->intake;

	for (uint32_t i = 0; i < count; i++) {
		struct intake_op *op;
		size_t len;

		if (done[i].result != INTAKE_LATER)
			continue;
		len = intake_len(&done[i].want);
		memmove(intake->bytes + intake->used,
		    intake->bytes + done[i].at, len);
		op = intake_op_new(intake);
		*op = done[i];
		op->at = intake->used;
		intake->used += len;
		stats_add(&hub->net->stats, STATS_PAST_DEFERRED, 1);
	}
	intake->late = intake->count;
	intake->late_used = intake->used;
}

/* Reading on may bring new requests, so those that were done are set aside
 * first. */
void
intake_release(struct hub *hub)
{
	struct intake *intake = hub->intake;
	struct intake_op *done = intake->ops;
	uint32_t count = intake->count;

	intake->ops = NULL;
	intake->count = intake->max = 0;
	intake->used = 0;
	intake_keep_later(hub, done, count);
	for (uint32_t i = 0; i < count; i++) {
		if (intake_stays(done[i].result))
			continue;
		CHECK(done[i].conn->requests_pending > 0);
		if (--done[i].conn->requests_pending > 0)
			continue;
		if (done[i].conn->upgraded)
			done[i].conn->held = false; /* see ws/upgrade.c */
		if (done[i].conn->out != NULL)
			outbox_touch(&hub->net->outbox, done[i].conn);
	}
	/* Resume each connection once: one that has a new request waits for
	 * that. */
	for (uint32_t i = 0; i < count; i++)
		if (done[i].conn->requests_pending == 0)
			conn_resume(done[i].conn, PAUSE_INTAKE);
	if (intake->ops == NULL) {
		intake->ops = done;
		intake->max = count;
	} else {
		free(done);
		hub->net->more = true;
	}
}
