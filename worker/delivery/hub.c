/* SPDX-License-Identifier: MIT */
/* hub.c - see hub.h. */

#include "worker/delivery/hub.h"

void
hub_put_message(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, const struct ring_record *rec)
{
	struct arena *arena = &hub->net->arena;

	hub->forms[form]->message(
	    &arena->bytes, rec, topic, hub->seg->header->epoch);
	arena_end(arena, rec->topic, rec->seq);
}

void
hub_put_gap(struct hub *hub, enum form_id form, const struct sub_topic *topic,
    uint64_t from, uint64_t to, enum gap_reason reason)
{
	struct arena *arena = &hub->net->arena;

	if (hub->forms[form]->gap == NULL)
		return;
	stats_add(&hub->net->stats, STATS_GAPS, 1);
	hub->forms[form]->gap(
	    &arena->bytes, topic, from, to, reason, hub->seg->header->epoch);
	arena_end(arena, topic->slot, to);
}
