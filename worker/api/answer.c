/* SPDX-License-Identifier: MIT */
/* answer.c - see answer.h. */

#include "worker/api/answer.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/grants.h"
#include "worker/api/reply.h"
#include "worker/delivery/place.h"
#include "worker/requests/caller.h"
#include "worker/requests/failure.h"
#include "worker/requests/history.h"
#include "worker/requests/last.h"
#include "worker/requests/presence.h"

#include <inttypes.h>
#include <stdio.h>

/* Start an answer: {"topic":TOPIC,"epoch":EPOCH */
static struct buf *
answer_open(struct hub *hub, const struct intake_op *op)
{
	struct buf *text = api_text(op->conn);

	buf_puts(text, "{\"topic\":");
	buf_json_string(
	    text, intake_topic(hub->intake, op), op->want.topic_len);
	buf_printf(text, ",\"epoch\":\"%s\"", hub->seg->header->epoch);
	return text;
}

bool
api_tells_count(struct hub *hub, const struct intake_op *op)
{
	return caller_may(op->conn, GRANT_PRESENCE,
	    intake_topic(hub->intake, op), op->want.topic_len);
}

void
api_answer_topic(struct hub *hub, const struct intake_op *op)
{
	struct buf *text;

	if (op->result != INTAKE_DONE) {
		api_answer_failure(hub, op);
		return;
	}
	text = answer_open(hub, op);
	if (!op->want.is_ephemeral)
		buf_printf(text, ",\"seq\":%" PRIu64, op->start.seq);
	if (op->place != 0 && !op->want.is_ephemeral)
		place_put(text, op->place);
	if (api_tells_count(hub, op))
		buf_printf(text, ",\"subscribers\":%" PRIu64, op->count);
	presence_put(hub, op, text);
	buf_puts(text, op->duplicate ? ",\"duplicate\":true}" : "}");
	api_reply(op->conn, 200);
}

void
api_answer_presence(struct hub *hub, const struct intake_op *op)
{
	struct buf *text;

	if (op->result != INTAKE_DONE) {
		api_answer_failure(hub, op);
		return;
	}
	text = answer_open(hub, op);
	buf_printf(text, ",\"subscribers\":%" PRIu64, op->count);
	presence_put(hub, op, text);
	buf_puts(text, "}");
	api_reply(op->conn, 200);
}

void
api_answer_history(struct hub *hub, const struct intake_op *op)
{
	struct buf *text;
	bool more;

	if (op->result != INTAKE_DONE) {
		api_answer_failure(hub, op);
		return;
	}
	text = answer_open(hub, op);
	buf_puts(text, ",\"messages\":");
	more = history_put(hub, op, text);
	buf_puts(text, more ? ",\"more\":true}" : "}");
	api_reply(op->conn, 200);
}

void
api_answer_last(struct hub *hub, const struct intake_op *op)
{
	struct ring_record rec;
	struct buf *text;

	if (op->result == INTAKE_NO_TOPIC) {
		api_fail(
		    op->conn, 404, "not_found", "the topic has no last value");
		return;
	}
	if (op->result != INTAKE_DONE || !last_get(hub, op, &rec)) {
		api_answer_failure(hub, op);
		return;
	}
	text = answer_open(hub, op);
	buf_printf(text,
	    ",\"seq\":%" PRIu64 ",\"time\":%" PRIu64 ",\"message\":", rec.seq,
	    rec.time_ms);
	buf_add(text, rec.body, rec.body_len);
	buf_puts(text, "}");
	api_reply(op->conn, 200);
}

void
api_answer_failure(struct hub *hub, const struct intake_op *op)
{
	struct conn *c = op->conn;
	char reason[FAILURE_TEXT_MAX];
	struct failure failure;

	CHECK(failure_of(hub, op, &failure));
	failure_text(&failure, reason);
	switch (op->result) {
	case INTAKE_DRAINING:
		api_go_away(c, false);
		return;
	case INTAKE_FORBIDDEN:
	case INTAKE_UNAUTHORIZED:
		api_forbid(c);
		return;
	case INTAKE_NO_TOPIC:
		api_fail(c, 404, failure.code, reason);
		return;
	case INTAKE_TOO_FAST:
		api_fail(c, 429, failure.code, reason);
		return;
	case INTAKE_NOT_IN_CLUSTER:
		api_fail(c, 501, failure.code, reason);
		return;
	default:
		api_put_off(c, failure.code, reason);
	}
}
