/* SPDX-License-Identifier: MIT */
/*
 * arena.h - the messages of one turn, each encoded once for all who get it.
 *
 * Bytes ready for a socket, that live for one turn of the event loop.  Frames
 * lie one behind another, and a table says where each ends, so a run of
 * neighbours is just two numbers.  A subscriber costs one run per topic and
 * turn, however many messages there were.
 *
 *	bytes  | frame 0 | frame 1  | frame 2 |
 *	table            ^          ^         ^   end, topic, number
 *
 * Only the code that appends a frame knows how it looks (delivery/form.h).
 */

#ifndef WORKER_NET_ARENA_H
#define WORKER_NET_ARENA_H

#include "common/buf.h"
#include "worker/net/kept.h"

#include <stddef.h>
#include <stdint.h>

/* In place of a number, of what has none: if it is dropped, nobody is told. */
#define ARENA_UNNUMBERED UINT64_MAX

/* Likewise, of what tells of a member: who has to know that it was dropped is
 * told so. */
#define ARENA_MEMBER (UINT64_MAX - 1)

/* A frame's line of the table. */
struct arena_entry {
	size_t end; /* offset behind its last byte */
	uint64_t seq;
	struct kept *kept; /* a copy that outlives the turn; NULL: none yet */
	uint32_t topic;    /* directory slot */
};

struct arena {
	struct buf bytes; /* to be appended to; arena_end() makes it a frame */
	struct arena_entry *table; /* owned */
	uint32_t count;
	uint32_t max;  /* allocated */
	uint32_t kept; /* frames that have a copy */
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);

/* Forget all frames; the memory stays. */
void arena_reset(struct arena *arena);

/* What was appended to the bytes since the last call is a frame: number seq of
 * the topic in that slot, or a gap that ends there, or ARENA_UNNUMBERED. */
void arena_end(struct arena *arena, uint32_t topic, uint64_t seq);

/*
 * The copy of a frame for those who cannot be sent it in this turn (kept.h).
 * Borrowed: good until the arena is reset, unless a reference is taken.
 */
struct kept *arena_keep(struct arena *arena, uint32_t index);

/* Where a frame starts, or (index = count) where the next one would. */
static inline size_t
arena_start(const struct arena *arena, uint32_t index)
{
	return index == 0 ? 0 : arena->table[index - 1].end;
}

#endif
