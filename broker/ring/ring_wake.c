/* SPDX-License-Identifier: MIT */
/* ring_wake.c - which workers a publisher wakes; see ring.h. */

#include "broker/ring/ring.h"

/* Workers that are a quarter of the ring behind. */
static uint64_t
ring_laggards(const struct ring *ring, uint64_t head)
{
	unsigned n = segment_workers(ring->seg);
	uint64_t who = 0;

	for (unsigned w = 0; w < n; w++) {
		uint64_t cursor = atomic_load_explicit(
		    &ring->seg->workers[w].cursor, memory_order_relaxed);

		/* a cursor may be beyond the head that we looked at */
		if (head > cursor && head - cursor > ring->capacity / 4)
			who |= UINT64_C(1) << w;
	}
	return who;
}

uint64_t
ring_interest(struct ring *ring, const struct ring_msg *msgs, size_t n)
{
	uint64_t who = 0;
	uint64_t head;

	/* wake-1: the other half of this fence is in wakeup_fall_asleep() */
	atomic_thread_fence(memory_order_seq_cst);
	/* wake-2: a later subscriber subscribes under the lock, and sees
	 * head */
	who |= atomic_load_explicit(
	    &ring->header->following, memory_order_relaxed);
	for (size_t i = 0; i < n; i++)
		who |= atomic_load_explicit(
		    &ring->seg->topics[msgs[i].topic].interest,
		    memory_order_relaxed);
	head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
	if (head - ring->looked_at >= ring->capacity / 16) {
		ring->looked_at = head;
		who |= ring_laggards(ring, head);
	}
	return who;
}
