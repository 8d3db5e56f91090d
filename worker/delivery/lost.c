/* SPDX-License-Identifier: MIT */
/* lost.c - see lost.h. */

#include "worker/delivery/lost.h"

#include "common/log.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/pattern_tail.h"
#include "worker/delivery/replay.h"

uint64_t
lost_place(const struct segment *seg)
{
	return atomic_load_explicit(
	    &seg->header->cluster.lost, memory_order_acquire);
}

void
lost_look(struct hub *hub)
{
	uint64_t lost = lost_place(hub->seg);
	struct sub_topic *topic, *next;

	if (lost == hub->lost)
		return;
	hub->lost = lost;
	log_warnx("messages of another host never came to the log");
	HASH_ITER(hh, hub->subs.by_name, topic, next) {
		for (uint32_t i = 0; i < topic->count; i++)
			if (!topic->subs[i]->is_over)
				gap_tell(topic->subs[i], 0,
				    replay_last_told(topic->subs[i]), GAP_LOST);
	}
	if (hub->patterns != NULL)
		pattern_tail_tell(hub, GAP_CLUSTER);
}
