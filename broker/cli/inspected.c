/* SPDX-License-Identifier: MIT */
/* inspected.c - see inspected.h. */

#include "broker/cli/inspected.h"

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"

#include <stdio.h>

/* How often a ring that is written to is verified, before that is given up. */
#define INSPECT_TRIES 5

/* Nobody writes: do what the next start would. */
static enum inspect_verdict
inspected_recover(struct inspected *it)
{
	bool is_whole = it->applied == it->head && it->making == 0;

	if (!ring_recover(&it->seg, it->why))
		return INSPECT_DAMAGED;
	return is_whole ? INSPECT_GOOD : INSPECT_REPAIRED;
}

void
inspected_judge(struct inspected *it)
{
	const struct layout_header *header = it->seg.header;

	it->applied = atomic_load(&header->applied);
	it->head = atomic_load(&header->head);
	it->reserve = atomic_load(&header->reserve);
	it->lock_owner = atomic_load(&header->owner);
	it->making = header->making;
	if (!it->is_alive) {
		it->verdict = inspected_recover(it);
		return;
	}
	it->verdict = INSPECT_CHANGING;
	for (int i = 0; i < INSPECT_TRIES; i++)
		if (ring_verify(&it->seg, it->why)) {
			it->verdict = INSPECT_GOOD;
			return;
		}
}

const char *
inspected_verdict(enum inspect_verdict verdict)
{
	static const char *const words[] = {
		[INSPECT_GOOD] = "good",
		[INSPECT_REPAIRED] = "repaired",
		[INSPECT_CHANGING] = "changing",
		[INSPECT_DAMAGED] = "damaged",
	};

	return words[verdict];
}

uint32_t
inspected_used(const struct inspected *it)
{
	uint32_t used = atomic_load(&it->seg.header->used);

	return used < it->seg.topics_max ? used : it->seg.topics_max;
}

bool
inspected_topic(
    const struct inspected *it, uint32_t slot, struct inspected_topic *topic)
{
	const struct segment *seg = &it->seg;
	const struct layout_topic *of = &seg->topics[slot];
	const char *name = seg->names[slot].name;

	if (of->state != TOPIC_LIVE)
		return false;
	*topic = (struct inspected_topic){
		.slot = slot,
		.seq = atomic_load(&of->seq),
		.base = atomic_load(&of->base),
		.last = atomic_load(&of->last),
		.subscribers = topics_subscribers(seg, slot),
		.name_len = of->name_len,
	};
	/* A name that is being written does not have its hash. */
	if (topics_hash(seg, name, topic->name_len) == of->hash)
		topic->name = name;
	return true;
}
