/* SPDX-License-Identifier: MIT */
/* batch_item.c - see batch_item.h. */

#include "worker/api/batch_item.h"

#include "common/bug.h"
#include "worker/api/answer.h"
#include "worker/requests/intake.h"

#include <inttypes.h>

void
batch_item_fail(struct batch_item *item, const char *code, const char *reason)
{
	item->code = code;
	item->reason = reason;
}

void
batch_item_put(struct buf *text, const struct batch_item *item)
{
	if (item->code == NULL) {
		const char *comma = "";

		buf_puts(text, "{");
		if (!item->is_ephemeral) {
			buf_printf(text, "\"seq\":%" PRIu64, item->seq);
			comma = ",";
		}
		if (item->tells_count)
			buf_printf(text, "%s\"subscribers\":%" PRIu64, comma,
			    item->subscribers);
		if (item->duplicate)
			buf_printf(text, "%s\"duplicate\":true",
			    item->tells_count ? "," : comma);
		buf_puts(text, "}");
		return;
	}
	buf_printf(text, "{\"error\":{\"code\":\"%s\",\"reason\":\"%s\"}}",
	    item->code, item->reason);
}

void
batch_item_note(
    struct hub *hub, struct batch_item *item, const struct intake_op *op)
{
	switch (op->result) {
	case INTAKE_DONE:
		item->is_ephemeral = op->want.is_ephemeral;
		item->seq = op->start.seq;
		item->subscribers = op->count;
		item->tells_count = api_tells_count(hub, op);
		item->duplicate = op->duplicate;
		return;
	case INTAKE_DIRECTORY_FULL:
		batch_item_fail(
		    item, "directory_full", "all topics have subscribers");
		return;
	case INTAKE_TOO_FAST:
		batch_item_fail(item, "too_fast",
		    "the topic takes no more messages in this second");
		return;
	case INTAKE_KEYS_FULL:
		batch_item_fail(
		    item, "keys_full", "no room to remember another key now");
		return;
	case INTAKE_RETAIN_FULL:
		batch_item_fail(
		    item, "retain_full", "no room for another last value");
		return;
	case INTAKE_DRAINING:
		batch_item_fail(item, "draining", "the server is going away");
		return;
	case INTAKE_CLUSTER_DOWN:
		batch_item_fail(item, "cluster_down",
		    "this host has lost the others: nothing was done");
		return;
	case INTAKE_NOT_IN_CLUSTER:
		batch_item_fail(item, "not_in_cluster",
		    "a cluster has no retain, key or ttl yet");
		return;
	case INTAKE_FORBIDDEN:
		batch_item_fail(
		    item, "forbidden", "there is no grant to publish this");
		return;
	case INTAKE_UNAUTHORIZED:
		batch_item_fail(
		    item, "unauthorized", "this needs a token that grants it");
		return;
	case INTAKE_MEMBERS_FULL:
	case INTAKE_NO_TOPIC:
	case INTAKE_TOO_MANY:
	case INTAKE_TOO_MANY_PATTERNS:
	case INTAKE_PATTERNS_FULL:
	case INTAKE_HOLDS_TOO_MANY:
	case INTAKE_TOO_MANY_MEMBERS:
	case INTAKE_NOT_SUBSCRIBED:
	case INTAKE_RESUBSCRIBED:
	case INTAKE_LATER:
	case INTAKE_WAITING:
	case INTAKE_PUT_OFF:
		break;
	}
	BUG("no publish ends like this");
}
