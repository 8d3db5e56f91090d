/* SPDX-License-Identifier: MIT */
/*
 * retain_repair.c - find the values of a slab by their heads; see retain.h.
 *
 *	1. no chunk but a head belongs to anybody
 *	2. what each head leads to is its own
 *	3. the heads are linked, and the rest is free
 *
 * No link between values is followed, and no number believed that can be
 * counted; so after a death in the middle this is simply done again.
 */

#include "broker/ring/retain.h"

#include "broker/ring/changing.h"
#include "broker/ring/retain_index.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Step 2 for one value.  Returns false if it is none: what it leads to is too
 * short or too long, outside the slab, or another's. */
static bool
repair_claim(struct segment *seg, const struct layout_chunk *head)
{
	uint32_t left = retain_chunks(head->name_len, head->head.body_len);
	uint32_t at = head->next;

	while (--left > 0) {
		struct layout_chunk *chunk;

		if (at == 0 || at > seg->retain->used)
			return false;
		chunk = &seg->chunks[at - 1];
		if (chunk->kind != CHUNK_FREE)
			return false;
		chunk->kind = CHUNK_MORE;
		at = chunk->next;
	}
	return at == 0;
}

static bool
repair_claim_all(struct segment *seg)
{
	for (uint32_t i = 0; i < seg->retain->used; i++)
		if (seg->chunks[i].kind != CHUNK_HEAD)
			seg->chunks[i].kind = CHUNK_FREE;
	stop_point_here(seg->header, STOP_VALUES_UNCLAIMED);
	for (uint32_t i = 0; i < seg->retain->used; i++)
		if (seg->chunks[i].kind == CHUNK_HEAD &&
		    !repair_claim(seg, &seg->chunks[i]))
			return false;
	return true;
}

/* Step 3 for one value. */
static void
repair_link(struct segment *seg, uint32_t i)
{
	struct layout_chunk *head = &seg->chunks[i];
	uint32_t *bucket = retain_bucket(seg, head->head.hash);
	uint64_t at = head->head.expires_ms;

	head->head.link = *bucket;
	*bucket = i + 1;
	seg->retain->values++;
	if (at != 0 &&
	    (seg->retain->soonest_ms == 0 || at < seg->retain->soonest_ms))
		seg->retain->soonest_ms = at;
}

static void
repair_link_all(struct segment *seg)
{
	struct layout_retain *retain = seg->retain;

	memset(seg->value_buckets, 0,
	    seg->value_bucket_count * sizeof(*seg->value_buckets));
	retain->values = retain->free = retain->taken = 0;
	retain->soonest_ms = 0;
	stop_point_here(seg->header, STOP_VALUES_UNLINKED);
	for (uint32_t i = retain->used; i-- > 0;) {
		if (seg->chunks[i].kind == CHUNK_HEAD)
			repair_link(seg, i);
		if (seg->chunks[i].kind != CHUNK_FREE) {
			retain->taken++;
			continue;
		}
		seg->chunks[i].next = retain->free;
		retain->free = i + 1;
	}
	changing_end(&retain->changing);
}

void
retain_repair(struct segment *seg)
{
	if (seg->retain->changing == 0)
		return;
	if (!repair_claim_all(seg))
		BUG("the slab holds a value that nobody put");
	repair_link_all(seg);
}

bool
retain_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	if (seg->retain->used > seg->chunks_max || !repair_claim_all(seg)) {
		snprintf(error, SEGMENT_ERROR_MAX,
		    "last values: one leads to what is not its own");
		return false;
	}
	repair_link_all(seg);
	return true;
}
