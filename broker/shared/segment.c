/* SPDX-License-Identifier: MIT */
/* segment.c - where each part of a segment lies; see segment.h. */

#include "broker/shared/segment.h"

#include "common/random.h"

#include <string.h>

struct segment_geometry {
	uint64_t workers_at, stamps_at, topics_at, buckets_at, names_at,
	    subscribers_at, busy_at, asks_at, answers_at, ring_at, ring_size,
	    size;
	uint32_t topics_max, buckets;
};

static uint64_t
segment_page_round(uint64_t n)
{
	return (n + LAYOUT_PAGE - 1) & ~(uint64_t)(LAYOUT_PAGE - 1);
}

/* Where everything lies, from the two numbers that can be chosen. */
static struct segment_geometry
segment_plan(uint64_t ring_size, uint32_t topics_max)
{
	struct segment_geometry g = { .topics_max = topics_max, .buckets = 64 };
	uint64_t at = 0;

	while (g.buckets < topics_max && g.buckets < UINT32_C(1) << 31)
		g.buckets *= 2;
	at += segment_page_round(sizeof(struct layout_header));
	g.workers_at = at;
	at += segment_page_round(LAYOUT_WORKERS * sizeof(struct layout_worker));
	g.stamps_at = at;
	at += segment_page_round(LAYOUT_STAMPS * sizeof(struct layout_stamp));
	g.topics_at = at;
	at += segment_page_round(topics_max * sizeof(struct layout_topic));
	g.buckets_at = at;
	at += segment_page_round(g.buckets * sizeof(uint32_t));
	g.names_at = at;
	at += segment_page_round(topics_max * sizeof(struct layout_name));
	g.subscribers_at = at;
	at += segment_page_round(
	    (uint64_t)LAYOUT_WORKERS * topics_max * sizeof(uint32_t));
	g.busy_at = at;
	at += segment_page_round(
	    ((uint64_t)topics_max + 63) / 64 * sizeof(uint64_t));
	g.asks_at = at;
	at += segment_page_round(LAYOUT_ASKERS * sizeof(struct layout_ask));
	g.answers_at = at;
	at += segment_page_round(LAYOUT_WORKERS * sizeof(struct layout_answer));
	g.ring_at = at;
	g.ring_size = segment_page_round(ring_size);
	g.size = at + g.ring_size;
	return g;
}

uint64_t
segment_size(uint64_t ring_size, uint32_t topics_max)
{
	return segment_plan(ring_size, topics_max).size;
}

/* Mix one more number into another. */
static uint64_t
segment_mix(uint64_t h, uint64_t part)
{
	return (h ^ part) * UINT64_C(0x100000001b3);
}

uint64_t
segment_fingerprint(void)
{
	const uint64_t parts[] = { sizeof(struct layout_header),
		sizeof(struct layout_worker), sizeof(struct layout_topic),
		sizeof(struct layout_name), sizeof(struct layout_record),
		offsetof(struct layout_header, run),
		offsetof(struct layout_header, run.returning),
		offsetof(struct layout_header, lock),
		offsetof(struct layout_header, head),
		offsetof(struct layout_header, used),
		offsetof(struct layout_header, hash_key), STATS_COUNT,
		offsetof(struct layout_worker, succession),
		offsetof(struct layout_header, run.upgrades),
		offsetof(struct layout_worker, confined),
		offsetof(struct layout_worker, counters),
		offsetof(struct layout_worker, delays), STATS_DELAY_BOUNDS,
		sizeof(struct layout_stamp), LAYOUT_STAMPS,
		sizeof(struct layout_ask), LAYOUT_ASKERS,
		sizeof(struct layout_answer),
		offsetof(struct layout_header, asking),
		offsetof(struct layout_header, stamped),
		offsetof(struct layout_topic, state), LAYOUT_WORKERS,
		LAYOUT_LOCK_SIZE };
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		h = segment_mix(h, parts[i]);
	for (int i = 0; i < STATS_COUNT; i++)
		for (const char *at = stats_info[i].name; *at != '\0'; at++)
			h = segment_mix(h, (unsigned char)*at);
	for (int i = 0; i < STATS_DELAY_BOUNDS; i++)
		h = segment_mix(h, stats_delay_bounds_ns[i]);
	return h;
}

/* Fill the handle from the geometry. */
static void
segment_point(struct segment *seg, void *base, const struct segment_geometry *g)
{
	unsigned char *at = base;

	seg->header = base;
	seg->workers = (void *)(at + g->workers_at);
	seg->stamps = (void *)(at + g->stamps_at);
	seg->topics = (void *)(at + g->topics_at);
	seg->buckets = (void *)(at + g->buckets_at);
	seg->names = (void *)(at + g->names_at);
	seg->subscribers = (void *)(at + g->subscribers_at);
	seg->busy = (void *)(at + g->busy_at);
	seg->asks = (void *)(at + g->asks_at);
	seg->answers = (void *)(at + g->answers_at);
	seg->ring = at + g->ring_at;
	seg->size = g->size;
	seg->ring_size = g->ring_size;
	seg->topics_max = g->topics_max;
	seg->bucket_count = g->buckets;
}

/* A random word: two rings are never mistaken for one another. */
static void
segment_make_epoch(char epoch[LAYOUT_EPOCH + 1])
{
	static const char digits[32] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[LAYOUT_EPOCH];

	random_fill(random, sizeof(random));
	for (unsigned i = 0; i < LAYOUT_EPOCH; i++)
		epoch[i] = digits[random[i] % 32];
	epoch[LAYOUT_EPOCH] = '\0';
}

void
segment_lay_out(
    struct segment *seg, void *base, uint64_t ring_size, uint32_t topics_max)
{
	struct segment_geometry g = segment_plan(ring_size, topics_max);
	struct layout_header *h = base;

	segment_point(seg, base, &g);
	h->magic = LAYOUT_MAGIC;
	h->segment_size = g.size;
	h->ring_size = g.ring_size;
	h->topics_max = topics_max;
	h->buckets = g.buckets;
	h->workers_at = g.workers_at;
	h->stamps_at = g.stamps_at;
	h->topics_at = g.topics_at;
	h->buckets_at = g.buckets_at;
	h->names_at = g.names_at;
	h->subscribers_at = g.subscribers_at;
	h->busy_at = g.busy_at;
	h->asks_at = g.asks_at;
	h->answers_at = g.answers_at;
	h->ring_at = g.ring_at;
	segment_make_epoch(h->epoch);
	siphash_key_make(&h->hash_key);
}

void
segment_finish(struct segment *seg)
{
	atomic_store_explicit(&seg->header->fingerprint, segment_fingerprint(),
	    memory_order_release);
}

/* Whether a mapped header describes a segment of this layout and size. */
static bool
segment_is_ours(
    const struct layout_header *h, uint64_t size, struct segment_geometry *g)
{
	if (size < sizeof(*h) || h->magic != LAYOUT_MAGIC ||
	    atomic_load_explicit(&h->fingerprint, memory_order_acquire) !=
		segment_fingerprint())
		return false;
	if (h->topics_max == 0 || h->ring_size == 0 || h->ring_size > size ||
	    h->topics_max > size / sizeof(struct layout_topic))
		return false;
	*g = segment_plan(h->ring_size, h->topics_max);
	return g->size == size && h->segment_size == size &&
	       g->ring_size == h->ring_size && g->buckets == h->buckets &&
	       memchr(h->epoch, '\0', sizeof(h->epoch)) != NULL &&
	       memchr(h->run.urls, '\0', sizeof(h->run.urls)) != NULL;
}

bool
segment_recognise(struct segment *seg, void *base, uint64_t size)
{
	struct segment_geometry g;

	if (!segment_is_ours(base, size, &g))
		return false;
	segment_point(seg, base, &g);
	return true;
}

unsigned
segment_workers(const struct segment *seg)
{
	uint32_t n = atomic_load_explicit(
	    &seg->header->run.workers, memory_order_relaxed);

	return n < LAYOUT_WORKERS ? n : LAYOUT_WORKERS;
}
