/* SPDX-License-Identifier: MIT */
/* failure.c - see failure.h. */

#include "worker/requests/failure.h"

#include "common/bug.h"
#include "common/config.h"
#include "worker/delivery/hub.h"
#include "worker/requests/intake.h"

#include <stdio.h>

static const struct failure failures[] = {
	[INTAKE_TOO_MANY] = { .code = "too_many_topics",
	    .reason = "topics per connection" },
	[INTAKE_HOLDS_TOO_MANY] = { .code = "too_many_topics",
	    .reason = "too many topics from your address, few are left" },
	[INTAKE_TOO_MANY_PATTERNS] = { .code = "too_many_patterns",
	    .reason = "patterns per connection" },
	[INTAKE_PATTERNS_FULL] = { .code = "too_many_patterns",
	    .reason = "there is no room for another pattern" },
	[INTAKE_TOO_MANY_MEMBERS] = { .code = "too_many_members",
	    .reason = "too many users from your address, few places are "
		      "left" },
	[INTAKE_DIRECTORY_FULL] = { .code = "directory_full",
	    .reason = "topics have subscribers: no room for another" },
	[INTAKE_MEMBERS_FULL] = { .code = "members_full",
	    .reason = "not all members are known: their table is full" },
	[INTAKE_KEYS_FULL] = { .code = "keys_full",
	    .reason = "no room to remember another key now" },
	[INTAKE_RETAIN_FULL] = { .code = "retain_full",
	    .reason = "no room for another last value" },
	[INTAKE_TOO_FAST] = { .code = "too_fast",
	    .reason = "the topic takes no more messages in this second" },
	[INTAKE_DRAINING] = { .code = "draining",
	    .reason = "the server takes no more messages" },
	[INTAKE_CLUSTER_DOWN] = { .code = "cluster_down",
	    .reason = "this host has lost the others: nothing was done" },
	[INTAKE_NOT_IN_CLUSTER] = { .code = "not_in_cluster",
	    .reason = "a cluster has no retain, key or ttl yet" },
	[INTAKE_NO_TOPIC] = { .code = "not_found",
	    .reason = "there is no such topic" },
	[INTAKE_NOT_SUBSCRIBED] = { .code = "not_subscribed",
	    .reason = "this connection has not subscribed to the topic" },
	[INTAKE_RESUBSCRIBED] = { .code = "bad_request",
	    .reason = "since, history, last and every_ms are for a new "
		      "subscription" },
	[INTAKE_FORBIDDEN] = { .code = "forbidden",
	    .reason = "there is no grant for this" },
	[INTAKE_UNAUTHORIZED] = { .code = "unauthorized",
	    .reason = "this needs a token that grants it" },
};

bool
failure_of(
    const struct hub *hub, const struct intake_op *op, struct failure *failure)
{
	const struct config *config = hub->net->config;

	switch (op->result) {
	case INTAKE_DONE:
	case INTAKE_LATER:
	case INTAKE_WAITING:
	case INTAKE_PUT_OFF:
		return false;
	default:
		break;
	}
	CHECK(op->result < sizeof(failures) / sizeof(failures[0]) &&
	      failures[op->result].code != NULL);
	*failure = failures[op->result];
	if (op->result == INTAKE_TOO_MANY)
		failure->limit = config->max_topics_per_conn;
	else if (op->result == INTAKE_TOO_MANY_PATTERNS)
		failure->limit = config->max_patterns_per_conn;
	else if (op->result == INTAKE_DIRECTORY_FULL)
		failure->limit = config->max_topics;
	else if (op->result == INTAKE_FORBIDDEN && op->want.kind == INTAKE_AUTH)
		failure->reason = "the token is another user's";
	else if (op->result == INTAKE_NOT_SUBSCRIBED &&
		 intake_is_of_pattern(&op->want))
		failure->reason =
		    "this connection has not subscribed to the pattern";
	return true;
}

void
failure_text(const struct failure *failure, char text[FAILURE_TEXT_MAX])
{
	if (failure->limit == 0)
		snprintf(text, FAILURE_TEXT_MAX, "%s", failure->reason);
	else
		snprintf(text, FAILURE_TEXT_MAX, "%u %s",
		    (unsigned)failure->limit, failure->reason);
}
