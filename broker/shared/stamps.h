/* SPDX-License-Identifier: MIT */
/*
 * stamps.h - when what is in the ring was accepted, to the nanosecond.
 *
 * A record has the wall clock's milliseconds, for clients: too coarse to tell
 * how long it took from one worker's socket to another's, and a clock that may
 * be set.  So whoever publishes notes in a table of its own, once per turn,
 * from which position on the ring holds what was accepted at which time of the
 * monotonic clock, which is the same in all processes of the host.  That is two
 * words per batch and one reading of the clock; records stay as they are.
 *
 * The table keeps the last LAYOUT_STAMPS batches.  It is written under the
 * ring's lock and read without: who finds afterwards that an entry may have
 * been overwritten does not use it, and takes the record's milliseconds, which
 * are fine enough for one that is so late.
 *
 *	stamp    | from 4096, at t1 | from 5120, at t2 | from 5120, at t3 |
 *	records  4096 4352 4608 ... | (its writer died) | 5120 5376 ...
 *
 * A stamp is written before its batch is committed, so whoever can see a record
 * can see its stamp: the last one that does not begin behind it.
 */

#ifndef BROKER_SHARED_STAMPS_H
#define BROKER_SHARED_STAMPS_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Note that what is published next was accepted at this time.
 * Under the ring's lock, before ring_publish().
 */
void stamps_add(const struct segment *seg, uint64_t ns);

/* A reader's place in the table. */
struct stamps_cursor {
	uint64_t at;   /* number of the stamp that was found last */
	uint64_t ns;   /* its time */
	uint64_t from; /* what it is good for: positions from here on, */
	uint64_t to;   /* below this; from = to: none */
};

/*
 * Find the stamp of the record at pos, and how far it is good for.  The ring
 * has been read up to `end', a head that was seen.  Positions only grow from
 * call to call.
 * Returns false if it is not there any more, or has never been.
 */
bool stamps_find(const struct segment *seg, struct stamps_cursor *cursor,
    uint64_t pos, uint64_t end);

#endif
