/* SPDX-License-Identifier: MIT */
/* retain.c - find, put and free values; see retain.h.  What a dead process left
 * is put right in retain_repair.c. */

#include "broker/ring/retain.h"

#include "broker/ring/changing.h"
#include "broker/ring/expired.h"
#include "broker/ring/retain_index.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

#include <stdatomic.h>
#include <string.h>

/* Two quotation marks: a JSON string without a character. */
#define RETAIN_EMPTY_LEN 2u

uint32_t
retain_chunks(uint8_t name_len, uint32_t body_len)
{
	uint64_t len = (uint64_t)name_len + body_len;

	if (len <= LAYOUT_CHUNK_HEAD_ROOM)
		return 1;
	len -= LAYOUT_CHUNK_HEAD_ROOM;
	return 1 +
	       (uint32_t)((len + LAYOUT_CHUNK_ROOM - 1) / LAYOUT_CHUNK_ROOM);
}

bool
retain_is_empty(const char *body, uint32_t body_len)
{
	return body_len == RETAIN_EMPTY_LEN && body[0] == '"';
}

/* A chunk's bytes of name and text, and how many. */
static char *
retain_room(struct layout_chunk *chunk, bool is_head, size_t *len)
{
	*len = is_head ? LAYOUT_CHUNK_HEAD_ROOM : LAYOUT_CHUNK_ROOM;
	return is_head ? chunk->head.data : chunk->data;
}

static bool
retain_is_named(const struct segment *seg, const struct layout_chunk *head,
    const struct retain_name *name)
{
	char own[LAYOUT_TOPIC_NAME_MAX];

	if (head->head.hash != name->hash || head->name_len != name->len)
		return false;
	retain_read(seg, head, 0, own, name->len);
	return memcmp(own, name->at, name->len) == 0;
}

/* The head of a topic's value, whatever its time, or NULL. */
static struct layout_chunk *
retain_head(const struct segment *seg, const struct retain_name *name)
{
	uint32_t at = *retain_bucket(seg, name->hash);

	while (at != 0) {
		struct layout_chunk *head = &seg->chunks[at - 1];

		if (retain_is_named(seg, head, name))
			return head;
		at = head->head.link;
	}
	return NULL;
}

const struct layout_chunk *
retain_find(const struct segment *seg, const struct retain_name *name)
{
	const struct layout_chunk *head = retain_head(seg, name);

	return head == NULL || ring_expired(head->head.expires_ms) ? NULL
	                                                           : head;
}

void
retain_read(const struct segment *seg, const struct layout_chunk *chunk,
    size_t skip, char *out, size_t len)
{
	bool is_head = true;

	while (len > 0) {
		size_t room;
		const char *from = retain_room(
		    (struct layout_chunk *)(uintptr_t)chunk, is_head, &room);
		size_t n;

		if (skip < room) {
			n = room - skip < len ? room - skip : len;
			memcpy(out, from + skip, n);
			out += n;
			len -= n;
		}
		skip = skip > room ? skip - room : 0;
		is_head = false;
		if (len > 0)
			chunk = &seg->chunks[chunk->next - 1];
	}
}

void
retain_copy(
    const struct segment *seg, const struct layout_chunk *head, char *out)
{
	retain_read(seg, head, head->name_len, out, head->head.body_len);
}

/* Take a value out of its bucket's chain. */
static void
retain_unlink(struct segment *seg, const struct layout_chunk *head)
{
	uint32_t place = (uint32_t)(head - seg->chunks) + 1;
	uint32_t *at = retain_bucket(seg, head->head.hash);

	while (*at != 0 && *at != place)
		at = &seg->chunks[*at - 1].head.link;
	if (*at == place)
		*at = head->head.link;
}

/* Free a value.  While links are being changed. */
static void
retain_free(struct segment *seg, struct layout_chunk *head)
{
	uint32_t at = (uint32_t)(head - seg->chunks) + 1;

	/* First: from here on nobody takes it for a value. */
	head->kind = CHUNK_FREE;
	atomic_signal_fence(memory_order_seq_cst);
	stop_point_here(seg->header, STOP_VALUE_GONE);
	retain_unlink(seg, head);
	seg->retain->values--;
	while (at != 0) {
		struct layout_chunk *chunk = &seg->chunks[at - 1];
		uint32_t next = chunk->next;

		chunk->kind = CHUNK_FREE;
		chunk->next = seg->retain->free;
		seg->retain->free = at;
		seg->retain->taken--;
		at = next;
	}
	stop_point_here(seg->header, STOP_VALUE_FREED);
}

/* Free all values whose time is over, and look when the next one's will be. */
static void
retain_sweep(struct segment *seg, uint64_t now_ms)
{
	uint64_t soonest = 0;

	changing_begin(&seg->retain->changing);
	for (uint32_t i = 0; i < seg->retain->used; i++) {
		struct layout_chunk *head = &seg->chunks[i];
		uint64_t at = head->head.expires_ms;

		if (head->kind != CHUNK_HEAD || at == 0)
			continue;
		if (at <= now_ms)
			retain_free(seg, head);
		else if (soonest == 0 || at < soonest)
			soonest = at;
	}
	seg->retain->soonest_ms = soonest;
	changing_end(&seg->retain->changing);
}

/* Chunks that are free once this topic's value is gone. */
static uint32_t
retain_free_for(const struct segment *seg, const struct retain_name *name)
{
	const struct layout_chunk *head = retain_head(seg, name);

	return seg->chunks_max - seg->retain->taken +
	       (head != NULL
		       ? retain_chunks(head->name_len, head->head.body_len)
		       : 0);
}

bool
retain_has_room(struct segment *seg, const struct retain_name *name,
    uint32_t body_len, uint64_t now_ms)
{
	uint32_t needs = retain_chunks(name->len, body_len);
	uint64_t soonest = seg->retain->soonest_ms;

	if (needs <= retain_free_for(seg, name))
		return true;
	if (soonest == 0 || soonest > now_ms)
		return false;
	retain_sweep(seg, now_ms);
	return needs <= retain_free_for(seg, name);
}

/* Take a chunk that is free: one that was a value's, or one never used.  Returns
 * its place + 1. */
static uint32_t
retain_pop(struct segment *seg)
{
	uint32_t at = seg->retain->free;

	if (at != 0)
		seg->retain->free = seg->chunks[at - 1].next;
	else
		at = ++seg->retain->used;
	seg->retain->taken++;
	return at;
}

/* Take so many chunks, which there are.  Returns the first; they are chained. */
static struct layout_chunk *
retain_take(struct segment *seg, uint32_t count)
{
	uint32_t first = retain_pop(seg), last = first;

	while (--count > 0) {
		uint32_t next = retain_pop(seg);

		seg->chunks[next - 1].kind = CHUNK_MORE;
		seg->chunks[last - 1].next = next;
		last = next;
	}
	seg->chunks[last - 1].next = 0;
	return &seg->chunks[first - 1];
}

/* Write bytes behind what is in a chain already.  *at: place in the chain. */
static void
retain_write(struct segment *seg, struct layout_chunk **chunk, size_t *used,
    const struct layout_chunk *head, const char *data, size_t len)
{
	while (len > 0) {
		size_t room, n;
		char *to = retain_room(*chunk, *chunk == head, &room);

		if (*used == room) {
			*chunk = &seg->chunks[(*chunk)->next - 1];
			*used = 0;
			continue;
		}
		n = room - *used < len ? room - *used : len;
		memcpy(to + *used, data, n);
		*used += n;
		data += n;
		len -= n;
	}
}

/* Make a value in free chunks, of which there are enough; its kind last. */
static void
retain_make(struct segment *seg, const struct retain_name *name,
    const struct retain_value *value)
{
	struct layout_chunk *head =
	    retain_take(seg, retain_chunks(name->len, value->body_len));
	uint32_t *bucket = retain_bucket(seg, name->hash);
	struct layout_chunk *chunk = head;
	size_t used = 0;

	head->name_len = name->len;
	head->head.hash = name->hash;
	head->head.body_len = value->body_len;
	head->head.seq = value->seq;
	head->head.time_ms = value->time_ms;
	head->head.expires_ms = value->expires_ms;
	retain_write(seg, &chunk, &used, head, name->at, name->len);
	stop_point_here(seg->header, STOP_VALUE_HALF_MADE);
	retain_write(seg, &chunk, &used, head, value->body, value->body_len);
	atomic_signal_fence(memory_order_seq_cst);
	head->kind = CHUNK_HEAD;
	atomic_signal_fence(memory_order_seq_cst);
	stop_point_here(seg->header, STOP_VALUE_MADE);
	head->head.link = *bucket;
	*bucket = (uint32_t)(head - seg->chunks) + 1;
	seg->retain->values++;
	if (value->expires_ms != 0 &&
	    (seg->retain->soonest_ms == 0 ||
		value->expires_ms < seg->retain->soonest_ms))
		seg->retain->soonest_ms = value->expires_ms;
}

void
retain_put(struct segment *seg, const struct retain_name *name,
    const struct retain_value *value)
{
	struct layout_chunk *old = retain_head(seg, name);

	if (old != NULL && old->head.seq == value->seq)
		return;
	changing_begin(&seg->retain->changing);
	/* The old one first, for the new one may need its room.  Who dies in
	 * between has the new one in the ring. */
	if (old != NULL)
		retain_free(seg, old);
	if (!retain_is_empty(value->body, value->body_len) &&
	    retain_chunks(name->len, value->body_len) <=
		seg->chunks_max - seg->retain->taken)
		retain_make(seg, name, value);
	changing_end(&seg->retain->changing);
}
