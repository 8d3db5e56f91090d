/* SPDX-License-Identifier: MIT */
/* topics_floor.c - see topics_floor.h. */

#include "broker/ring/topics_floor.h"

uint64_t
topics_highest(const struct segment *seg)
{
	uint32_t used = atomic_load(&seg->header->used);
	uint64_t highest = seg->header->floor;

	for (uint32_t slot = 0; slot < used; slot++) {
		uint64_t seq = atomic_load(&seg->topics[slot].seq);

		if (highest < seq)
			highest = seq;
	}
	return highest;
}

void
topics_raise_floor(struct segment *seg, uint64_t floor)
{
	if (seg->header->floor < floor)
		seg->header->floor = floor;
}
