/* SPDX-License-Identifier: MIT */
/*
 * ring_repair.c - the repair after the death of a lock holder; see ring.h.
 *
 *	lock-2      replay what is committed but not applied: repair-1, -2
 *	lock-3      finish what was being made in the directory
 *
 * A repair does not ask whether the lock reports a death: a lock that was made
 * anew for another run does not know the holder of the old one.  A repair
 * stores values and never adds to them, so after a death in the middle it is
 * simply done again.
 */

#include "broker/ring/ring.h"

#include "broker/ring/ring_bytes.h"
#include "broker/ring/topics.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

/* Tell the directory of each record that is committed but not applied. */
static void
repair_replay(struct segment *seg)
{
	struct layout_header *h = seg->header;
	uint64_t head = atomic_load(&h->head);
	uint64_t pos = atomic_load(&h->applied);
	struct layout_record rec;

	while (pos < head) {
		if (!ring_peek(seg, pos, head, &rec))
			BUG("the ring holds a record that nobody wrote");
		/* repair-1: stored, never added */
		if (!(rec.flags & RECORD_PADDING))
			ring_apply(&seg->topics[rec.topic], rec.seq, pos);
		pos += rec.length;
		stop_point_here(h, STOP_HALF_REPLAYED);
	}
	/* repair-2: last, or nobody would repeat the repair after a death */
	atomic_store_explicit(&h->applied, head, memory_order_release);
}

void
ring_repair(struct segment *seg)
{
	struct layout_header *h = seg->header;

	/* lock-2: whether or not anybody is known to have died */
	if (atomic_load(&h->applied) != atomic_load(&h->head))
		repair_replay(seg);
	/* lock-3: the same */
	topics_repair(seg);
}
