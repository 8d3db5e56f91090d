/* SPDX-License-Identifier: MIT */
/* arena.c - see arena.h. */

#include "worker/net/arena.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof(*arena));
	buf_init(&arena->bytes);
}

void
arena_fini(struct arena *arena)
{
	arena_reset(arena);
	buf_fini(&arena->bytes);
	free(arena->table);
	arena_init(arena);
}

void
arena_reset(struct arena *arena)
{
	for (uint32_t i = 0; arena->kept > 0; i++)
		if (arena->table[i].kept != NULL) {
			kept_drop(&arena->table[i].kept);
			arena->kept--;
		}
	buf_reset(&arena->bytes);
	arena->count = 0;
}

void
arena_end(struct arena *arena, uint32_t topic, uint64_t seq)
{
	if (arena->count == arena->max) {
		arena->max = arena->max == 0 ? 64 : arena->max * 2;
		arena->table = xreallocarray(
		    arena->table, arena->max, sizeof(*arena->table));
	}
	arena->table[arena->count++] = (struct arena_entry){
		.end = arena->bytes.len,
		.topic = topic,
		.seq = seq,
	};
}

struct kept *
arena_keep(struct arena *arena, uint32_t index)
{
	struct arena_entry *frame = &arena->table[index];
	size_t start = arena_start(arena, index);

	if (frame->kept == NULL) {
		frame->kept = kept_new(
		    arena->bytes.at + start, (uint32_t)(frame->end - start));
		arena->kept++;
	}
	return frame->kept;
}
