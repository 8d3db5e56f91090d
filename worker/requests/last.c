/* SPDX-License-Identifier: MIT */
/* last.c - see last.h. */

#include "worker/requests/last.h"

#include "broker/ring/retain.h"
#include "common/xmalloc.h"

#include <string.h>

/* The value of the request's topic, or NULL. */
static const struct layout_chunk *
last_find(const struct hub *hub, const struct intake_op *op)
{
	const struct retain_name name = {
		.at = intake_topic(hub->intake, op),
		.len = op->want.topic_len,
		.hash = op->hash,
	};

	return retain_find(hub->seg, &name);
}

uint64_t
last_cost(const struct hub *hub, const struct intake_op *op)
{
	const struct layout_chunk *head = last_find(hub, op);

	return head == NULL
	           ? 0
	           : retain_chunks(head->name_len, head->head.body_len);
}

static struct last_value *
last_new(struct intake *intake)
{
	if (intake->lasts_count == intake->lasts_max) {
		intake->lasts_max = intake->lasts_max * 2 + 16;
		intake->lasts = xreallocarray(
		    intake->lasts, intake->lasts_max, sizeof(*intake->lasts));
	}
	return &intake->lasts[intake->lasts_count++];
}

void
last_look(struct hub *hub, struct intake_op *op)
{
	const struct layout_chunk *head = last_find(hub, op);
	struct buf *bytes = &hub->intake->last_bytes;
	struct last_value *value;

	if (head == NULL)
		return;
	value = last_new(hub->intake);
	value->seq = head->head.seq;
	value->time_ms = head->head.time_ms;
	value->body_len = head->head.body_len;
	value->at = bytes->len;
	retain_copy(hub->seg, head, buf_room(bytes, value->body_len));
	bytes->len += value->body_len;
	op->last = hub->intake->lasts_count;
}

bool
last_get(
    const struct hub *hub, const struct intake_op *op, struct ring_record *rec)
{
	const struct last_value *value;

	if (op->last == 0)
		return false;
	value = &hub->intake->lasts[op->last - 1];
	memset(rec, 0, sizeof(*rec));
	rec->seq = value->seq;
	rec->time_ms = value->time_ms;
	rec->body = hub->intake->last_bytes.at + value->at;
	rec->body_len = value->body_len;
	return true;
}
