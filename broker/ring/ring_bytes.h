/* SPDX-License-Identifier: MIT */
/*
 * ring_bytes.h - read and write the ring's bytes; nothing else touches them.
 *
 * A reader copies a record while a writer may overwrite it, and finds that out
 * afterwards.  So that this is no data race by the letter of C11, both sides
 * move whole 64-bit words by relaxed atomics; on x86-64 and aarch64 those are
 * plain moves.  Records start and end at multiples of eight, so words never
 * straddle two.
 *
 * Callers: ring.c, ring_repair.c, ring_tail.c, ring_verify.c.
 */

#ifndef BROKER_RING_RING_BYTES_H
#define BROKER_RING_RING_BYTES_H

#include "broker/shared/segment.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rounded up to a whole number of words. */
static inline uint32_t
ring_bytes_round(uint32_t len)
{
	return (len + 7u) & ~7u;
}

/* The words of the ring from a position on. */
static inline _Atomic uint64_t *
ring_bytes_at(const struct segment *seg, uint64_t pos)
{
	return (_Atomic uint64_t *)(void *)(seg->ring + pos % seg->ring_size);
}

static inline void
ring_get_word(unsigned char *to, const _Atomic uint64_t *from)
{
	uint64_t word = atomic_load_explicit(from, memory_order_relaxed);

	memcpy(to, &word, sizeof(word));
}

/* Copy len bytes, a multiple of 8, out of the ring.  May be torn. */
static inline void
ring_bytes_read(const struct segment *seg, uint64_t pos, void *out, size_t len)
{
	_Atomic uint64_t *from = ring_bytes_at(seg, pos);
	unsigned char *to = out;
	size_t count = len / 8, i = 0;

	for (; count - i >= 4; i += 4) {
		ring_get_word(to + 8 * i, from + i);
		ring_get_word(to + 8 * i + 8, from + i + 1);
		ring_get_word(to + 8 * i + 16, from + i + 2);
		ring_get_word(to + 8 * i + 24, from + i + 3);
	}
	for (; i < count; i++)
		ring_get_word(to + 8 * i, from + i);
}

/* Note one record in the directory.  publish-4 and repair-1 both use it, so
 * that both note the same.  Under the lock. */
static inline void
ring_apply(struct layout_topic *topic, uint64_t seq, uint64_t pos)
{
	atomic_store_explicit(&topic->seq, seq, memory_order_relaxed);
	atomic_store_explicit(&topic->last, pos, memory_order_relaxed);
	topic->touched = 1;
}

/* Write a padding record of this length at pos. */
void ring_bytes_pad(const struct segment *seg, uint64_t pos, uint32_t length);

/* Write a whole record; name and body as long as rec says. */
void ring_bytes_write(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, const char *name, const char *body);

/*
 * Copy the header of the record at pos (of padding only the first eight bytes;
 * the rest is zeroed).  Returns false if it cannot be a record: pos is not
 * before end or between two words; its length is no multiple of eight, too
 * short, runs past end or past the ring's last byte, or its parts are longer
 * than itself.  True does not mean that it was not torn.
 */
bool ring_peek(const struct segment *seg, uint64_t pos, uint64_t end,
    struct layout_record *rec);

#endif
