/* SPDX-License-Identifier: MIT */
/*
 * ring_verify.c - can a dead server's segment be believed?
 *
 * A server that takes a segment over trusts its bytes from then on.  First it
 * checks the bytes that a repair reads, then it repairs, and then it verifies
 * one plain thing: the directory says exactly what the log says.  So no check
 * has to know in which states a writer, or a repair, may have died.
 */

#include "broker/ring/ring.h"

#include "broker/ring/dedup.h"
#include "broker/ring/member_table.h"
#include "broker/ring/retain.h"
#include "broker/ring/ring_bytes.h"
#include "broker/ring/topics.h"

#include <inttypes.h>
#include <stdio.h>

/* No server reaches such a number, but a wild store may leave one.  Numbers
 * beyond it would soon be inexact in a client's language, or begin again at
 * 0. */
#define VERIFY_SEQ_MAX (UINT64_C(1) << 52)

/* Records that are looked at, of all topics together: a restart waits for it, and
 * a ring of 4 GiB holds 40 million of them.  Older ones are looked at when they
 * are read: chain.c and ring_fetch() believe none that is not the one expected. */
#define VERIFY_RECORDS_MAX (UINT64_C(1) << 20)

#define VERIFY_FAIL(...) \
	(snprintf(error, SEGMENT_ERROR_MAX, __VA_ARGS__), false)

static bool
verify_controls(const struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	const struct layout_header *h = seg->header;
	uint64_t applied = atomic_load(&h->applied);
	uint64_t head = atomic_load(&h->head);
	uint64_t reserve = atomic_load(&h->reserve);

	if (applied > head || head > reserve || applied < seg->ring_size ||
	    head - applied > seg->ring_size / RING_BATCH_PART ||
	    reserve - head > seg->ring_size / RING_BATCH_PART ||
	    (applied | head | reserve) % 8 != 0)
		return VERIFY_FAIL(
		    "ring positions out of order: applied %" PRIu64
		    ", head %" PRIu64 ", reserve %" PRIu64,
		    applied, head, reserve);
	if (atomic_load(&h->used) > seg->topics_max ||
	    h->hand >= seg->topics_max)
		return VERIFY_FAIL("more topics than the directory has");
	if (h->floor > VERIFY_SEQ_MAX)
		return VERIFY_FAIL("numbers are too large");
	return true;
}

/* The bytes that are committed but not applied must be records, too, because
 * they are replayed. */
static bool
verify_unapplied(const struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	uint64_t head = ring_head(seg);
	uint64_t pos = atomic_load(&seg->header->applied);
	struct layout_record rec;

	while (pos < head) {
		if (!ring_peek(seg, pos, head, &rec))
			return VERIFY_FAIL(
			    "no record at position %" PRIu64, pos);
		pos += rec.length;
	}
	return true;
}

/* One topic's records, newest first, down to where the ring was overwritten, or
 * as many as `looks'. */
static bool
verify_chain(const struct segment *seg, uint32_t slot, uint64_t looks,
    char error[SEGMENT_ERROR_MAX])
{
	const struct layout_topic *topic = &seg->topics[slot];
	uint64_t reserve = atomic_load(&seg->header->reserve);
	uint64_t head = ring_head(seg);
	uint64_t pos = atomic_load(&topic->last);
	uint64_t seq = atomic_load(&topic->seq);
	uint64_t end = head;
	struct layout_record rec;

	if (seq < topic->base || topic->base > seg->header->floor ||
	    seq > VERIFY_SEQ_MAX)
		return VERIFY_FAIL("topic %u: numbers out of order", slot);
	for (; seq > topic->base && looks > 0; looks--) {
		if (pos == 0 || pos % 8 != 0 || pos >= end)
			return VERIFY_FAIL("topic %u: no record %" PRIu64
					   " can be at position %" PRIu64,
			    slot, seq, pos);
		if (pos + seg->ring_size < reserve)
			return true; /* overwritten, and all older ones */
		if (!ring_peek(seg, pos, head, &rec) ||
		    !layout_is_message(rec.flags) || rec.topic != slot ||
		    rec.seq != seq)
			return VERIFY_FAIL("topic %u: no record %" PRIu64
					   " at position %" PRIu64,
			    slot, seq, pos);
		end = pos;
		pos = rec.prev;
		seq--;
	}
	return true;
}

/* A slot that a bucket's chain leads to is rightly there. */
static bool
verify_linked(const struct segment *seg, uint32_t bucket, uint32_t slot)
{
	const struct layout_topic *topic = &seg->topics[slot];

	return topic->state == TOPIC_LIVE &&
	       (topic->hash & (seg->bucket_count - 1)) == bucket &&
	       topic->hash ==
	           topics_hash(seg, seg->names[slot].name, topic->name_len);
}

/* Every live slot can be found by its name, and the chains of the hash index
 * end. */
static bool
verify_index(const struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	uint32_t used = atomic_load(&seg->header->used);
	uint32_t live = 0, links = 0;

	for (uint32_t slot = 0; slot < used; slot++)
		live += seg->topics[slot].state == TOPIC_LIVE;
	for (uint32_t b = 0; b < seg->bucket_count; b++)
		for (uint32_t at = atomic_load(&seg->buckets[b]); at != 0;
		     at = seg->topics[at - 1].next)
			if (at > used || ++links > live ||
			    !verify_linked(seg, b, at - 1))
				return VERIFY_FAIL("hash index: bad link");
	if (links != live)
		return VERIFY_FAIL("hash index: %u of %u topics", links, live);
	return true;
}

bool
ring_verify(const struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	const struct layout_header *h = seg->header;
	uint32_t used;

	if (!verify_controls(seg, error))
		return false;
	if (atomic_load(&h->applied) != ring_head(seg) || h->making != 0)
		return VERIFY_FAIL("the directory is not the log's");
	if (!verify_index(seg, error))
		return false;
	used = atomic_load(&h->used);
	for (uint32_t slot = 0; slot < used; slot++)
		if (seg->topics[slot].state == TOPIC_LIVE &&
		    !verify_chain(
			seg, slot, VERIFY_RECORDS_MAX / used + 1, error))
			return false;
	return true;
}

bool
ring_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	if (!verify_controls(seg, error) || !verify_unapplied(seg, error) ||
	    !member_table_check(seg, error))
		return false;
	if (!dedup_recover(seg, error) || !retain_recover(seg, error))
		return false;
	ring_repair(seg);
	return ring_verify(seg, error);
}
