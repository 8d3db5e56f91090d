/* SPDX-License-Identifier: MIT */
/*
 * topics.c - slots, names and numbers; see topics.h.
 *
 * Each change of the index is one store: a slot is filled first and linked
 * last, unlinked first and emptied afterwards.  `making' names the slot from
 * the first change to the last: it tells which one a dead holder was changing.
 */

#include "broker/ring/topics.h"

#include "broker/ring/member_table.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"
#include "common/siphash.h"

#include <string.h>

/* Idle slots that one search for a silent one looks at. */
#define TOPICS_LOOKS_MAX 1024u

uint32_t
topics_hash(const struct segment *seg, const char *name, size_t len)
{
	return (uint32_t)siphash(&seg->header->hash_key, name, len);
}

static _Atomic uint32_t *
topics_bucket(const struct segment *seg, uint32_t hash)
{
	return &seg->buckets[hash & (seg->bucket_count - 1)];
}

uint32_t
topics_find(
    const struct segment *seg, const char *name, size_t len, uint32_t hash)
{
	/* open-1: under the lock, so the index is whole */
	uint32_t at = atomic_load_explicit(
	    topics_bucket(seg, hash), memory_order_relaxed);

	while (at != 0) {
		const struct layout_topic *topic = &seg->topics[at - 1];

		if (topic->hash == hash && topic->name_len == len &&
		    memcmp(seg->names[at - 1].name, name, len) == 0)
			return at - 1;
		at = topic->next;
	}
	return TOPICS_NONE;
}

/* Take a slot out of its bucket's chain, by one store. */
static void
topics_unlink(struct segment *seg, uint32_t slot)
{
	_Atomic uint32_t *bucket = topics_bucket(seg, seg->topics[slot].hash);
	uint32_t at = atomic_load_explicit(bucket, memory_order_relaxed);

	if (at == slot + 1) {
		atomic_store_explicit(
		    bucket, seg->topics[slot].next, memory_order_release);
		return;
	}
	while (at != 0) {
		struct layout_topic *topic = &seg->topics[at - 1];

		if (topic->next == slot + 1) {
			topic->next = seg->topics[slot].next;
			return;
		}
		at = topic->next;
	}
}

static void
topics_link(struct segment *seg, uint32_t slot)
{
	_Atomic uint32_t *bucket = topics_bucket(seg, seg->topics[slot].hash);

	seg->topics[slot].next =
	    atomic_load_explicit(bucket, memory_order_relaxed);
	atomic_store_explicit(bucket, slot + 1, memory_order_release);
}

/* The word of a slot's busy bit, and the bit. */
static _Atomic uint64_t *
topics_busy(const struct segment *seg, uint32_t slot, uint64_t *bit)
{
	*bit = UINT64_C(1) << slot % 64;
	return &seg->busy[slot / 64];
}

/* The slot's last subscriber has gone: it is idle from now on. */
static void
topics_set_idle(struct segment *seg, uint32_t slot)
{
	uint64_t bit;
	_Atomic uint64_t *word = topics_busy(seg, slot, &bit);

	atomic_fetch_and(word, ~bit);
}

/* The slot has a subscriber.  If the last subscriber goes at this very moment,
 * either its worker clears the bit after us, or we see that it has gone. */
static void
topics_set_busy(struct segment *seg, uint32_t slot)
{
	uint64_t bit;
	_Atomic uint64_t *word = topics_busy(seg, slot, &bit);

	atomic_fetch_or(word, bit);
	if (atomic_load(&seg->topics[slot].interest) == 0)
		topics_set_idle(seg, slot);
}

uint32_t
topics_free(const struct segment *seg)
{
	uint32_t busy = 0;

	for (uint32_t i = 0; i * 64 < seg->topics_max; i++)
		busy += (uint32_t)__builtin_popcountll(
		    atomic_load_explicit(&seg->busy[i], memory_order_relaxed));
	return seg->topics_max - busy;
}

bool
topics_is_busy(const struct segment *seg, uint32_t slot)
{
	return atomic_load(&seg->topics[slot].interest) != 0;
}

/* The first slot at `from' or behind it, up to the end, that is not marked
 * busy.  Looks at 64 of them at once. */
static uint32_t
topics_next_idle(const struct segment *seg, uint32_t from)
{
	uint32_t max = seg->topics_max;
	uint64_t ahead = UINT64_MAX << from % 64;

	for (uint32_t i = from / 64; i * 64 < max; i++, ahead = UINT64_MAX) {
		uint64_t idle = ~atomic_load(&seg->busy[i]) & ahead;
		uint32_t slot;

		if (idle == 0)
			continue;
		slot = i * 64 + (uint32_t)__builtin_ctzll(idle);
		return slot < max ? slot : TOPICS_NONE;
	}
	return TOPICS_NONE;
}

/*
 * A slot whose life is over: free, or without subscribers and members, and silent
 * since the hand last came by.  Costs a look for 64 busy slots, and at most
 * TOPICS_LOOKS_MAX at idle ones: if all of those have been published to, the last
 * is taken.  One with a subscriber that is not marked busy is marked on the way.
 */
static uint32_t
topics_sweep(struct segment *seg)
{
	struct layout_header *h = seg->header;
	unsigned looks = 0;

	for (unsigned rounds = 0; rounds < 3;) {
		uint32_t slot = topics_next_idle(seg, h->hand);
		struct layout_topic *topic;

		if (slot == TOPICS_NONE) {
			h->hand = 0;
			rounds++;
			continue;
		}
		topic = &seg->topics[slot];
		h->hand = slot + 1 == seg->topics_max ? 0 : slot + 1;
		rounds += h->hand == 0;
		if (atomic_load(&topic->interest) != 0)
			topics_set_busy(seg, slot);
		else if (!member_has_any(seg, slot) &&
			 (topic->state == TOPIC_FREE || !topic->touched ||
			     ++looks == TOPICS_LOOKS_MAX))
			return slot;
		else
			topic->touched = 0;
	}
	return TOPICS_NONE;
}

/* End a slot's life.  Its numbers are never given again: floor first. */
static void
topics_retire(struct segment *seg, uint32_t slot)
{
	struct layout_topic *topic = &seg->topics[slot];
	uint64_t seq = atomic_load(&topic->seq);

	/* make-2: before the slot forgets its number */
	if (seg->header->floor < seq)
		seg->header->floor = seq;
	/* make-3: unlinked before it is free */
	if (topic->state == TOPIC_LIVE)
		topics_unlink(seg, slot);
	stop_point_here(seg->header, STOP_TOPIC_RETIRED);
	atomic_signal_fence(memory_order_seq_cst);
	/* make-4: nothing leads here */
	topic->state = TOPIC_FREE;
}

/* Begin a slot's life under a name; linked last. */
static void
topics_make(struct segment *seg, uint32_t slot, const char *name, size_t len,
    uint32_t hash)
{
	struct layout_topic *topic = &seg->topics[slot];

	/* make-5: filled while nothing leads here */
	topic->base = seg->header->floor;
	atomic_store(&topic->seq, seg->header->floor);
	atomic_store(&topic->last, 0);
	topic->paid_ns = 0;
	topic->hash = hash;
	topic->name_len = (uint8_t)len;
	topic->touched = 1;
	memcpy(seg->names[slot].name, name, len);
	stop_point_here(seg->header, STOP_TOPIC_HALF_MADE);
	atomic_signal_fence(memory_order_seq_cst);
	/* make-6: filled, so it may be found */
	topic->state = TOPIC_LIVE;
	/* make-7: linked last */
	topics_link(seg, slot);
}

uint32_t
topics_open(struct segment *seg, const char *name, size_t len, uint32_t hash)
{
	struct layout_header *h = seg->header;
	uint32_t slot = topics_find(seg, name, len, hash);
	uint32_t used = atomic_load_explicit(&h->used, memory_order_relaxed);

	CHECK(len <= LAYOUT_TOPIC_NAME_MAX);
	if (slot != TOPICS_NONE)
		return slot;
	/* open-3: one never used, or one without subscribers */
	slot = used < seg->topics_max ? used : topics_sweep(seg);
	if (slot == TOPICS_NONE)
		return TOPICS_NONE;

	/* make-1: before anything of the slot changes */
	h->making = slot + 1;
	atomic_signal_fence(memory_order_seq_cst);
	if (slot == used)
		atomic_store(&h->used, used + 1);
	else
		topics_retire(seg, slot);
	topics_make(seg, slot, name, len, hash);
	atomic_signal_fence(memory_order_seq_cst);
	/* make-8: when nothing is left to do */
	h->making = 0;
	return slot;
}

static _Atomic uint32_t *
topics_count(const struct segment *seg, uint32_t slot, unsigned worker)
{
	return &seg->subscribers[(size_t)worker * seg->topics_max + slot];
}

bool
topics_subscribe(struct segment *seg, uint32_t slot, unsigned worker)
{
	_Atomic uint32_t *count = topics_count(seg, slot, worker);
	uint32_t before = atomic_load_explicit(count, memory_order_relaxed);

	atomic_store_explicit(count, before + 1, memory_order_relaxed);
	stop_point_here(seg->header, STOP_SUBSCRIBE_COUNTED);
	if (before == 0) {
		atomic_fetch_or(
		    &seg->topics[slot].interest, UINT64_C(1) << worker);
		stop_point_here(seg->header, STOP_SUBSCRIBE_INTERESTED);
		topics_set_busy(seg, slot);
	}
	return before == 0;
}

/* This worker has no subscriber there any more. */
static void
topics_lose_interest(struct segment *seg, uint32_t slot, unsigned worker)
{
	uint64_t bit = UINT64_C(1) << worker;

	/* unsubscribe-1: at any time, without the lock */
	if ((atomic_fetch_and(&seg->topics[slot].interest, ~bit) & ~bit) != 0)
		return;
	stop_point_here(seg->header, STOP_UNSUBSCRIBE_LOST);
	topics_set_idle(seg, slot);
}

bool
topics_unsubscribe(struct segment *seg, uint32_t slot, unsigned worker)
{
	_Atomic uint32_t *count = topics_count(seg, slot, worker);
	uint32_t before = atomic_load_explicit(count, memory_order_relaxed);

	CHECK(before > 0);
	atomic_store_explicit(count, before - 1, memory_order_relaxed);
	stop_point_here(seg->header, STOP_UNSUBSCRIBE_COUNTED);
	if (before == 1)
		topics_lose_interest(seg, slot, worker);
	return before == 1;
}

void
topics_clear_worker(struct segment *seg, unsigned worker)
{
	uint32_t used = atomic_load(&seg->header->used);

	for (uint32_t slot = 0; slot < used; slot++) {
		atomic_store_explicit(
		    topics_count(seg, slot, worker), 0, memory_order_relaxed);
		stop_point_here(seg->header, STOP_SLOT_HALF_CLEARED);
		topics_lose_interest(seg, slot, worker);
	}
}

void
topics_take_over(struct segment *seg, unsigned worker, const uint32_t *counts)
{
	uint32_t used = atomic_load(&seg->header->used);

	for (uint32_t slot = 0; slot < used; slot++) {
		_Atomic uint32_t *count = topics_count(seg, slot, worker);
		uint32_t before = atomic_load(count);

		CHECK(counts[slot] == 0 || before > 0);
		atomic_store(count, counts[slot]);
		if (before > 0 && counts[slot] == 0)
			topics_lose_interest(seg, slot, worker);
	}
}

bool
topics_has_interest(const struct segment *seg, uint32_t slot, unsigned worker,
    const char *name, size_t len)
{
	/* With interest in it, the slot keeps its name. */
	return slot < seg->topics_max &&
	       atomic_load(topics_count(seg, slot, worker)) > 0 &&
	       seg->topics[slot].name_len == len &&
	       memcmp(seg->names[slot].name, name, len) == 0;
}

uint64_t
topics_subscribers(const struct segment *seg, uint32_t slot)
{
	unsigned n = segment_workers(seg);
	uint64_t sum = 0;

	for (unsigned w = 0; w < n; w++)
		if (segment_counts_worker(seg, w))
			sum += atomic_load_explicit(
			    topics_count(seg, slot, w), memory_order_relaxed);
	return sum;
}

void
topics_repair(struct segment *seg)
{
	struct layout_header *h = seg->header;
	uint32_t used = atomic_load(&h->used);

	if (h->making == 0)
		return;
	/* Free it whatever it was, then trust no link at all. */
	if (h->making <= used) {
		uint64_t seq = atomic_load(&seg->topics[h->making - 1].seq);

		/* mend-1: its numbers are never given again */
		if (h->floor < seq)
			h->floor = seq;
		/* mend-2: a half-made one is free */
		seg->topics[h->making - 1].state = TOPIC_FREE;
	}
	/* mend-3: no link of the old index is followed */
	for (uint32_t b = 0; b < seg->bucket_count; b++)
		atomic_store_explicit(
		    &seg->buckets[b], 0, memory_order_relaxed);
	stop_point_here(h, STOP_INDEX_EMPTY);
	/* mend-4: each living slot is linked anew */
	for (uint32_t slot = 0; slot < used; slot++)
		if (seg->topics[slot].state == TOPIC_LIVE)
			topics_link(seg, slot);
	atomic_signal_fence(memory_order_seq_cst);
	/* mend-5: last, or nobody would repeat it after a death in here */
	h->making = 0;
}
