/* SPDX-License-Identifier: MIT */
/*
 * chain.h - a topic's records, found backwards and read forwards.
 *
 * Each record names the position of its topic's previous one, so the cost of
 * history depends on how many messages it returns and not on the ring's size.
 * But the chain runs from the newest to the oldest, and a client that resumes
 * wants the oldest first.  The walk back notes where every CHAIN_STRIDE-th
 * record lies; reading forward then walks one stretch back at a time.  Each
 * header is looked at twice, and remembering a million records takes 128 KiB.
 *
 *	base+1 ... low ...... mark ...... mark ...... seq
 *	  gone     |  oldest that is left             newest
 *
 * Writers go on meanwhile, so any record may have been overwritten since the
 * walk.  That is found out record by record; the oldest go first.
 */

#ifndef BROKER_RING_CHAIN_H
#define BROKER_RING_CHAIN_H

#include "broker/ring/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_STRIDE 64u

struct chain {
	const struct segment *seg; /* borrowed */
	uint32_t topic;            /* directory slot */
	uint64_t seq;              /* number of the newest record */
	uint64_t low;              /* of the oldest that was found */
	uint64_t expired; /* of those that were found, when they were */
	uint64_t *marks;  /* owned: position of number seq - i * CHAIN_STRIDE */
	size_t marks_count, marks_max;
	uint64_t top; /* number of the mark that the stretch is of, 0: none */
	uint64_t stretch[CHAIN_STRIDE]; /* positions of top, top - 1, ... */
	uint64_t stretch_low;           /* lowest number in the stretch */
};

/*
 * Start at the record numbered seq at position pos (0: there is none), an exact
 * pair: from a look under the lock, or from a record that was read.
 * Owns: the caller, until chain_fini().
 */
void chain_init(struct chain *chain, const struct segment *seg, uint32_t topic,
    uint64_t seq, uint64_t pos);
void chain_fini(struct chain *chain);

/*
 * Walk back to number `first', or as far as the ring still has records.
 * chain->low is the lowest number found, seq + 1 if none is left; chain->expired
 * is how many of them are too old to be read (ring_expired()).
 * Blocks: never; costs a look per record.
 */
void chain_walk(struct chain *chain, uint64_t first);

/*
 * Walk back to the first message behind a place of a cluster's log: chain->low
 * is its number, seq + 1 if there is none.  Messages that were published here
 * without a place (local mode) may stand behind it elsewhere; where they may, the
 * walk goes further back, and finds some that are not behind it as well.
 * Returns: whether a message was met that has none behind the place before it:
 *          none is missing.
 */
bool chain_walk_place(struct chain *chain, uint64_t place);

/*
 * Copy the record of this number, low <= number <= seq, into bytes.
 * Returns: RING_OK; RING_LAPPED: it has been overwritten since, and every
 *          lower one too; RING_CORRUPT as ring_fetch().
 */
enum ring_status chain_read(struct chain *chain, uint64_t number,
    unsigned char *bytes, size_t size, struct ring_record *rec);

#endif
