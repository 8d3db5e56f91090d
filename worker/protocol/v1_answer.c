/* SPDX-License-Identifier: MIT */
/* v1_answer.c - see v1_answer.h. */

#include "worker/protocol/v1_answer.h"

#include "worker/requests/history.h"
#include "worker/requests/resume.h"
#include "worker/state.h"
#include "worker/protocol/v1_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* When a client may come back, milliseconds: at random between these. */
#define V1_RETRY_MIN_MS 500
#define V1_RETRY_MAX_MS 15000

/* Start an answer: {"type":TYPE,"id":ID */
static size_t
v1_open(struct worker *w, const struct intake_op *op, const char *type)
{
	struct buf *text = &w->text;
	size_t start;

	buf_reset(text);
	start = frames_open(text);
	buf_printf(text, "{\"type\":\"%s\"", type);
	if (op->want.id_len > 0) {
		buf_puts(text, ",\"id\":");
		buf_add(text, intake_id(&w->intake, op), op->want.id_len);
	}
	return start;
}

static void
v1_put_topic(struct worker *w, const struct intake_op *op)
{
	buf_puts(&w->text, ",\"topic\":");
	buf_json_string(
	    &w->text, intake_topic(&w->intake, op), op->want.topic_len);
}

/* ,"epoch":E,"seq":N */
static void
v1_put_place(struct worker *w, const struct intake_op *op)
{
	buf_printf(&w->text, ",\"epoch\":\"%s\",\"seq\":%" PRIu64,
	    w->seg->header->epoch, op->start.seq);
}

/* Finish the answer and queue it. */
static void
v1_close(struct worker *w, struct conn *c, size_t start)
{
	buf_puts(&w->text, "}");
	frames_close(&w->text, start);
	conn_answer(c, w->text.at, w->text.len);
}

static void
v1_error(struct worker *w, const struct intake_op *op, const char *code,
    const char *reason, size_t reason_len)
{
	size_t start = v1_open(w, op, "error");

	buf_printf(&w->text, ",\"code\":\"%s\",\"reason\":", code);
	buf_json_string(&w->text, reason, reason_len);
	v1_close(w, op->conn, start);
}

static void
v1_error_text(struct worker *w, const struct intake_op *op, const char *code,
    const char *reason)
{
	v1_error(w, op, code, reason, strlen(reason));
}

/* What could not be done. */
static void
v1_answer_failure(struct worker *w, const struct intake_op *op)
{
	char reason[64];

	switch (op->result) {
	case INTAKE_DONE:
	case INTAKE_NO_TOPIC:
	case INTAKE_LATER:
		break;
	case INTAKE_TOO_MANY:
		snprintf(reason, sizeof(reason), "%u topics per connection",
		    w->config->max_topics_per_conn);
		v1_error_text(w, op, "too_many_topics", reason);
		break;
	case INTAKE_DIRECTORY_FULL:
		snprintf(reason, sizeof(reason),
		    "all %u topics have subscribers", w->config->max_topics);
		v1_error_text(w, op, "directory_full", reason);
		break;
	case INTAKE_DRAINING:
		v1_error_text(
		    w, op, "draining", "the server takes no more messages");
		break;
	case INTAKE_NOT_SUBSCRIBED:
		v1_error_text(w, op, "not_subscribed",
		    "this connection has not subscribed to the topic");
		break;
	case INTAKE_RESUBSCRIBED:
		v1_error_text(w, op, "bad_request",
		    "since and history are for a new subscription");
		break;
	}
}

static void
v1_ack(struct worker *w, const struct intake_op *op)
{
	size_t start;

	if (op->want.id_len == 0)
		return;
	start = v1_open(w, op, "ack");
	v1_put_topic(w, op);
	v1_put_place(w, op);
	v1_close(w, op->conn, start);
}

/* The ack of a subscription with a past: how much of it follows. */
static void
v1_ack_resumed(
    struct worker *w, const struct intake_op *op, const struct resume *resume)
{
	size_t start;

	if (op->want.id_len == 0)
		return;
	start = v1_open(w, op, "ack");
	v1_put_topic(w, op);
	v1_put_place(w, op);
	buf_printf(&w->text, ",\"replayed\":%" PRIu64 ",\"recovered\":%s",
	    resume->replayed, resume->recovered ? "true" : "false");
	v1_close(w, op->conn, start);
}

static void
v1_answer_subscribe(struct worker *w, const struct intake_op *op)
{
	struct resume resume;

	resume_plan(w, op, &resume);
	if (resume.how == RESUME_LIVE)
		v1_ack(w, op);
	else
		v1_ack_resumed(w, op, &resume);
	resume_begin(w, op, &resume);
}

static void
v1_answer_presence(struct worker *w, const struct intake_op *op)
{
	size_t start = v1_open(w, op, "presence");

	v1_put_topic(w, op);
	buf_printf(&w->text, ",\"count\":%" PRIu64, op->count);
	v1_close(w, op->conn, start);
}

static void
v1_answer_history(struct worker *w, const struct intake_op *op)
{
	size_t start = v1_open(w, op, "history");
	bool more = false;

	v1_put_topic(w, op);
	buf_puts(&w->text, ",\"messages\":");
	if (op->result == INTAKE_NO_TOPIC)
		buf_puts(&w->text, "[]");
	else
		more = history_put(w, op, &w->text);
	if (more)
		buf_puts(&w->text, ",\"more\":true");
	v1_close(w, op->conn, start);
}

void
v1_answer(struct worker *w, const struct intake_op *op)
{
	if (op->result != INTAKE_DONE && op->result != INTAKE_NO_TOPIC) {
		v1_answer_failure(w, op);
		return;
	}
	switch (op->want.kind) {
	case INTAKE_SUBSCRIBE:
		v1_answer_subscribe(w, op);
		break;
	case INTAKE_PLAIN:
	case INTAKE_PUBLISH:
	case INTAKE_UNSUBSCRIBE:
		v1_ack(w, op);
		break;
	case INTAKE_PRESENCE:
		v1_answer_presence(w, op);
		break;
	case INTAKE_HISTORY:
		v1_answer_history(w, op);
		break;
	case INTAKE_PING:
		v1_close(w, op->conn, v1_open(w, op, "pong"));
		break;
	case INTAKE_WAIT:
		break;
	case INTAKE_ERROR:
		v1_error(w, op, op->want.code, intake_body(&w->intake, op),
		    op->want.body_len);
		break;
	case INTAKE_TOPIC:
		break; /* HTTP only */
	}
}

void
v1_welcome(struct conn *c)
{
	struct worker *w = c->w;
	const struct config *config = w->config;
	size_t start;

	buf_reset(&w->text);
	start = frames_open(&w->text);
	buf_printf(&w->text,
	    "{\"type\":\"welcome\",\"version\":1,\"server\":\"pubsubd/%s\","
	    "\"epoch\":\"%s\",\"limits\":{\"message\":%u,\"topics\":%u,"
	    "\"rate\":%u},\"ping\":%u,"
	    "\"retry\":{\"min_ms\":%d,\"max_ms\":%d}",
	    PUBSUBD_VERSION, w->seg->header->epoch, config->max_message,
	    config->max_topics_per_conn, config->rate,
	    config->ping_interval_ms / 1000, V1_RETRY_MIN_MS, V1_RETRY_MAX_MS);
	v1_close(w, c, start);
}

void
v1_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	struct worker *w = c->w;
	size_t start;

	buf_reset(&w->text);
	start = frames_open(&w->text);
	buf_printf(&w->text,
	    "{\"type\":\"drain\",\"in_ms\":%" PRIu64
	    ",\"retry\":{\"min_ms\":0,\"max_ms\":%" PRIu64 "}",
	    in_ms, spread_ms);
	v1_close(w, c, start);
}
