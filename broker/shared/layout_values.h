/* SPDX-License-Identifier: MIT */
/*
 * layout_values.h - the bytes behind what a single publish may ask for.
 *
 *	+--------------------------------------------------------------+
 *	| struct layout_keys      control words                        |
 *	| struct layout_key       x keys_max     a queue, oldest first |
 *	| uint32_t                x key_buckets  hash index: place + 1 |
 *	+--------------------------------------------------------------+
 *	| struct layout_retain    control words                        |
 *	| uint32_t                x value_buckets  hash index likewise |
 *	| struct layout_chunk     x chunks_max   the last values       |
 *	+--------------------------------------------------------------+
 *
 * The area lives as long as the ring: over restarts, over `stop' with
 * --keep-ring, and over the death of any process.  All of it is read and
 * written under the ring's lock alone, so nothing in it need be atomic, and
 * nothing is ever seen half-written: who died while holding the lock is
 * cleaned up after before anybody looks (ring_repair.c).
 *
 *  field                 written by    and after a death of the lock's holder
 *  --------------------  ------------  ---------------------------------------
 *  keys.changing         lock holder   1: the index is not to be believed
 *  keys.first, .next     lock holder   which entries there are: one store each
 *  key (an entry)        lock holder,  whole before `next' counts it
 *                        outside
 *                        [first, next)
 *  key.link, buckets     lock holder   built anew from the entries
 *  retain.changing       lock holder   1: links and counts are not to be believed
 *  retain.used           lock holder   only grows: chunks behind it are zeros
 *  chunk.kind of a head  lock holder   says that this is a value: stored last
 *                                      when one is made, first when it goes
 *  a value's chunks      lock holder,  whole as long as its head is one
 *                        while kind
 *                        is not HEAD
 *  links, free, counts   lock holder   built anew from the heads
 *
 * A record of the ring that its publisher asked something more for ends with a
 * struct layout_extra (RECORD_EXTRA).  So a repair, which replays the records
 * that are committed but not applied, finds in the ring all that it has to do
 * again, and does it by the same calls as the publisher (dedup.h).
 */

#ifndef BROKER_SHARED_LAYOUT_VALUES_H
#define BROKER_SHARED_LAYOUT_VALUES_H

#include <stdalign.h>
#include <stdint.h>

/* The end of a record that has RECORD_EXTRA. */
struct layout_extra {
	uint64_t expires_ms; /* monotonic clock; 0: never */
	uint64_t key[2];     /* of the publish (dedup.h); zeros: none */
	uint64_t retain;     /* 1: it is the topic's last value (retain.h) */
};

/* A publish with a key, and what it was answered. */
struct layout_key {
	uint64_t key[2];
	uint64_t seq;   /* the number that the message got */
	uint64_t at_ms; /* when, monotonic clock; never falls along the queue */
	uint32_t link;  /* in its bucket's chain: place + 1, 0: end */
	uint32_t unused;
};

/* Entry number n, from 0 on, is in place n % keys_max. */
struct layout_keys {
	alignas(64) uint32_t changing; /* 1: the index is being changed */
	uint64_t first;                /* number of the oldest entry */
	uint64_t next;                 /* number that the next one gets */
};

/* The last values: what is free, and how much is not. */
struct layout_retain {
	alignas(64) uint32_t changing; /* 1: links are being changed */
	uint32_t used;       /* chunks that were ever a value's: the first */
	uint32_t free;       /* of these the first that is free: place + 1 */
	uint32_t taken;      /* chunks that are a value's */
	uint32_t values;     /* values */
	uint64_t soonest_ms; /* no value's time is over before; 0: never */
};

enum layout_chunk_kind {
	CHUNK_FREE = 0,
	CHUNK_HEAD, /* the first of a value */
	CHUNK_MORE, /* of a value, too */
};

#define LAYOUT_CHUNK           128u /* bytes of a chunk */
#define LAYOUT_CHUNK_HEAD_ROOM 80u  /* of a value in its first chunk */
#define LAYOUT_CHUNK_ROOM      120u /* and in each other one */

/* A piece of a value, or a free one.  A value is the topic's name and, right
 * behind it, the text. */
struct layout_chunk {
	uint32_t next;    /* of the same value, or of the free: place + 1 */
	uint8_t kind;     /* enum layout_chunk_kind */
	uint8_t name_len; /* of a head; bytes */
	uint16_t unused;
	union {
		struct {
			uint32_t link; /* in its bucket's chain: place + 1 */
			uint32_t body_len;
			uint32_t hash; /* of the name: topics_hash() */
			uint32_t unused;
			uint64_t seq;        /* in the topic */
			uint64_t time_ms;    /* wall clock */
			uint64_t expires_ms; /* monotonic clock; 0: never */
			char data[LAYOUT_CHUNK_HEAD_ROOM];
		} head;
		char data[LAYOUT_CHUNK_ROOM];
	};
};

_Static_assert(sizeof(struct layout_chunk) == LAYOUT_CHUNK, "no room is lost");

#endif
