/* SPDX-License-Identifier: MIT */
/* answer.c - see answer.h. */

#include "worker/api/answer.h"

#include "common/bug.h"
#include "common/config.h"
#include "worker/api/reply.h"
#include "worker/requests/history.h"

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

void
api_answer_topic(struct hub *hub, const struct intake_op *op)
{
	struct buf *text;

	if (op->result != INTAKE_DONE) {
		api_answer_failure(hub, op);
		return;
	}
	text = answer_open(hub, op);
	buf_printf(text, ",\"seq\":%" PRIu64 ",\"subscribers\":%" PRIu64 "}",
	    op->start.seq, op->count);
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
api_answer_failure(struct hub *hub, const struct intake_op *op)
{
	struct conn *c = op->conn;
	char reason[64];

	switch (op->result) {
	case INTAKE_HOLDS_TOO_MANY:
		api_put_off(c, "too_many_topics",
		    "too many topics from your address, few are left");
		return;
	case INTAKE_DIRECTORY_FULL:
		snprintf(reason, sizeof(reason),
		    "all %u topics have subscribers",
		    hub->net->config->max_topics);
		api_put_off(c, "directory_full", reason);
		return;
	case INTAKE_DRAINING:
		api_go_away(c, false);
		return;
	case INTAKE_NO_TOPIC:
		api_fail(c, 404, "not_found", "there is no such topic");
		return;
	case INTAKE_FORBIDDEN:
		api_forbid(c);
		return;
	case INTAKE_DONE:
	case INTAKE_TOO_MANY:
	case INTAKE_NOT_SUBSCRIBED:
	case INTAKE_RESUBSCRIBED:
	case INTAKE_LATER:
		break;
	}
	BUG("no request of this interface ends like this");
}
