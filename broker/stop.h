/* SPDX-License-Identifier: MIT */
/*
 * stop.h - named places where a test can stop a process, to kill it there.
 *
 * Only in builds with -DTESTING.  A test arms one place in the segment; the
 * next process that comes by disarms it and stops itself with SIGSTOP, so that
 * the test sees it by waitpid(2) with WUNTRACED, and then kills or continues
 * it.  The production build has none of it.
 */

#ifndef BROKER_STOP_H
#define BROKER_STOP_H

#include "broker/layout.h"

enum stop_place {
	STOP_NOWHERE = 0,
	STOP_BEFORE_RESERVE,  /* lock held, nothing done */
	STOP_RESERVED,        /* reserve moved */
	STOP_HALF_COPIED,     /* the batch's first record is in */
	STOP_COPIED,          /* all are in, head not moved */
	STOP_COMMITTED,       /* head moved, directory not told */
	STOP_HALF_APPLIED,    /* the directory knows the first record */
	STOP_APPLIED,         /* applied = head, lock still held */
	STOP_TOPIC_HALF_MADE, /* a slot is named in `making', not linked */
	STOP_BEFORE_WAKE,     /* unlocked, nobody woken yet */
	STOP_TOPIC_RETIRED,   /* recycling: unlinked, not yet free */
	STOP_HALF_REPLAYED,   /* repair: the directory knows the first record */
	STOP_INDEX_EMPTY,     /* repair: the hash index is being built anew */
	STOP_REPAIRED,        /* repair: all is done, the mutex not marked so */
};

#ifdef TESTING
#include <signal.h>

static inline void
stop_here(struct layout_header *header, enum stop_place place)
{
	uint32_t armed = (uint32_t)place;

	if (atomic_compare_exchange_strong(
		&header->stop_at, &armed, STOP_NOWHERE))
		raise(SIGSTOP);
}
#else
static inline void
stop_here(struct layout_header *header, enum stop_place place)
{
	(void)header;
	(void)place;
}
#endif

#endif
