/* SPDX-License-Identifier: MIT */
/* ring_bytes.c - records to words and back; see ring_bytes.h. */

#include "broker/ring/ring_bytes.h"

#define RECORD_START 8u /* bytes that every record has, padding too */

_Static_assert(sizeof(struct layout_record) % 8 == 0, "whole words");

/* A stream of bytes on its way into the ring, a word at a time. */
struct ring_writer {
	_Atomic uint64_t *to;
	unsigned char word[8];
	unsigned filled;
};

static void
ring_writer_put(struct ring_writer *w, const void *data, size_t len)
{
	const unsigned char *from = data;
	uint64_t word;

	while (len > 0 && w->filled != 0) {
		w->word[w->filled++] = *from++;
		len--;
		if (w->filled == 8) {
			memcpy(&word, w->word, 8);
			atomic_store_explicit(
			    w->to++, word, memory_order_relaxed);
			w->filled = 0;
		}
	}
	for (; len >= 8; len -= 8, from += 8) {
		memcpy(&word, from, 8);
		atomic_store_explicit(w->to++, word, memory_order_relaxed);
	}
	if (len > 0) {
		memcpy(w->word, from, len);
		w->filled = (unsigned)len;
	}
}

void
ring_bytes_pad(const struct segment *seg, uint64_t pos, uint32_t length)
{
	struct layout_record rec = { .length = length,
		.flags = RECORD_PADDING };
	struct ring_writer w = { .to = ring_bytes_at(seg, pos) };

	ring_writer_put(&w, &rec, RECORD_START);
}

void
ring_bytes_write(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, const char *name, const char *body)
{
	static const unsigned char zeros[8];
	struct ring_writer w = { .to = ring_bytes_at(seg, pos) };

	ring_writer_put(&w, rec, sizeof(*rec));
	ring_writer_put(&w, name, rec->name_len);
	ring_writer_put(&w, body, rec->body_len);
	if (w.filled != 0)
		ring_writer_put(&w, zeros, 8 - w.filled);
}

bool
ring_peek(const struct segment *seg, uint64_t pos, uint64_t end,
    struct layout_record *rec)
{
	uint64_t capacity = seg->ring_size;
	uint64_t left = capacity - pos % capacity;

	memset(rec, 0, sizeof(*rec));
	if (pos % 8 != 0 || pos >= end)
		return false;
	ring_bytes_read(seg, pos, rec, RECORD_START);
	if (rec->length % 8 != 0 || rec->length < RECORD_START ||
	    rec->length > left || rec->length > end - pos)
		return false;
	if (rec->flags & RECORD_PADDING)
		return true;
	if (rec->length < sizeof(*rec))
		return false;
	ring_bytes_read(seg, pos, rec, sizeof(*rec));
	return rec->length % 8 == 0 && rec->length >= sizeof(*rec) &&
	       rec->length <= left && rec->length <= end - pos &&
	       rec->topic < seg->topics_max &&
	       rec->body_len <= rec->length - sizeof(*rec) &&
	       rec->name_len <= rec->length - sizeof(*rec) - rec->body_len;
}
