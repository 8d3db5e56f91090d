/* SPDX-License-Identifier: MIT */
/* v1_answer.c - see v1_answer.h. */

#include "worker/protocol/v1_answer.h"

#include "common/config.h"
#include "worker/access/identities.h"
#include "common/ws.h"
#include "worker/delivery/place.h"
#include "worker/protocol/protocols.h"
#include "worker/requests/caller.h"
#include "worker/requests/failure.h"
#include "worker/requests/history.h"
#include "worker/requests/presence.h"
#include "worker/requests/resume.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Start an answer: {"type":TYPE,"id":ID */
static size_t
v1_open(struct hub *hub, const struct intake_op *op, const char *type)
{
	struct buf *text = &hub->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_puts(text, "{\"type\":\"");
	buf_puts(text, type);
	buf_puts(text, "\"");
	if (op->want.id_len > 0) {
		buf_puts(text, ",\"id\":");
		buf_add(text, intake_id(hub->intake, op), op->want.id_len);
	}
	return start;
}

static void
v1_put_topic(struct hub *hub, const struct intake_op *op)
{
	buf_puts(&hub->protocols->text,
	    intake_is_of_pattern(&op->want) ? ",\"pattern\":" : ",\"topic\":");
	buf_json_string(&hub->protocols->text, intake_topic(hub->intake, op),
	    op->want.topic_len);
}

/* ,"epoch":E,"seq":N, or without the number of what has none; without printf(3), which would be most of an answer's
 * cost. */
static void
v1_put_place(struct hub *hub, const struct intake_op *op)
{
	struct buf *text = &hub->protocols->text;

	buf_puts(text, ",\"epoch\":\"");
	buf_puts(text, hub->seg->header->epoch);
	if (op->want.is_ephemeral) {
		buf_puts(text, "\"");
		return;
	}
	buf_puts(text, "\",\"seq\":");
	buf_number(text, op->start.seq);
	if (op->place != 0)
		place_put(text, op->place);
}

/* Finish the answer and queue it. */
static void
v1_close(struct hub *hub, struct conn *c, size_t start)
{
	buf_puts(&hub->protocols->text, "}");
	ws_text_close(&hub->protocols->text, start);
	conn_answer(c, hub->protocols->text.at, hub->protocols->text.len);
}

static void
v1_error(struct hub *hub, const struct intake_op *op, const char *code,
    const char *reason, size_t reason_len)
{
	size_t start = v1_open(hub, op, "error");

	buf_printf(&hub->protocols->text, ",\"code\":\"%s\",\"reason\":", code);
	buf_json_string(&hub->protocols->text, reason, reason_len);
	v1_close(hub, op->conn, start);
}

/* Tell why a request could not be done. */
static void
v1_answer_failure(struct hub *hub, const struct intake_op *op)
{
	char reason[FAILURE_TEXT_MAX];
	struct failure failure;

	if (!failure_of(hub, op, &failure))
		return;
	failure_text(&failure, reason);
	v1_error(hub, op, failure.code, reason, strlen(reason));
}

/* resume: how much of its past follows a new subscription; NULL: none does. */
static void
v1_ack(struct hub *hub, const struct intake_op *op, const struct resume *resume)
{
	size_t start;

	if (op->want.id_len == 0)
		return;
	start = v1_open(hub, op, "ack");
	v1_put_topic(hub, op);
	if (!intake_is_of_pattern(&op->want))
		v1_put_place(hub, op);
	if (op->duplicate)
		buf_puts(&hub->protocols->text, ",\"duplicate\":true");
	if (resume != NULL)
		buf_printf(&hub->protocols->text,
		    ",\"replayed\":%" PRIu64 ",\"recovered\":%s",
		    resume->replayed, resume->recovered ? "true" : "false");
	v1_close(hub, op->conn, start);
}

static void
v1_answer_subscribe(struct hub *hub, const struct intake_op *op)
{
	struct resume resume;

	resume_plan(hub, op, &resume);
	v1_ack(hub, op, resume.how != RESUME_LIVE ? &resume : NULL);
	resume_begin(hub, op, &resume);
}

static void
v1_answer_presence(struct hub *hub, const struct intake_op *op)
{
	size_t start = v1_open(hub, op, "presence");

	v1_put_topic(hub, op);
	buf_printf(&hub->protocols->text, ",\"count\":%" PRIu64, op->count);
	presence_put(hub, op, &hub->protocols->text);
	v1_close(hub, op->conn, start);
}

static void
v1_answer_history(struct hub *hub, const struct intake_op *op)
{
	size_t start = v1_open(hub, op, "history");
	bool more = false;

	v1_put_topic(hub, op);
	buf_puts(&hub->protocols->text, ",\"messages\":");
	if (op->result == INTAKE_NO_TOPIC)
		buf_puts(&hub->protocols->text, "[]");
	else
		more = history_put(hub, op, &hub->protocols->text);
	if (more)
		buf_puts(&hub->protocols->text, ",\"more\":true");
	v1_close(hub, op->conn, start);
}

/* Who the client is from now on, and until when; then what it may not follow any
 * more. */
static void
v1_answer_auth(struct hub *hub, const struct intake_op *op)
{
	const struct identity *identity = caller_identity(op->conn);
	struct buf *text = &hub->protocols->text;
	size_t start;

	if (op->want.id_len > 0) {
		start = v1_open(hub, op, "ack");
		if (identity != NULL && identity->sub_len > 0) {
			buf_puts(text, ",\"user\":");
			buf_json_string(text, identity->sub, identity->sub_len);
		}
		if (identity != NULL && !identity->is_key)
			buf_printf(
			    text, ",\"expires\":%" PRIu64, identity->expires_s);
		v1_close(hub, op->conn, start);
	}
	caller_narrow(op->conn);
}

void
v1_answer(struct hub *hub, const struct intake_op *op)
{
	if (op->result != INTAKE_DONE && op->result != INTAKE_NO_TOPIC) {
		v1_answer_failure(hub, op);
		return;
	}
	switch (op->want.kind) {
	case INTAKE_SUBSCRIBE:
		v1_answer_subscribe(hub, op);
		break;
	case INTAKE_PLAIN:
	case INTAKE_PUBLISH:
	case INTAKE_UNSUBSCRIBE:
	case INTAKE_SUBSCRIBE_PATTERN:
	case INTAKE_UNSUBSCRIBE_PATTERN:
		v1_ack(hub, op, NULL);
		break;
	case INTAKE_AUTH:
		v1_answer_auth(hub, op);
		break;
	case INTAKE_PRESENCE:
		v1_answer_presence(hub, op);
		break;
	case INTAKE_HISTORY:
		v1_answer_history(hub, op);
		break;
	case INTAKE_PING:
		v1_close(hub, op->conn, v1_open(hub, op, "pong"));
		break;
	case INTAKE_WAIT:
		break;
	case INTAKE_ERROR:
		v1_error(hub, op, op->want.code, intake_body(hub->intake, op),
		    op->want.body_len);
		break;
	case INTAKE_TOPIC:
	case INTAKE_LAST:
		break; /* HTTP only */
	}
}
