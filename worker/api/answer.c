/* SPDX-License-Identifier: MIT */
/* answer.c - see answer.h. */

#include "worker/api/answer.h"

#include "common/bug.h"
#include "worker/api/api.h"
#include "worker/api/events.h"
#include "worker/requests/history.h"
#include "worker/state.h"

#include <inttypes.h>
#include <stdio.h>

/* Start an answer: {"topic":TOPIC,"epoch":EPOCH */
static void
api_open(struct worker *w, const struct intake_op *op)
{
	buf_reset(&w->text);
	buf_puts(&w->text, "{\"topic\":");
	buf_json_string(
	    &w->text, intake_topic(&w->intake, op), op->want.topic_len);
	buf_printf(&w->text, ",\"epoch\":\"%s\"", w->seg->header->epoch);
}

/* How the topic stands; to a publish: which number the message got. */
static void
api_answer_topic(struct worker *w, const struct intake_op *op)
{
	api_open(w, op);
	buf_printf(&w->text,
	    ",\"seq\":%" PRIu64 ",\"subscribers\":%" PRIu64 "}", op->start.seq,
	    op->count);
	api_reply(op->conn, 200);
}

static void
api_answer_history(struct worker *w, const struct intake_op *op)
{
	bool more;

	api_open(w, op);
	buf_puts(&w->text, ",\"messages\":");
	more = history_put(w, op, &w->text);
	buf_puts(&w->text, more ? ",\"more\":true}" : "}");
	api_reply(op->conn, 200);
}

/* What could not be done. */
static void
api_answer_failure(struct worker *w, const struct intake_op *op)
{
	struct conn *c = op->conn;
	char reason[64];

	switch (op->result) {
	case INTAKE_DIRECTORY_FULL:
		snprintf(reason, sizeof(reason),
		    "all %u topics have subscribers", w->config->max_topics);
		api_fail(c, 503, "directory_full", reason);
		return;
	case INTAKE_DRAINING:
		api_go_away(c);
		return;
	case INTAKE_NO_TOPIC:
		api_fail(c, 404, "not_found", "there is no such topic");
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

void
api_answer(struct worker *w, const struct intake_op *op)
{
	if (op->result != INTAKE_DONE) {
		if (op->conn->state == CONN_EVENTS)
			events_cancel(op->conn);
		api_answer_failure(w, op);
		return;
	}
	switch (op->want.kind) {
	case INTAKE_SUBSCRIBE:
		events_answer(w, op);
		return;
	case INTAKE_PUBLISH:
	case INTAKE_TOPIC:
		api_answer_topic(w, op);
		return;
	case INTAKE_HISTORY:
		api_answer_history(w, op);
		return;
	case INTAKE_PLAIN:
	case INTAKE_UNSUBSCRIBE:
	case INTAKE_PRESENCE:
	case INTAKE_PING:
	case INTAKE_ERROR:
		break;
	case INTAKE_WAIT:
		return;
	}
	BUG("no request of this interface");
}
