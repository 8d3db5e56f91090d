/* SPDX-License-Identifier: MIT */
/*
 * retain.h - the last value of a topic, for who comes later.
 *
 * A message that is published to be retained is its topic's last value until
 * another one is, or until one with an empty text clears it.  It outlives the
 * ring's turn-over and the topic's slot in the directory: the values lie in a
 * slab of their own, under the names of the topics.
 *
 *	bucket -> head chunk -> chunk -> chunk		a value: its name, its text
 *	            | link
 *	          head chunk ...			another value
 *	free   -> chunk -> chunk -> ...
 *
 * The slab (layout_values.h) is chunks of equal size, so it has no holes to
 * compact, and whether a value has room is a comparison of two numbers.  That is
 * asked before the message is published; a value that has none is refused, and
 * the one before it stays.
 *
 * All of it is under the ring's lock, readers too: what is read is copied, and
 * never torn.  A process may die at any instruction in here.  `changing' tells
 * the next holder of the lock that links and the list of free chunks are not to
 * be believed: retain_repair() finds the values by their heads, whose `kind' is
 * written last when a value is made and first when it goes, and frees the rest.
 * A value that was committed to the ring and not put here is put by the ring's
 * replay, which comes after that.
 */

#ifndef BROKER_RING_RETAIN_H
#define BROKER_RING_RETAIN_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The topic of a value; borrowed. */
struct retain_name {
	const char *at;
	uint8_t len;
	uint32_t hash; /* topics_hash() */
};

/* A value, to be put. */
struct retain_value {
	const char *body; /* JSON text; borrowed */
	uint32_t body_len;
	uint64_t seq;        /* its number in the topic */
	uint64_t time_ms;    /* wall clock */
	uint64_t expires_ms; /* monotonic clock; 0: never */
};

/* Chunks that a value takes.  Any time. */
uint32_t retain_chunks(uint8_t name_len, uint32_t body_len);

/* Whether this text clears a topic's last value, instead of being it. */
bool retain_is_empty(const char *body, uint32_t body_len);

/*
 * Whether a value with a text of this length has room, once that of the same
 * topic is gone.  If not, the values whose time is over are freed first.  What
 * clears a value has room always.
 * now_ms: monotonic clock.  Under the lock.
 */
bool retain_has_room(struct segment *seg, const struct retain_name *name,
    uint32_t body_len, uint64_t now_ms);

/*
 * Make this the topic's last value, in place of the one before it; or, if its
 * text is empty, forget that.  A value that is there already, by its number,
 * stays as it is, so a replay may say it again.  Without room the topic has no
 * value afterwards; retain_has_room() has said so before.
 * Callers: ring.c, ring_repair.c.  Under the lock.
 */
void retain_put(struct segment *seg, const struct retain_name *name,
    const struct retain_value *value);

/*
 * The topic's last value, or NULL if it has none, or one whose time is over.
 * Borrowed: good while the lock is held.  Under the lock.
 */
const struct layout_chunk *retain_find(
    const struct segment *seg, const struct retain_name *name);

/* Copy the text of a value that was found; out has room for its body_len.  Under
 * the lock. */
void retain_copy(
    const struct segment *seg, const struct layout_chunk *head, char *out);

/* Put the slab right if a dead holder was changing it.  Before the ring's replay.
 * Under the lock. */
void retain_repair(struct segment *seg);

/* Whether the slab of a dead server can be believed; links are made anew.
 * Callers: ring_recover(), alone. */
bool retain_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX]);

#endif
