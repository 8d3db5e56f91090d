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
		return GRANT_SUBSCRIBE |
		       (want->has_limit || want->last ? GRANT_HISTORY : 0);
	case INTAKE_PUBLISH:
		return GRANT_PUBLISH;
	case INTAKE_PRESENCE:
	case INTAKE_TOPIC:
		return GRANT_PRESENCE;
	case INTAKE_HISTORY:
	case INTAKE_LAST:
		return GRANT_HISTORY;
	case INTAKE_SUBSCRIBE_PATTERN:
		return GRANT_SUBSCRIBE;
	case INTAKE_UNSUBSCRIBE:
	case INTAKE_UNSUBSCRIBE_PATTERN:
	case INTAKE_AUTH:
	case INTAKE_PING:
	case INTAKE_ERROR:
	case INTAKE_WAIT:
		break;
	}
	return 0;
}

/* Whether the client may have that to do with the topics of a request. */
static bool
granted_kinds(const struct intake_op *op, unsigned kinds, const char *name)
{
	return op->want.kind == INTAKE_SUBSCRIBE_PATTERN
	           ? caller_may_pattern(
			 op->conn, kinds, name, op->want.topic_len)
	           : caller_may(op->conn, kinds, name, op->want.topic_len);
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
	if (!granted_kinds(op, needs, topic)) {
		stats_add(&hub->net->stats, STATS_REFUSED_GRANTS, 1);
		return false;
	}
	op->withheld =
	    op->want.has_since &&
	    !caller_may(op->conn, GRANT_HISTORY, topic, op->want.topic_len);
	return true;
}
