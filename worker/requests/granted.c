/* SPDX-License-Identifier: MIT */
/* granted.c - see granted.h. */

#include "worker/requests/granted.h"

#include "worker/access/access.h"
#include "worker/requests/caller.h"
#include "worker/requests/intake.h"

/* The grants that a request needs. */
static unsigned
granted_needs(const struct intake_request *want)
{
	switch (want->kind) {
	case INTAKE_PLAIN:
		return GRANT_SUBSCRIBE | GRANT_PUBLISH;
	case INTAKE_SUBSCRIBE:
		return GRANT_SUBSCRIBE | (want->has_limit ? GRANT_HISTORY : 0);
	case INTAKE_PUBLISH:
		return GRANT_PUBLISH;
	case INTAKE_PRESENCE:
	case INTAKE_TOPIC:
		return GRANT_PRESENCE;
	case INTAKE_HISTORY:
		return GRANT_HISTORY;
	case INTAKE_UNSUBSCRIBE:
	case INTAKE_AUTH:
	case INTAKE_PING:
	case INTAKE_ERROR:
	case INTAKE_WAIT:
		break;
	}
	return 0;
}

bool
granted(struct hub *hub, struct intake_op *op)
{
	const char *topic = intake_topic(hub->intake, op);
	unsigned needs;

	if (access_is_open(hub->access))
		return true;
	needs = granted_needs(&op->want);
	if (needs == 0)
		return true;
	if (!caller_may(op->conn, needs, topic, op->want.topic_len)) {
		stats_add(&hub->net->stats, STATS_REFUSED_GRANTS, 1);
		return false;
	}
	op->withheld =
	    op->want.has_since &&
	    !caller_may(op->conn, GRANT_HISTORY, topic, op->want.topic_len);
	return true;
}
