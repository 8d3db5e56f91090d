/* SPDX-License-Identifier: MIT */
/* stamps.c - see stamps.h. */

#include "broker/shared/stamps.h"

#include <stdatomic.h>

void
stamps_add(const struct segment *seg, uint64_t ns)
{
	struct layout_header *h = seg->header;
	uint64_t number =
	    atomic_load_explicit(&h->stamped, memory_order_relaxed);
	struct layout_stamp *stamp = &seg->stamps[number % LAYOUT_STAMPS];

	/* A reader that sees one of the next two words also sees `stamped' as
	 * it is now, and so knows that the old entry is gone
	 * (stamps_read()). */
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&stamp->from,
	    atomic_load_explicit(&h->head, memory_order_relaxed),
	    memory_order_relaxed);
	atomic_store_explicit(&stamp->ns, ns, memory_order_relaxed);
	atomic_store_explicit(&h->stamped, number + 1, memory_order_release);
}

/* Read a stamp that has been written.  Returns false if it may have been
 * overwritten by now. */
static bool
stamps_read(
    const struct segment *seg, uint64_t number, uint64_t *from, uint64_t *ns)
{
	const struct layout_stamp *stamp = &seg->stamps[number % LAYOUT_STAMPS];
	uint64_t stamped;

	*from = atomic_load_explicit(&stamp->from, memory_order_relaxed);
	*ns = atomic_load_explicit(&stamp->ns, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	stamped =
	    atomic_load_explicit(&seg->header->stamped, memory_order_relaxed);
	return stamped - number < LAYOUT_STAMPS;
}

/*
 * Go on from the stamp at the cursor, whose number is below `stamped', to the
 * last one that does not begin behind pos.
 */
static bool
stamps_advance(const struct segment *seg, struct stamps_cursor *cursor,
    uint64_t pos, uint64_t end, uint64_t stamped)
{
	uint64_t from, ns;

	if (!stamps_read(seg, cursor->at, &cursor->from, &cursor->ns) ||
	    cursor->from > pos)
		return false;
	cursor->to = end; /* stamps that are not there yet are behind it */
	while (cursor->at + 1 < stamped) {
		if (!stamps_read(seg, cursor->at + 1, &from, &ns))
			return false;
		if (from > pos) {
			cursor->to = from;
			break;
		}
		cursor->at++;
		cursor->from = from;
		cursor->ns = ns;
	}
	return true;
}

bool
stamps_find(const struct segment *seg, struct stamps_cursor *cursor,
    uint64_t pos, uint64_t end)
{
	uint64_t stamped =
	    atomic_load_explicit(&seg->header->stamped, memory_order_acquire);

	if (pos >= cursor->from && pos < cursor->to)
		return true;
	if (stamped == 0)
		return false;
	if (stamped - cursor->at >= LAYOUT_STAMPS)
		cursor->at = stamped - LAYOUT_STAMPS + 1;
	if (stamps_advance(seg, cursor, pos, end, stamped))
		return true;
	cursor->to = cursor->from;
	return false;
}
