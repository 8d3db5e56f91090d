/* SPDX-License-Identifier: MIT */
/*
 * test_ring_garbage.c - a reader of a ring that holds anything at all.
 *
 * Whatever the bytes, ring_tail() stays within the ring and within its batch,
 * and never keeps its caller busy without moving on.  The ring here is mapped
 * by itself between two forbidden pages; the batch is malloc'ed to the byte for
 * AddressSanitizer's sake.
 */

#include "broker/ring/ring.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RING_SIZE 8192u
#define TOPICS    100u
#define ROUNDS    20000
#define SEED      UINT64_C(0x5eed0fa11b17e5)

struct garbage {
	struct testseg t;
	struct reader reader;
	unsigned char *walled; /* the ring's bytes, with their walls */
	size_t mapped;
	struct dice dice;
	uint64_t starts[RING_SIZE / 8]; /* where records were put */
	size_t starts_count;
};

static int
setup(void **state)
{
	struct garbage *g = xcalloc(1, sizeof(*g));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	testseg_open(&g->t, RING_SIZE, TOPICS);
	g->mapped = RING_SIZE + 2 * page;
	g->walled = mmap(
	    NULL, g->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(g->walled, MAP_FAILED);
	assert_int_equal(
	    mprotect(g->walled + page, RING_SIZE, PROT_READ | PROT_WRITE), 0);
	g->t.seg.ring = g->walled + page;
	reader_open(&g->reader, &g->t.seg, 64, ring_record_max(200));
	g->dice.state = SEED;
	print_message("seed %#llx\n", (unsigned long long)SEED);
	*state = g;
	return 0;
}

static int
teardown(void **state)
{
	struct garbage *g = *state;

	reader_close(&g->reader);
	munmap(g->walled, g->mapped);
	testseg_close(&g->t);
	free(g);
	return 0;
}

/* A header that passes, but for a wild number now and then. */
static struct layout_record
likely_record(struct dice *dice)
{
	struct layout_record rec = {
		.flags = dice_below(dice, 8) == 0,
		.name_len = (uint8_t)dice_below(dice, 30),
		.topic = (uint32_t)dice_below(dice, TOPICS + 1),
		.body_len = (uint32_t)dice_below(dice, 200),
	};

	rec.length = (uint32_t)(sizeof(rec) + rec.name_len + rec.body_len + 7);
	rec.length -= rec.length % 8;
	if (dice_below(dice, 30) == 0)
		rec.length = (uint32_t)dice_below(dice, 200) * 8;
	if (dice_below(dice, 30) == 0)
		rec.length = (uint32_t)dice_roll(dice);
	if (dice_below(dice, 30) == 0)
		rec.body_len = (uint32_t)dice_roll(dice);
	if (dice_below(dice, 30) == 0)
		rec.name_len = UINT8_MAX;
	return rec;
}

/* Fill the ring with records that mostly follow upon each other. */
static void
scatter_records(struct garbage *g)
{
	size_t at = 0;

	for (size_t i = 0; i < RING_SIZE; i += 8) {
		uint64_t word = dice_roll(&g->dice);

		memcpy(g->t.seg.ring + i, &word, 8);
	}
	g->starts_count = 0;
	while (at < RING_SIZE) {
		struct layout_record rec = likely_record(&g->dice);
		size_t left = RING_SIZE - at;

		g->starts[g->starts_count++] = at;
		memcpy(g->t.seg.ring + at, &rec,
		    left < sizeof(rec) ? left : sizeof(rec));
		at += rec.length % 8 == 0 && rec.length >= 8 ? rec.length : 8;
	}
}

/* Put the reader at `at' in the ring, and the head at most a ring further. */
static void
resume_point_reader(struct garbage *g, uint64_t at)
{
	struct layout_header *h = g->t.seg.header;
	uint64_t pos = (1 + dice_below(&g->dice, 1000)) * RING_SIZE + at;
	uint64_t head = pos + dice_below(&g->dice, RING_SIZE / 8 + 1) * 8;

	g->reader.cur.pos = pos;
	atomic_store(&h->head, head);
	atomic_store(&h->applied, head);
	atomic_store(&h->reserve, head);
	for (size_t i = 0; i < (TOPICS + 63) / 64; i++)
		g->reader.wanted[i] = dice_roll(&g->dice);
}

/* All that a batch says lies within its bytes. */
static void
check_batch(const struct reader *r)
{
	const char *bytes = (const char *)r->batch.bytes;

	assert_in_range(r->batch.count, 0, r->batch.records_max);
	for (size_t i = 0; i < r->batch.count; i++) {
		const struct ring_record *rec = &r->batch.records[i];

		assert_in_range(rec->topic, 0, TOPICS - 1);
		assert_true(r->wanted[rec->topic / 64] >> rec->topic % 64 & 1);
		assert_true(rec->name >= bytes);
		assert_ptr_equal(rec->name + rec->name_len, rec->body);
		assert_true(rec->body + rec->body_len <= bytes + r->batch.size);
	}
}

/* Read to the end, by whatever comes; returns how many records came. */
static size_t
read_to_the_end(struct reader *r)
{
	size_t seen = 0;

	for (;;) {
		uint64_t before = r->cur.pos;
		enum ring_status status = reader_read(r);

		check_batch(r);
		assert_true(r->cur.pos >= before);
		assert_true(r->cur.pos <= ring_head(r->ring.seg));
		assert_int_not_equal(status, RING_LAPPED);
		seen += r->batch.count;
		if (status != RING_OK)
			return seen;
		assert_true(r->cur.pos > before);
	}
}

static void
test_noise_is_read_within_bounds_and_to_an_end(void **state)
{
	struct garbage *g = *state;

	for (int i = 0; i < ROUNDS / 10; i++) {
		for (size_t at = 0; at < RING_SIZE; at += 8) {
			uint64_t word = dice_roll(&g->dice);

			memcpy(g->t.seg.ring + at, &word, 8);
		}
		resume_point_reader(g, dice_below(&g->dice, RING_SIZE / 8) * 8);
		read_to_the_end(&g->reader);
	}
}

static void
test_likely_records_are_read_within_bounds_and_to_an_end(void **state)
{
	struct garbage *g = *state;
	size_t seen = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 10 == 0)
			scatter_records(g);
		resume_point_reader(
		    g, g->starts[dice_below(&g->dice, g->starts_count)]);
		seen += read_to_the_end(&g->reader);
	}
	assert_true(seen > ROUNDS); /* the likely ones are */
}

/* Reading goes on as long as there is more, as in a worker; returns how it
 * ended. */
static enum ring_status
read_on(struct reader *r)
{
	enum ring_status status = RING_OK;

	for (unsigned i = 0; status == RING_OK || status == RING_LAPPED; i++) {
		assert_in_range(i, 0, RING_SIZE / 8);
		status = reader_read(r);
		check_batch(r);
	}
	return status;
}

/* Each word of the three positions, and what it is set to. */
static void
test_wild_positions_end_the_reading(void **state)
{
	static const struct {
		const char *name;
		int64_t head, applied, reserve; /* beside the reader's */
		enum ring_status end;
	} rows[] = {
		{ "nothing wrong", 0, 0, 0, RING_EMPTY },
		{ "head behind the reader", -8, 0, 0, RING_CORRUPT },
		{ "head beyond reserve", INT64_MAX / 2, 0, 64, RING_CORRUPT },
		{ "head between words", 4, 0, 64, RING_CORRUPT },
		{ "lapped, to where it stands", 64, 0, RING_SIZE + 8,
		    RING_CORRUPT },
		{ "lapped, and back", 64, -64, RING_SIZE + 8, RING_CORRUPT },
		{ "lapped for ever", 64, 8, INT64_MAX / 2, RING_CORRUPT },
		{ "lapped, between words", 64, 4, RING_SIZE + 1, RING_CORRUPT },
		{ "lapped, far beyond head", 64, INT64_MAX / 2, RING_SIZE + 1,
		    RING_CORRUPT },
	};
	struct garbage *g = *state;
	struct layout_header *h = g->t.seg.header;

	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t pos = RING_SIZE * UINT64_C(5);

		g->reader.cur.pos = pos;
		atomic_store(&h->head, pos + (uint64_t)rows[i].head);
		atomic_store(&h->applied, pos + (uint64_t)rows[i].applied);
		atomic_store(&h->reserve, pos + (uint64_t)rows[i].reserve);
		if (read_on(&g->reader) != rows[i].end)
			fail_msg("%s", rows[i].name);
	}
}

/* The last bytes of the ring, at which no word begins. */
static void
test_a_record_between_words_is_none(void **state)
{
	struct garbage *g = *state;
	struct layout_header *h = g->t.seg.header;
	unsigned char bytes[256];
	struct ring_record rec;
	struct ring_link link;

	atomic_store(&h->head, 3 * RING_SIZE);
	atomic_store(&h->reserve, 3 * RING_SIZE);
	for (uint64_t back = 1; back < 8; back++) {
		uint64_t pos = 3 * RING_SIZE - back;

		assert_int_equal(
		    ring_fetch(&g->t.seg, pos, bytes, sizeof(bytes), &rec),
		    RING_CORRUPT);
		assert_int_equal(
		    ring_follow(&g->t.seg, pos, 0, &link), RING_CORRUPT);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_noise_is_read_within_bounds_and_to_an_end),
	T(test_likely_records_are_read_within_bounds_and_to_an_end),
	T(test_wild_positions_end_the_reading),
	T(test_a_record_between_words_is_none),
};

SUITE_MAIN(tests);
