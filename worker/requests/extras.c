/* SPDX-License-Identifier: MIT */
/* extras.c - see extras.h. */

#include "worker/requests/extras.h"

#include "broker/ring/dedup.h"
#include "broker/ring/retain.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/xmalloc.h"
#include "worker/access/identities.h"
#include "worker/requests/caller.h"

#include <string.h>

/* What the key of a publish is known by. */
static struct dedup_key
extras_key(const struct hub *hub, const struct intake_op *op)
{
	const struct identity *identity = caller_identity(op->conn);
	struct dedup_text user = { "", 0 };

	if (identity != NULL)
		user = (struct dedup_text){ identity->sub, identity->sub_len };
	return dedup_hash(hub->seg,
	    (struct dedup_text){
		intake_topic(hub->intake, op), op->want.topic_len },
	    user,
	    (struct dedup_text){
		intake_key(hub->intake, op), op->want.key_len });
}

static enum intake_result
extras_look_up_key(
    struct hub *hub, struct intake_op *op, const struct layout_extra *extra)
{
	struct dedup_key key;

	memcpy(key.half, extra->key, sizeof(key.half));
	switch (dedup_look(hub->seg, &key, clock_monotonic_ms(),
	    hub->net->config->dedup_window_ms, &op->start.seq)) {
	case DEDUP_NEW:
		break;
	case DEDUP_KNOWN:
		op->duplicate = true;
		stats_add(&hub->net->stats, STATS_DUPLICATES, 1);
		break;
	case DEDUP_FULL:
		stats_add(&hub->net->stats, STATS_REFUSED_KEYS, 1);
		return INTAKE_KEYS_FULL;
	}
	return INTAKE_DONE;
}

/* Whether the topic's last value has room.  The topic has a slot. */
static enum intake_result
extras_look_for_room(struct hub *hub, const struct intake_op *op)
{
	const char *body = intake_body(hub->intake, op);
	const struct retain_name name = {
		.at = intake_topic(hub->intake, op),
		.len = op->want.topic_len,
		.hash = hub->seg->topics[op->start.slot].hash,
	};

	if (retain_is_empty(body, op->want.body_len) ||
	    retain_has_room(
		hub->seg, &name, op->want.body_len, clock_monotonic_ms()))
		return INTAKE_DONE;
	stats_add(&hub->net->stats, STATS_REFUSED_RETAIN, 1);
	return INTAKE_RETAIN_FULL;
}

enum intake_result
extras_admit(
    struct hub *hub, struct intake_op *op, const struct layout_extra *extra)
{
	enum intake_result result = INTAKE_DONE;

	if (hub->waiting != NULL)
		return INTAKE_NOT_IN_CLUSTER;
	if (op->want.key_len > 0)
		result = extras_look_up_key(hub, op, extra);
	if (result == INTAKE_DONE && !op->duplicate && op->want.retain)
		result = extras_look_for_room(hub, op);
	return result;
}

/* Room for the extra of the message that is gathered next.  A message that was
 * gathered before keeps a pointer, so there is room for all of a turn at once. */
static struct layout_extra *
extras_room(struct intake *intake)
{
	if (intake->extras_max < intake->msgs_max) {
		intake->extras_max = intake->msgs_max;
		free(intake->extras);
		intake->extras =
		    xcalloc(intake->extras_max, sizeof(*intake->extras));
	}
	return &intake->extras[intake->msgs_count];
}

const struct layout_extra *
extras_of(struct hub *hub, const struct intake_op *op)
{
	struct layout_extra *extra;
	struct dedup_key key;

	if (op->want.key_len == 0 && op->want.ttl_s == 0 && !op->want.retain)
		return NULL;
	extra = extras_room(hub->intake);
	memset(extra, 0, sizeof(*extra));
	extra->retain = op->want.retain;
	if (op->want.ttl_s != 0)
		extra->expires_ms =
		    clock_monotonic_ms() + (uint64_t)op->want.ttl_s * 1000;
	if (op->want.key_len > 0) {
		key = extras_key(hub, op);
		memcpy(extra->key, key.half, sizeof(extra->key));
	}
	return extra;
}
