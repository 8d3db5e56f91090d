/* SPDX-License-Identifier: MIT */
/*
 * changing.h - a table of the segment says that it is being changed.
 *
 * Who changes several words of a table sets a word of it first, and clears that
 * last.  The next holder of the lock finds it set if this one has died in
 * between, and makes anew what can be derived.
 *
 * A process that dies has done all that it had done, in its order; only the
 * compiler could change that order, so a signal fence is enough.
 */

#ifndef BROKER_RING_CHANGING_H
#define BROKER_RING_CHANGING_H

#include <stdatomic.h>
#include <stdint.h>

/* What follows changes the table.  Under the lock; not nested. */
static inline void
changing_begin(uint32_t *changing)
{
	*changing = 1;
	atomic_signal_fence(memory_order_seq_cst);
}

/* The table is whole again.  Under the lock. */
static inline void
changing_end(uint32_t *changing)
{
	atomic_signal_fence(memory_order_seq_cst);
	*changing = 0;
}

#endif
