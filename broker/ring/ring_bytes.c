/* SPDX-License-Identifier: MIT */
/* ring_bytes.c - records to words and back; see ring_bytes.h. */

#include "broker/ring/ring_bytes.h"

#include <endian.h>

#define RECORD_START 8u /* bytes that every record has, padding too */

_Static_assert(sizeof(struct layout_record) % 8 == 0, "whole words");
_Static_assert(sizeof(struct layout_extra) % 8 == 0, "whole words");

static void
ring_put_word(_Atomic uint64_t *to, const unsigned char *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof(word));
	atomic_store_explicit(to, word, memory_order_relaxed);
}

/* Store so many words, from bytes that need not be aligned.  Returns the place
 * behind them. */
static _Atomic uint64_t *
ring_put_words(_Atomic uint64_t *to, const void *data, size_t count)
{
	const unsigned char *from = data;
	size_t i = 0;

	for (; count - i >= 4; i += 4) {
		ring_put_word(to + i, from + 8 * i);
		ring_put_word(to + i + 1, from + 8 * i + 8);
		ring_put_word(to + i + 2, from + 8 * i + 16);
		ring_put_word(to + i + 3, from + 8 * i + 24);
	}
	for (; i < count; i++)
		ring_put_word(to + i, from + 8 * i);
	return to + count;
}

/* Less than eight bytes as the low end of a word, zeros above them. */
static uint64_t
ring_part(const char *data, size_t len)
{
	const unsigned char *from = (const unsigned char *)data;
	uint32_t low, high;

	if (len >= 4) { /* two halves that may overlap */
		memcpy(&low, from, sizeof(low));
		memcpy(&high, from + len - 4, sizeof(high));
		return le32toh(low) | (uint64_t)le32toh(high)
		                          << (8 * (len - 4));
	}
	if (len == 0)
		return 0;
	return from[0] | (uint64_t)from[len / 2] << (8 * (len / 2)) |
	       (uint64_t)from[len - 1] << (8 * (len - 1));
}

void
ring_bytes_pad(const struct segment *seg, uint64_t pos, uint32_t length)
{
	struct layout_record rec = { .length = length,
		.flags = RECORD_PADDING };

	ring_put_words(ring_bytes_at(seg, pos), &rec, RECORD_START / 8);
}

void
ring_bytes_mark(
    const struct segment *seg, uint64_t end, const struct layout_mark *mark)
{
	ring_put_words(
	    ring_bytes_at(seg, end - sizeof(*mark)), mark, sizeof(*mark) / 8);
}

/* Between name and body there is no gap: a word may have a part of each. */
void
ring_bytes_write(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, const char *name, const char *body,
    const struct layout_extra *extra)
{
	size_t rest = rec->name_len % 8, body_len = rec->body_len, part;
	_Atomic uint64_t *to = ring_bytes_at(seg, pos);
	uint64_t word;

	to = ring_put_words(to, rec, sizeof(*rec) / 8);
	to = ring_put_words(to, name, rec->name_len / 8);
	if (rest != 0) {
		part = 8 - rest < body_len ? 8 - rest : body_len;
		word = ring_part(name + rec->name_len - rest, rest) |
		       ring_part(body, part) << (8 * rest);
		atomic_store_explicit(
		    to++, htole64(word), memory_order_relaxed);
		body += part;
		body_len -= part;
	}
	to = ring_put_words(to, body, body_len / 8);
	body += body_len / 8 * 8;
	if (body_len % 8 != 0)
		atomic_store_explicit(to,
		    htole64(ring_part(body, body_len % 8)),
		    memory_order_relaxed);
	if (extra != NULL)
		ring_put_words(ring_bytes_at(seg, pos + ring_extra_at(rec)),
		    extra, sizeof(*extra) / 8);
}

void
ring_bytes_extra(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, struct layout_extra *extra)
{
	memset(extra, 0, sizeof(*extra));
	if (rec->flags & RECORD_EXTRA)
		ring_bytes_read(
		    seg, pos + ring_extra_at(rec), extra, sizeof(*extra));
}

bool
ring_peek(const struct segment *seg, uint64_t pos, uint64_t end,
    struct layout_record *rec)
{
	uint64_t capacity = seg->ring_size;
	uint64_t left = capacity - pos % capacity;
	size_t room; /* for all but name and body */

	memset(rec, 0, sizeof(*rec));
	if (pos % 8 != 0 || pos >= end)
		return false;
	ring_bytes_read(seg, pos, rec, RECORD_START);
	if (rec->length % 8 != 0 || rec->length < RECORD_START ||
	    rec->length > left || rec->length > end - pos)
		return false;
	if (rec->flags & RECORD_PADDING)
		return !(rec->flags & RECORD_MARKED) ||
		       rec->length >= sizeof(*rec) + sizeof(struct layout_mark);
	if (rec->length < sizeof(*rec))
		return false;
	ring_bytes_read(seg, pos, rec, sizeof(*rec));
	room = sizeof(*rec);
	if (rec->flags & RECORD_MARKED)
		room += sizeof(struct layout_mark);
	if (rec->flags & RECORD_EXTRA)
		room += sizeof(struct layout_extra);
	return rec->length % 8 == 0 && rec->length >= room &&
	       rec->length <= left && rec->length <= end - pos &&
	       rec->topic < seg->topics_max &&
	       rec->body_len <= rec->length - room &&
	       rec->name_len <= rec->length - room - rec->body_len;
}
