/* SPDX-License-Identifier: MIT */
/* presence.c - see presence.h. */

#include "worker/requests/presence.h"

#include "broker/ring/members.h"
#include "common/buf.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/watch.h"

uint64_t
presence_walk_len(const struct hub *hub, const struct intake_request *want)
{
	uint32_t present = atomic_load_explicit(
	    &hub->seg->header->members.present, memory_order_relaxed);

	return (uint64_t)PRESENCE_WALK *
	       (want->limit < present ? want->limit : present);
}

/* Read the members that are asked for into the intake. */
static void
presence_read(struct hub *hub, struct intake_op *op, bool has_topic)
{
	struct buf *out = &hub->intake->members;
	struct members_page page = { 0 };
	size_t start = out->len;

	buf_puts(out, ",\"members\":[");
	if (has_topic)
		members_page(hub->seg, op->start.slot, op->want.since,
		    op->want.limit, out, &page);
	buf_puts(out, "]");
	if (page.has_more) {
		buf_puts(out, ",\"more\":true,\"after\":");
		buf_number(out, page.last);
	}
	op->members_at = start;
	op->members_len = (uint32_t)(out->len - start);
}

enum intake_result
presence_ask(
    struct hub *hub, struct intake_op *op, struct sub *sub, bool has_topic)
{
	enum intake_watch watch = op->want.watch;

	if (watch != INTAKE_WATCH_AS_IS && sub == NULL)
		return INTAKE_NOT_SUBSCRIBED;
	if ((op->want.wants_members || op->want.counts_members ||
		watch == INTAKE_WATCH_BEGIN) &&
	    !attend_knows_all(hub))
		return INTAKE_MEMBERS_FULL;
	if (op->want.wants_members)
		presence_read(hub, op, has_topic);
	if (op->want.counts_members && has_topic)
		op->members = members_count(hub->seg, op->start.slot);
	if (watch == INTAKE_WATCH_BEGIN)
		watch_begin(hub, sub);
	else if (watch == INTAKE_WATCH_END)
		watch_end(hub, sub);
	return has_topic ? INTAKE_DONE : INTAKE_NO_TOPIC;
}

void
presence_put(const struct hub *hub, const struct intake_op *op, struct buf *out)
{
	if (op->members_len > 0)
		buf_add(out, hub->intake->members.at + op->members_at,
		    op->members_len);
}
