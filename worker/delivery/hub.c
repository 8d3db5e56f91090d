/* SPDX-License-Identifier: MIT */
/* hub.c - see hub.h. */

#include "worker/delivery/hub.h"

#include "worker/delivery/pack.h"

void
hub_put_record(struct hub *hub, enum form_id form,
    const struct sub_topic *topic, const struct ring_record *rec)
{
	struct arena *arena = &hub->net->arena;
	bool is_numbered = (rec->flags & RECORD_UNNUMBERED) == 0;

	(is_numbered ? form_put_message : form_put_ephemeral)(hub->forms[form],
	    &arena->bytes, rec, topic, hub->seg->header->epoch);
	if (form_base(form) != form)
		pack_frame(hub->net, &hub->packer);
	arena_end(arena, rec->topic, is_numbered ? rec->seq : ARENA_UNNUMBERED);
}

void
hub_put_gap(struct hub *hub, enum form_id form, const struct sub_topic *topic,
    uint64_t from, uint64_t to, enum gap_reason reason)
{
	struct arena *arena = &hub->net->arena;

	if (hub->forms[form]->gap == NULL)
		return;
	stats_add(&hub->net->stats, STATS_GAPS, 1);
	form_put_gap(hub->forms[form], &arena->bytes, topic, from, to, reason,
	    hub->seg->header->epoch);
	arena_end(arena, topic->slot, to);
}
