/* SPDX-License-Identifier: MIT */
/* pattern_request.c - see pattern_request.h. */

#include "worker/requests/pattern_request.h"

#include "worker/delivery/pattern_subscribe.h"
#include "worker/delivery/patterns.h"

enum intake_result
pattern_request_begin(struct hub *hub, const struct intake_op *op)
{
	if (op->conn->state != CONN_OPEN)
		return INTAKE_DONE;
	switch (pattern_subscribe(hub, client_of(op->conn),
	    intake_topic(hub->intake, op), op->want.topic_len,
	    op->want.no_echo)) {
	case PATTERN_OK:
	case PATTERN_ALREADY:
		return INTAKE_DONE;
	case PATTERN_TOO_MANY:
		return INTAKE_TOO_MANY_PATTERNS;
	case PATTERN_NO_ROOM:
		break;
	}
	return INTAKE_PATTERNS_FULL;
}

enum intake_result
pattern_request_end(struct hub *hub, const struct intake_op *op)
{
	struct pattern_sub *sub = patterns_find(hub, client_of(op->conn),
	    intake_topic(hub->intake, op), op->want.topic_len);

	if (sub == NULL)
		return INTAKE_NOT_SUBSCRIBED;
	pattern_unsubscribe(hub, sub);
	return INTAKE_DONE;
}
