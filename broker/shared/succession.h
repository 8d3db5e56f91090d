/* SPDX-License-Identifier: MIT */
/*
 * succession.h - one worker in the place of another, on the same slot.
 *
 * An upgrade gives each slot a new process, the successor, while the old one,
 * the predecessor, still has its connections.  One word of the slot says how far
 * they have come, and who may go on with the connections:
 *
 *	 +-------------- NONE <----------------------------------+
 *	 |                ^                                      |
 *	 | predecessor:   | predecessor: the successor is gone,  | successor:
 *	 | it froze       | go on                                | it serves
 *	 v                |                                      |
 *	FROZEN -----------+                                      |
 *	 |                |                                      |
 *	 | successor: it  |                                      |
 *	 | has them all   |                                      |
 *	 v                |                                      |
 *	REBUILT ----------+                                      |
 *	 |                                                       |
 *	 | supervisor, after a look whether the successor lives  |
 *	 v                                                       |
 *	COMMITTED	the predecessor leaves                   |
 *	 |                                                       |
 *	 | supervisor: it has left, and is reaped                |
 *	 v                                                       |
 *	GRANTED -------------------------------------------------+
 *
 * Every step is one compare-and-swap, so when the predecessor wants to go on
 * and the supervisor wants to commit, one of them finds that it is too late.  A
 * connection is never served by both, nor by none.
 *
 * Who dies	before COMMITTED	from then on
 * successor	the predecessor goes on	the worker is dead, as any other
 * predecessor	FROZEN: the successor may still have got everything, and goes
 *		on to REBUILT; else both are gone
 */

#ifndef BROKER_SHARED_SUCCESSION_H
#define BROKER_SHARED_SUCCESSION_H

#include "broker/shared/layout.h"

#include <stdbool.h>

enum succession {
	SUCCESSION_NONE = 0,
	SUCCESSION_FROZEN,
	SUCCESSION_REBUILT,
	SUCCESSION_COMMITTED,
	SUCCESSION_GRANTED,
};

static inline enum succession
succession_of(const struct layout_worker *worker)
{
	return (enum succession)atomic_load(&worker->succession);
}

/* Take one of the steps above.  Returns false if the word was another. */
static inline bool
succession_step(
    struct layout_worker *worker, enum succession from, enum succession to)
{
	uint32_t expected = (uint32_t)from;

	return atomic_compare_exchange_strong(
	    &worker->succession, &expected, (uint32_t)to);
}

#endif
