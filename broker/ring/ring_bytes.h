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
 * Callers: the files of the ring.
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

/*
 * How far writers had come when the copy before this was made.  The fence is
 * for that copy; the load's own acquire for `applied' after it, which must not
 * be older, or the cursor could go back.
 */
static inline uint64_t
ring_reserved(const struct segment *seg)
{
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(
	    &seg->header->reserve, memory_order_acquire);
}

/* Whether records from pos on may have been overwritten while they were
 * read. */
static inline bool
ring_overtaken(const struct segment *seg, uint64_t pos)
{
	return ring_reserved(seg) > pos + seg->ring_size;
}

/* Where the struct layout_extra of a record begins, from the record's start; it
 * has one. */
static inline uint32_t
ring_extra_at(const struct layout_record *rec)
{
	uint32_t mark = rec->flags & RECORD_MARKED
	                    ? (uint32_t)sizeof(struct layout_mark)
	                    : 0;

	return rec->length - mark - (uint32_t)sizeof(struct layout_extra);
}

/* Write a padding record of this length at pos. */
void ring_bytes_pad(const struct segment *seg, uint64_t pos, uint32_t length);

/* Write a mark into the last bytes of a record that ends at this position. */
void ring_bytes_mark(
    const struct segment *seg, uint64_t end, const struct layout_mark *mark);

/* Write a whole record but for its mark; name and body as long as rec says.
 * extra: what it ends with, before the mark; NULL if rec has no RECORD_EXTRA. */
void ring_bytes_write(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, const char *name, const char *body,
    const struct layout_extra *extra);

/* Copy what a record that ring_peek() found at pos ends with; zeros if that is
 * nothing.  May be torn, like the header. */
void ring_bytes_extra(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, struct layout_extra *extra);

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
