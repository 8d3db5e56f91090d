/* SPDX-License-Identifier: MIT */
/*
 * stamps.h - when the records of the ring were accepted, to the nanosecond.
 *
 * A record has the wall clock's milliseconds, for clients.  They are too coarse
 * to tell how long it took from one worker's socket to another's, and the clock
 * may be set.  So a publishing worker notes in this table, once per turn, from
 * which position on the records were accepted at which time of the monotonic
 * clock, which is the same in all processes of the host.  That costs two words
 * and one reading of the clock per batch; records stay as they are.
 *
 * The table keeps the last LAYOUT_STAMPS batches.  It is written under the
 * ring's lock and read without: a reader checks afterwards whether the entry
 * may have been overwritten.  If so, it uses the record's milliseconds instead,
 * which are fine enough for a record that is read so late.
 *
 *	stamp    | from 4096, at t1 | from 5120, at t2 | from 5120, at t3 |
 *	records  4096 4352 4608 ... | (its writer died) | 5120 5376 ...
 *
 * A stamp is written before its batch is committed, so a reader that sees a
 * record also sees its stamp: the last one that does not begin behind it.
 */

#ifndef BROKER_SHARED_STAMPS_H
#define BROKER_SHARED_STAMPS_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Note that the messages published next were accepted at this time.
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
