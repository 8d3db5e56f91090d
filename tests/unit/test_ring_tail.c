/* SPDX-License-Identifier: MIT */
/* test_ring_tail.c - what broker/ring.h promises of the readers' side. */

#include "broker/ring.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 8192u
#define SMALL     56u /* bytes of a record with a body of up to 7 in "t" */

struct bench {
	struct testseg t;
	struct ring ring;
	struct reader reader;
	uint32_t slot; /* of "t" */
};

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	testseg_open(&b->t, RING_SIZE, 200);
	ring_attach(&b->ring, &b->t.seg, 0);
	reader_open(&b->reader, &b->t.seg, 1000, RING_SIZE);
	b->slot = hand_topic(&b->ring, "t");
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	reader_close(&b->reader);
	ring_detach(&b->ring);
	testseg_close(&b->t);
	free(b);
	return 0;
}

static void
publish_times(struct bench *b, unsigned n)
{
	while (n-- > 0)
		hand_publish(&b->ring, b->slot, "\"hello\"");
}

static void
test_nothing_new_is_empty(void **state)
{
	struct bench *b = *state;

	assert_int_equal(reader_read(&b->reader), RING_EMPTY);
	publish_times(b, 3);
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(reader_read(&b->reader), RING_EMPTY);
	assert_int_equal(b->reader.batch.count, 0);
}

static void
test_only_wanted_topics_are_copied(void **state)
{
	struct bench *b = *state;
	uint32_t slots[150];
	char name[16];

	for (unsigned i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		slots[i] = hand_topic(&b->ring, name);
	}
	memset(b->reader.wanted, 0, 4 * sizeof(*b->reader.wanted));
	b->reader.wanted[slots[0] / 64] |= UINT64_C(1) << slots[0] % 64;
	b->reader.wanted[slots[140] / 64] |= UINT64_C(1) << slots[140] % 64;
	for (unsigned i = 0; i < 150; i += 10)
		hand_publish(&b->ring, slots[i], "1");
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.count, 2);
	assert_int_equal(b->reader.batch.records[0].topic, slots[0]);
	assert_int_equal(b->reader.batch.records[1].topic, slots[140]);
	assert_int_equal(b->reader.cur.pos, ring_head(&b->t.seg));
}

static void
test_unwanted_records_move_the_cursor(void **state)
{
	struct bench *b = *state;

	memset(b->reader.wanted, 0, 4 * sizeof(*b->reader.wanted));
	publish_times(b, 10);
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.count, 0);
	assert_int_equal(reader_read(&b->reader), RING_EMPTY);
}

static void
test_batch_ends_when_its_records_are_used(void **state)
{
	struct bench *b = *state;

	b->reader.batch.records_max = 4;
	publish_times(b, 10);
	for (uint64_t seq = 1; seq <= 9; seq += 4) {
		assert_int_equal(reader_read(&b->reader), RING_OK);
		assert_int_equal(b->reader.batch.count, seq == 9 ? 2 : 4);
		assert_int_equal(b->reader.batch.records[0].seq, seq);
	}
	assert_int_equal(reader_read(&b->reader), RING_EMPTY);
}

static void
test_batch_ends_when_its_bytes_are_used(void **state)
{
	struct bench *b = *state;

	b->reader.batch.size = 3 * SMALL + SMALL - 8;
	publish_times(b, 9);
	for (uint64_t seq = 1; seq <= 7; seq += 3) {
		assert_int_equal(reader_read(&b->reader), RING_OK);
		assert_int_equal(b->reader.batch.count, 3);
		assert_int_equal(b->reader.batch.records[0].seq, seq);
	}
	assert_int_equal(reader_read(&b->reader), RING_EMPTY);
}

static void
test_batch_may_be_as_small_as_the_largest_record(void **state)
{
	struct bench *b = *state;

	b->reader.batch.size = SMALL;
	publish_times(b, 5);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		assert_int_equal(reader_read(&b->reader), RING_OK);
		assert_int_equal(b->reader.batch.count, 1);
		assert_int_equal(b->reader.batch.records[0].seq, seq);
	}
}

static void
test_what_was_read_is_a_private_copy(void **state)
{
	struct bench *b = *state;
	const struct ring_record *rec = b->reader.batch.records;

	hand_publish(&b->ring, b->slot, "\"first\"");
	assert_int_equal(reader_read(&b->reader), RING_OK);
	publish_times(b, 2 * RING_SIZE / SMALL);
	assert_memory_equal(rec->body, "\"first\"", 7);
	assert_memory_equal(rec->name, "t", 1);
}

static void
test_a_whole_ring_behind_is_not_lapped(void **state)
{
	struct bench *b = *state;
	unsigned fit = RING_SIZE / SMALL; /* 146 and 16 bytes of padding */

	publish_times(b, fit);
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.count, fit);
}

static void
test_a_record_more_than_the_ring_behind_is_lapped(void **state)
{
	struct bench *b = *state;

	publish_times(b, RING_SIZE / SMALL + 1);
	assert_int_equal(reader_read(&b->reader), RING_LAPPED);
	assert_int_equal(b->reader.batch.count, 0);
	assert_int_equal(
	    b->reader.cur.pos, atomic_load(&b->t.seg.header->applied));
	assert_int_equal(
	    ring_topic_seq(&b->t.seg, b->slot), RING_SIZE / SMALL + 1);

	hand_publish(&b->ring, b->slot, "1");
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.records[0].seq, RING_SIZE / SMALL + 2);
}

/* A writer that reserved has begun to overwrite, committed or not. */
static void
test_reserved_ground_is_overwritten_ground(void **state)
{
	struct bench *b = *state;
	_Atomic uint64_t *reserve = &b->t.seg.header->reserve;
	uint64_t start = b->reader.cur.pos;

	publish_times(b, 10);
	atomic_store(reserve, start + RING_SIZE);
	assert_int_equal(reader_read(&b->reader), RING_OK);
	b->reader.cur.pos = start;
	atomic_store(reserve, start + RING_SIZE + 8);
	assert_int_equal(reader_read(&b->reader), RING_LAPPED);
}

/*
 * A reader is lapped while a writer stands between head and directory.  Were
 * it to go on at head, what that writer has just committed would be neither
 * read nor, the directory being old, counted as missed.
 */
static void
test_lapped_reader_goes_on_at_applied_not_at_head(void **state)
{
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;
	uint64_t applied;

	publish_times(b, RING_SIZE / SMALL + 1);
	applied = ring_head(&b->t.seg);
	publish_times(b, 2);
	atomic_store(&h->applied, applied);
	atomic_store(&b->t.seg.topics[b->slot].seq, RING_SIZE / SMALL + 1);

	assert_int_equal(reader_read(&b->reader), RING_LAPPED);
	assert_int_equal(
	    ring_topic_seq(&b->t.seg, b->slot), RING_SIZE / SMALL + 1);
	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.count, 2);
	assert_int_equal(b->reader.batch.records[0].seq, RING_SIZE / SMALL + 2);
}

/* Write a length where the reader expects a record. */
static void
damage_length(struct bench *b, uint32_t length)
{
	struct layout_record rec;
	unsigned char *at = b->t.seg.ring + b->reader.cur.pos % RING_SIZE;

	memcpy(&rec, at, sizeof(rec));
	rec.length = length;
	memcpy(at, &rec, sizeof(rec));
}

static void
test_lengths_that_no_writer_wrote_are_corrupt(void **state)
{
	struct bench *b = *state;
	const uint32_t lengths[] = { 0, 4, 8, 40, SMALL - 8, SMALL - 1,
		SMALL + 4, 11 * SMALL, RING_SIZE, UINT32_MAX, UINT32_MAX - 7,
		1u << 31 };

	publish_times(b, 10);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t before = b->reader.cur.pos;

		damage_length(b, lengths[i]);
		assert_int_equal(reader_read(&b->reader), RING_CORRUPT);
		assert_int_equal(b->reader.batch.count, 0);
		assert_int_equal(b->reader.cur.pos, before);
	}
	damage_length(b, SMALL);
	assert_int_equal(reader_read(&b->reader), RING_OK);
}

/*
 * A length within the ring but larger than any record for which the batch was
 * made: it would never fit, and the reader would ask for it for ever.
 */
static void
test_record_larger_than_the_batch_is_corrupt(void **state)
{
	struct bench *b = *state;

	b->reader.batch.size = SMALL;
	publish_times(b, 10);
	damage_length(b, 2 * SMALL);
	assert_int_equal(reader_read(&b->reader), RING_CORRUPT);
}

static void
test_what_is_torn_is_lapped_not_corrupt(void **state)
{
	struct bench *b = *state;

	publish_times(b, 10);
	damage_length(b, 3);
	atomic_store(
	    &b->t.seg.header->reserve, b->reader.cur.pos + RING_SIZE + SMALL);
	assert_int_equal(reader_read(&b->reader), RING_LAPPED);
}

static void
test_good_records_before_a_bad_one_are_read(void **state)
{
	struct bench *b = *state;
	uint64_t start = b->reader.cur.pos;

	publish_times(b, 10);
	b->reader.cur.pos = start + 4 * SMALL;
	damage_length(b, 3);
	b->reader.cur.pos = start;
	assert_int_equal(reader_read(&b->reader), RING_CORRUPT);
	assert_int_equal(b->reader.batch.count, 4);
	assert_int_equal(reader_read(&b->reader), RING_CORRUPT);
	assert_int_equal(b->reader.batch.count, 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_nothing_new_is_empty),
	T(test_only_wanted_topics_are_copied),
	T(test_unwanted_records_move_the_cursor),
	T(test_batch_ends_when_its_records_are_used),
	T(test_batch_ends_when_its_bytes_are_used),
	T(test_batch_may_be_as_small_as_the_largest_record),
	T(test_what_was_read_is_a_private_copy),
	T(test_a_whole_ring_behind_is_not_lapped),
	T(test_a_record_more_than_the_ring_behind_is_lapped),
	T(test_reserved_ground_is_overwritten_ground),
	T(test_lapped_reader_goes_on_at_applied_not_at_head),
	T(test_lengths_that_no_writer_wrote_are_corrupt),
	T(test_record_larger_than_the_batch_is_corrupt),
	T(test_what_is_torn_is_lapped_not_corrupt),
	T(test_good_records_before_a_bad_one_are_read),
};

SUITE_MAIN(tests);
