/* SPDX-License-Identifier: MIT */
/* presence.c - see presence.h. */

#include "worker/requests/presence.h"

#include "broker/cluster/tell.h"
#include "broker/ring/members.h"
#include "broker/ring/topics.h"
#include "common/buf.h"
#include "common/bug.h"
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

/* Append the members of this host that are asked for. */
static void
presence_read(struct hub *hub, const struct intake_op *op, bool has_topic,
    struct buf *out)
{
	struct members_page page = { 0 };

	buf_puts(out, ",\"members\":[");
	if (has_topic)
		members_page(hub->seg, op->start.slot, op->want.since,
		    op->want.limit, out, &page);
	buf_puts(out, "]");
	if (page.has_more) {
		buf_puts(out, ",\"more\":true,\"after\":");
		buf_number(out, page.last);
	}
}

bool
presence_asks_hosts(
    const struct hub *hub, const struct intake_op *op, const struct sub *sub)
{
	return hub->waiting != NULL && !op->is_back &&
	       op->want.answer != NULL && presence_may_ask_hosts(&op->want) &&
	       op->want.watch != INTAKE_WATCH_BEGIN &&
	       (sub == NULL || !sub->watches);
}

void
presence_question(
    const struct intake_op *op, const char *topic, struct question *question)
{
	*question = (struct question){
		.kind = QUESTION_TOPIC,
		.wants_members = op->want.wants_members,
		.counts_members = op->want.counts_members,
		.limit = op->want.wants_members ? op->want.limit : 0,
		.after = op->want.since,
		.name = topic,
		.name_len = op->want.topic_len,
	};
}

/* Append the members of all hosts, and where to go on. */
static void
presence_put_members(struct buf *out, const struct part *all)
{
	struct part_entry entry;
	const char *comma = "";
	uint64_t last = 0;
	size_t at = 0;

	buf_puts(out, ",\"members\":[");
	while (part_next(all, &at, &entry)) {
		const struct member_user user = { .name = entry.name,
			.name_len = entry.name_len,
			.info = entry.info,
			.info_len = entry.info_len,
			.is_verified = entry.is_verified };

		buf_puts(out, comma);
		members_put_user(out, &user);
		buf_puts(out, ",\"connections\":");
		buf_number(out, entry.number);
		buf_puts(out, "}");
		comma = ",";
		last = entry.key;
	}
	buf_puts(out, "]");
	if (all->has_more) {
		buf_puts(out, ",\"more\":true,\"after\":");
		buf_number(out, last);
	}
}

void
presence_put_hosts(struct buf *out, uint32_t hosts, uint32_t silent)
{
	buf_puts(out, ",\"hosts\":");
	buf_number(out, hosts);
	buf_puts(out, ",\"silent\":");
	buf_number(out, silent);
}

/* What was put together from there on is for the answer. */
static void
presence_note(struct intake_op *op, size_t start, const struct buf *out)
{
	if (out->len == start)
		return;
	op->members_at = start;
	op->members_len = (uint32_t)(out->len - start);
}

/* What all hosts have to tell together goes into the answer. */
static void
presence_take(struct hub *hub, struct intake_op *op, const struct part *all)
{
	struct buf *out = &hub->intake->members;
	size_t start = out->len;

	op->count = all->subscribers;
	if (op->want.counts_members) {
		op->members = all->members;
		return;
	}
	if (op->want.wants_members)
		presence_put_members(out, all);
	presence_put_hosts(out, all->hosts, all->silent);
	presence_note(op, start, out);
}

enum intake_result
presence_of_hosts(struct hub *hub, struct intake_op *op, bool has_topic)
{
	struct part all, others;
	enum intake_result result;
	struct question question;

	presence_question(op, intake_topic(hub->intake, op), &question);
	part_init(&all);
	part_init(&others);
	CHECK(part_read(
	    intake_body(hub->intake, op), op->want.body_len, &others));
	tell_topic(hub->seg, has_topic ? op->start.slot : TOPICS_NONE,
	    &question, &all);
	part_merge(&all, &others, question.limit);
	if (all.is_unsure)
		result = INTAKE_MEMBERS_FULL;
	else
		result = all.is_known ? INTAKE_DONE : INTAKE_NO_TOPIC;
	if (!all.is_unsure)
		presence_take(hub, op, &all);
	part_fini(&others);
	part_fini(&all);
	return result;
}

/* The same of this host alone. */
static enum intake_result
presence_of_host(struct hub *hub, struct intake_op *op, bool has_topic)
{
	struct buf *out = &hub->intake->members;
	size_t start = out->len;

	if ((op->want.wants_members || op->want.counts_members) &&
	    !attend_knows_all(hub))
		return INTAKE_MEMBERS_FULL;
	if (op->want.counts_members && has_topic)
		op->members = members_count(hub->seg, op->start.slot);
	if (op->want.wants_members)
		presence_read(hub, op, has_topic, out);
	if (hub->waiting != NULL && !op->want.counts_members)
		presence_put_hosts(out, 1, 0);
	presence_note(op, start, out);
	return has_topic ? INTAKE_DONE : INTAKE_NO_TOPIC;
}

enum intake_result
presence_ask(
    struct hub *hub, struct intake_op *op, struct sub *sub, bool has_topic)
{
	enum intake_watch watch = op->want.watch;
	enum intake_result result;

	if (watch != INTAKE_WATCH_AS_IS && sub == NULL)
		return INTAKE_NOT_SUBSCRIBED;
	if (watch == INTAKE_WATCH_BEGIN && !attend_knows_all(hub))
		return INTAKE_MEMBERS_FULL;
	result = op->is_back ? presence_of_hosts(hub, op, has_topic)
	                     : presence_of_host(hub, op, has_topic);
	if (result == INTAKE_MEMBERS_FULL)
		return result;
	if (watch == INTAKE_WATCH_BEGIN)
		watch_begin(hub, sub);
	else if (watch == INTAKE_WATCH_END)
		watch_end(hub, sub);
	return result;
}

void
presence_put(const struct hub *hub, const struct intake_op *op, struct buf *out)
{
	if (op->members_len > 0)
		buf_add(out, hub->intake->members.at + op->members_at,
		    op->members_len);
}
