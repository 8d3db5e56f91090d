/* SPDX-License-Identifier: MIT */
/*
 * dedup.h - publishes with a key, remembered for a while: who publishes again
 * with the same key gets the first answer again, and nothing is published.
 *
 * The table is in the segment (layout_values.h), so it holds over all workers,
 * and over the death of the one that had published: a client that lost its
 * connection before the answer simply asks again.
 *
 * All keys are remembered equally long, so they are forgotten in the order in
 * which they came: a queue, with a hash index over it.  A full table never
 * forgets a key early, because its owner counts on it: the next publish with a
 * key is refused instead.
 *
 * A key is kept as a hash of 128 bits under the segment's secret, of the topic,
 * the user and the key: two users do not meet, and nobody can choose two that
 * collide.
 *
 * A process may die at any instruction in here: `changing' tells the next
 * holder of the lock to build the index anew, and a publish that was committed
 * but not noted is noted by the ring's replay.
 *
 * "Under the lock" is the ring's lock (ring.h).
 */

#ifndef BROKER_RING_DEDUP_H
#define BROKER_RING_DEDUP_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a key is known by.  All zeros is no key. */
struct dedup_key {
	uint64_t half[2];
};

/* A piece of a key's text; borrowed. */
struct dedup_text {
	const char *at;
	size_t len; /* bytes, 255 at most */
};

/* The hash of these texts, each apart from the next.  Any time. */
struct dedup_key dedup_hash(const struct segment *seg, struct dedup_text topic,
    struct dedup_text user, struct dedup_text key);

enum dedup_status {
	DEDUP_NEW = 0, /* nobody has published with it */
	DEDUP_KNOWN,   /* somebody has: *seq is the number that it got */
	DEDUP_FULL,    /* nobody has, and there is no room for it */
};

/*
 * Forget the keys that are older than the window, and look for this one.
 * now_ms: monotonic clock.  Under the lock.
 */
enum dedup_status dedup_look(struct segment *seg, const struct dedup_key *key,
    uint64_t now_ms, uint64_t window_ms, uint64_t *seq);

/*
 * Remember a key with its number; a key that is there with this number already
 * stays as it is, so a replay may say it again.  In a full table the oldest key
 * goes: after dedup_look() has said DEDUP_NEW under the same holding of the
 * lock there is room.
 * Callers: ring.c, ring_repair.c.  Under the lock.
 */
void dedup_put(struct segment *seg, const struct dedup_key *key, uint64_t seq,
    uint64_t now_ms);

/* Keys in the table.  A moment's value for who does not hold the lock. */
uint64_t dedup_count(const struct segment *seg);

/* Build the index anew if a dead holder was changing it.  Before the ring's
 * replay.  Under the lock. */
void dedup_repair(struct segment *seg);

/*
 * Whether the table of a dead server can be believed.  The index is not looked
 * at but made anew.  Callers: ring_recover(), alone.
 */
bool dedup_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX]);

#endif
