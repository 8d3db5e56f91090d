/* SPDX-License-Identifier: MIT */
/* answer.c - see answer.h. */

#include "worker/protocol/answer.h"

#include "common/ws.h"
#include "worker/api/answer.h"
#include "worker/net/rate.h"
#include "worker/state.h"
#include "worker/protocol/v1_answer.h"

#include <stdio.h>

/* The plain contract: no news is good news. */
static void
answer_plain(struct worker *w, const struct intake_op *op)
{
	char reason[WS_REASON_MAX + 1];

	switch (op->result) {
	case INTAKE_TOO_MANY:
		snprintf(reason, sizeof(reason),
		    "too many topics: %u per connection",
		    w->config->max_topics_per_conn);
		break;
	case INTAKE_DIRECTORY_FULL:
		snprintf(reason, sizeof(reason),
		    "no room for another topic: all %u have subscribers",
		    w->config->max_topics);
		break;
	case INTAKE_DONE:
	case INTAKE_DRAINING:
	case INTAKE_NOT_SUBSCRIBED:
	case INTAKE_RESUBSCRIBED:
	case INTAKE_NO_TOPIC:
	case INTAKE_LATER:
		return;
	}
	stats_add(&w->stats, STATS_PROTOCOL_ERRORS, 1);
	conn_close(op->conn, WS_CODE_POLICY, reason);
}

void
answer_request(struct worker *w, const struct intake_op *op)
{
	/* The search in vain read a bit of every slot under the lock: charge it
	 * to who caused it, a word of 64 bits as if it were a record. */
	if (op->result == INTAKE_DIRECTORY_FULL)
		rate_charge(op->conn, w->config->max_topics / 64);
	switch ((enum conn_state)op->conn->state) {
	case CONN_WS:
		if (op->conn->form == FRAMES_ENVELOPE)
			v1_answer(w, op);
		else
			answer_plain(w, op);
		break;
	case CONN_HTTP:
	case CONN_BODY:
	case CONN_EVENTS:
		api_answer(w, op);
		break;
	case CONN_FILE:
	case CONN_CLOSING:
	case CONN_LINGER:
	case CONN_DEAD:
		break;
	}
}
