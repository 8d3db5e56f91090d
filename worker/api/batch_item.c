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
	item->failure = (struct failure){ .code = code, .reason = reason };
}

void
batch_item_put(struct buf *text, const struct batch_item *item)
{
	char reason[FAILURE_TEXT_MAX];

	if (item->failure.code == NULL) {
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
	failure_text(&item->failure, reason);
	buf_printf(text, "{\"error\":{\"code\":\"%s\",\"reason\":\"%s\"}}",
	    item->failure.code, reason);
}

void
batch_item_note(
    struct hub *hub, struct batch_item *item, const struct intake_op *op)
{
	if (op->result != INTAKE_DONE) {
		CHECK(failure_of(hub, op, &item->failure));
		return;
	}
	item->is_ephemeral = op->want.is_ephemeral;
	item->seq = op->start.seq;
	item->subscribers = op->count;
	item->tells_count = api_tells_count(hub, op);
	item->duplicate = op->duplicate;
}
