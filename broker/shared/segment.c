/* SPDX-License-Identifier: MIT */
/* segment.c - where each part of a segment lies; see segment.h. */

#include "broker/shared/segment.h"

#include "common/random.h"

#include <string.h>

/* Bytes by which everything behind the header lies elsewhere: in a program that is
 * built to see what becomes of one with another layout. */
#ifdef SEGMENT_OTHER_LAYOUT
#define SEGMENT_LAYOUT_SHIFT LAYOUT_PAGE
#else
#define SEGMENT_LAYOUT_SHIFT 0
#endif

struct segment_geometry {
	uint64_t workers_at, stamps_at, topics_at, buckets_at, names_at,
	    subscribers_at, busy_at, attendance_at, members_at,
	    member_counts_at, member_buckets_at, pieces_at, holders_at, asks_at,
	    answers_at, questions_at, gathered_at, keys_at, key_entries_at,
	    key_buckets_at, retain_at, value_buckets_at, chunks_at, ring_at,
	    ring_size, size;
	uint32_t topics_max, buckets, members_max, member_buckets, keys_max,
	    key_buckets, chunks_max, value_buckets, questions_max;
};

static uint64_t
segment_page_round(uint64_t n)
{
	return (n + LAYOUT_PAGE - 1) & ~(uint64_t)(LAYOUT_PAGE - 1);
}

/* The smallest power of two that is at least this, from 64 on. */
static uint32_t
segment_buckets(uint32_t count)
{
	uint32_t buckets = 64;

	while (buckets < count && buckets < UINT32_C(1) << 31)
		buckets *= 2;
	return buckets;
}

/* Where the table of members lies, from here on.  Returns where it ends. */
static uint64_t
segment_plan_members(struct segment_geometry *g, uint64_t at)
{
	uint64_t pieces = (uint64_t)g->members_max * LAYOUT_PIECES_PER;

	g->member_buckets = segment_buckets(g->members_max);
	g->attendance_at = at;
	at += segment_page_round(
	    g->topics_max * sizeof(struct layout_attendance));
	g->members_at = at;
	at += segment_page_round(
	    (uint64_t)g->members_max * sizeof(struct layout_member));
	g->member_counts_at = at;
	at += segment_page_round(
	    (uint64_t)g->members_max * LAYOUT_WORKERS * sizeof(uint16_t));
	g->member_buckets_at = at;
	at += segment_page_round(g->member_buckets * sizeof(uint32_t));
	g->pieces_at = at;
	at += segment_page_round(pieces * sizeof(struct layout_piece));
	g->holders_at = at;
	at += segment_page_round(
	    (uint64_t)LAYOUT_HOLDER_ROWS * LAYOUT_HOLDERS * sizeof(uint32_t));
	return at;
}

/* Lay out what layout_values.h draws.  Returns where it ends. */
static uint64_t
segment_plan_values(struct segment_geometry *g, uint64_t at)
{
	g->keys_at = at;
	at += sizeof(struct layout_keys);
	g->key_entries_at = at;
	at += g->keys_max * sizeof(struct layout_key);
	g->key_buckets_at = at;
	at = segment_page_round(at + g->key_buckets * sizeof(uint32_t));
	g->retain_at = at;
	at += sizeof(struct layout_retain);
	g->value_buckets_at = at;
	at = segment_page_round(at + g->value_buckets * sizeof(uint32_t));
	g->chunks_at = at;
	at += g->chunks_max * sizeof(struct layout_chunk);
	return segment_page_round(at);
}

/* Likewise layout_questions.h. */
static uint64_t
segment_plan_questions(struct segment_geometry *g, uint64_t at)
{
	g->questions_at = at;
	at += segment_page_round(
	    g->questions_max * sizeof(struct layout_question));
	g->gathered_at = at;
	at += segment_page_round(
	    g->questions_max * sizeof(struct layout_gathered));
	return at;
}

/* Where everything lies, from what can be chosen. */
static struct segment_geometry
segment_plan(const struct segment_shape *shape)
{
	uint32_t topics_max = shape->topics_max;
	struct segment_geometry g = { .topics_max = topics_max,
		.buckets = segment_buckets(topics_max),
		.members_max = shape->members_max,
		.keys_max = shape->keys_max,
		.key_buckets = segment_buckets(shape->keys_max),
		.chunks_max = shape->chunks_max,
		.questions_max = shape->questions_max,
		/* A value has several chunks, as a rule. */
		.value_buckets = segment_buckets(shape->chunks_max / 4) };
	uint64_t at = SEGMENT_LAYOUT_SHIFT;

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
	at = segment_plan_members(&g, at);
	g.asks_at = at;
	at += segment_page_round(LAYOUT_ASKERS * sizeof(struct layout_ask));
	g.answers_at = at;
	at += segment_page_round(LAYOUT_WORKERS * sizeof(struct layout_answer));
	at = segment_plan_questions(&g, at);
	at = segment_plan_values(&g, at);
	g.ring_at = at;
	g.ring_size = segment_page_round(shape->ring_size);
	g.size = at + g.ring_size;
	return g;
}

uint64_t
segment_size(const struct segment_shape *shape)
{
	return segment_plan(shape).size;
}

uint64_t
segment_first_bytes(void)
{
	/* The header and the workers' table lie first, whatever the shape. */
	return segment_plan(&(struct segment_shape){ 0 }).stamps_at;
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
		offsetof(struct layout_header, cluster),
		offsetof(struct layout_cluster, counters), LAYOUT_ORIGINS,
		CLUSTER_COUNTERS, sizeof(struct layout_mark),
		offsetof(struct layout_cluster, hosts),
		offsetof(struct layout_cluster, asked),
		offsetof(struct layout_cluster, accept_to_ring),
		offsetof(struct layout_worker, succession),
		offsetof(struct layout_header, run.upgrades),
		offsetof(struct layout_worker, confined),
		offsetof(struct layout_worker, counters),
		offsetof(struct layout_worker, delays), STATS_DELAY_BOUNDS,
		sizeof(struct layout_stamp), LAYOUT_STAMPS,
		sizeof(struct layout_ask), LAYOUT_ASKERS,
		sizeof(struct layout_answer), sizeof(struct layout_question),
		sizeof(struct layout_gathered), sizeof(struct layout_member),
		sizeof(struct layout_piece), sizeof(struct layout_attendance),
		LAYOUT_PIECES_PER, offsetof(struct layout_header, members),
		offsetof(struct layout_members, leave_ms),
		offsetof(struct layout_member, state),
		offsetof(struct layout_member, holder), LAYOUT_HOLDERS,
		offsetof(struct layout_member, key),
		sizeof(struct layout_extra), sizeof(struct layout_key),
		sizeof(struct layout_keys), sizeof(struct layout_retain),
		sizeof(struct layout_chunk),
		offsetof(struct layout_header, asking),
		offsetof(struct layout_header, stamped),
		offsetof(struct layout_topic, state), LAYOUT_WORKERS,
		LAYOUT_LOCK_SIZE };
	uint64_t h = UINT64_C(0xcbf29ce484222325) + SEGMENT_LAYOUT_SHIFT;

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
	seg->attendance = (void *)(at + g->attendance_at);
	seg->members = (void *)(at + g->members_at);
	seg->member_counts = (void *)(at + g->member_counts_at);
	seg->member_buckets = (void *)(at + g->member_buckets_at);
	seg->pieces = (void *)(at + g->pieces_at);
	seg->member_holders = (void *)(at + g->holders_at);
	seg->asks = (void *)(at + g->asks_at);
	seg->answers = (void *)(at + g->answers_at);
	seg->questions = (void *)(at + g->questions_at);
	seg->gathered = (void *)(at + g->gathered_at);
	seg->keys = (void *)(at + g->keys_at);
	seg->key_entries = (void *)(at + g->key_entries_at);
	seg->key_buckets = (void *)(at + g->key_buckets_at);
	seg->retain = (void *)(at + g->retain_at);
	seg->value_buckets = (void *)(at + g->value_buckets_at);
	seg->chunks = (void *)(at + g->chunks_at);
	seg->ring = at + g->ring_at;
	seg->size = g->size;
	seg->ring_size = g->ring_size;
	seg->topics_max = g->topics_max;
	seg->bucket_count = g->buckets;
	seg->members_max = g->members_max;
	seg->member_bucket_count = g->member_buckets;
	seg->pieces_max = g->members_max * LAYOUT_PIECES_PER;
	seg->keys_max = g->keys_max;
	seg->key_bucket_count = g->key_buckets;
	seg->chunks_max = g->chunks_max;
	seg->value_bucket_count = g->value_buckets;
	seg->questions_max = g->questions_max;
}

/* A random number that is not 0. */
static uint64_t
segment_make_origin(void)
{
	uint64_t origin;

	random_fill(&origin, sizeof(origin));
	return origin != 0 ? origin : 1;
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
    struct segment *seg, void *base, const struct segment_shape *shape)
{
	struct segment_geometry g = segment_plan(shape);
	struct layout_header *h = base;

	segment_point(seg, base, &g);
	h->magic = LAYOUT_MAGIC;
	h->segment_size = g.size;
	h->ring_size = g.ring_size;
	h->topics_max = g.topics_max;
	h->buckets = g.buckets;
	h->keys_max = g.keys_max;
	h->chunks_max = g.chunks_max;
	h->questions_max = g.questions_max;
	h->workers_at = g.workers_at;
	h->stamps_at = g.stamps_at;
	h->topics_at = g.topics_at;
	h->buckets_at = g.buckets_at;
	h->names_at = g.names_at;
	h->subscribers_at = g.subscribers_at;
	h->busy_at = g.busy_at;
	h->members_max = g.members_max;
	h->attendance_at = g.attendance_at;
	h->members_at = g.members_at;
	h->member_counts_at = g.member_counts_at;
	h->member_buckets_at = g.member_buckets_at;
	h->pieces_at = g.pieces_at;
	h->holders_at = g.holders_at;
	h->asks_at = g.asks_at;
	h->answers_at = g.answers_at;
	h->questions_at = g.questions_at;
	h->gathered_at = g.gathered_at;
	h->keys_at = g.keys_at;
	h->retain_at = g.retain_at;
	h->ring_at = g.ring_at;
	segment_make_epoch(h->epoch);
	siphash_key_make(&h->hash_key);
	h->cluster.self = segment_make_origin();
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
	struct segment_shape shape;

	if (size < sizeof(*h) || h->magic != LAYOUT_MAGIC ||
	    atomic_load_explicit(&h->fingerprint, memory_order_acquire) !=
		segment_fingerprint())
		return false;
	if (h->topics_max == 0 || h->ring_size == 0 || h->ring_size > size ||
	    h->topics_max > size / sizeof(struct layout_topic) ||
	    h->keys_max == 0 ||
	    h->keys_max > size / sizeof(struct layout_key) ||
	    h->chunks_max > size / sizeof(struct layout_chunk) ||
	    h->members_max > size / sizeof(struct layout_member) ||
	    h->questions_max > LAYOUT_QUESTIONS)
		return false;
	shape = (struct segment_shape){ .ring_size = h->ring_size,
		.topics_max = h->topics_max,
		.keys_max = h->keys_max,
		.chunks_max = h->chunks_max,
		.members_max = h->members_max,
		.questions_max = h->questions_max };
	*g = segment_plan(&shape);
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

bool
segment_counts_worker(const struct segment *seg, unsigned worker)
{
	uint32_t state = atomic_load(&seg->workers[worker].state);

	return state != WORKER_GONE && state != WORKER_STARTING;
}
