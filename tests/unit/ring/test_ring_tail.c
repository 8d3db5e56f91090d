/* SPDX-License-Identifier: MIT */
/* test_ring_tail.c - what broker/ring/ring.h promises of the readers' side. */

#include "broker/ring/ring.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define RING_SIZE 8192u
#define SMALL     56u /* bytes of a record with a body of up to 7 in "t" */
#define SLOT      0u  /* of "t" */

static int
setup(void **state)
{
	struct ringkit *kit = ringkit_new(sizeof(*kit), RING_SIZE, 200);

	assert_int_equal(hand_topic(&kit->ring, "t"), SLOT);
	*state = kit;
	return 0;
}

static void
publish_times(struct ringkit *kit, unsigned n)
{
	while (n-- > 0)
		hand_publish(&kit->ring, SLOT, "\"hello\"");
}

static void
test_nothing_new_is_empty(void **state)
{
	struct ringkit *kit = *state;

	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
	publish_times(kit, 3);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
	assert_int_equal(kit->reader.batch.count, 0);
}

static void
test_only_wanted_topics_are_copied(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slots[150];
	char name[16];

	for (unsigned i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		slots[i] = hand_topic(&kit->ring, name);
	}
	memset(kit->reader.wanted, 0, 4 * sizeof(*kit->reader.wanted));
	kit->reader.wanted[slots[0] / 64] |= UINT64_C(1) << slots[0] % 64;
	kit->reader.wanted[slots[140] / 64] |= UINT64_C(1) << slots[140] % 64;
	for (unsigned i = 0; i < 150; i += 10)
		hand_publish(&kit->ring, slots[i], "1");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 2);
	assert_int_equal(kit->reader.batch.records[0].topic, slots[0]);
	assert_int_equal(kit->reader.batch.records[1].topic, slots[140]);
	assert_int_equal(kit->reader.cur.pos, ring_head(&kit->t.seg));
}

static void
test_unwanted_records_move_the_cursor(void **state)
{
	struct ringkit *kit = *state;

	memset(kit->reader.wanted, 0, 4 * sizeof(*kit->reader.wanted));
	publish_times(kit, 10);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 0);
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
}

static void
test_batch_ends_when_its_records_are_used(void **state)
{
	struct ringkit *kit = *state;

	kit->reader.batch.records_max = 4;
	publish_times(kit, 10);
	for (uint64_t seq = 1; seq <= 9; seq += 4) {
		assert_int_equal(reader_read(&kit->reader), RING_OK);
		assert_int_equal(kit->reader.batch.count, seq == 9 ? 2 : 4);
		assert_int_equal(kit->reader.batch.records[0].seq, seq);
	}
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
}

static void
test_batch_ends_when_its_bytes_are_used(void **state)
{
	struct ringkit *kit = *state;

	kit->reader.batch.size = 3 * SMALL + SMALL - 8;
	publish_times(kit, 9);
	for (uint64_t seq = 1; seq <= 7; seq += 3) {
		assert_int_equal(reader_read(&kit->reader), RING_OK);
		assert_int_equal(kit->reader.batch.count, 3);
		assert_int_equal(kit->reader.batch.records[0].seq, seq);
	}
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
}

static void
test_batch_may_be_as_small_as_the_largest_record(void **state)
{
	struct ringkit *kit = *state;

	kit->reader.batch.size = SMALL;
	publish_times(kit, 5);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		assert_int_equal(reader_read(&kit->reader), RING_OK);
		assert_int_equal(kit->reader.batch.count, 1);
		assert_int_equal(kit->reader.batch.records[0].seq, seq);
	}
}

static void
test_what_was_read_is_a_private_copy(void **state)
{
	struct ringkit *kit = *state;
	const struct ring_record *rec = kit->reader.batch.records;

	hand_publish(&kit->ring, SLOT, "\"first\"");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	publish_times(kit, 2 * RING_SIZE / SMALL);
	assert_memory_equal(rec->body, "\"first\"", 7);
	assert_memory_equal(rec->name, "t", 1);
}

static void
test_a_whole_ring_behind_is_not_lapped(void **state)
{
	struct ringkit *kit = *state;
	unsigned fit = RING_SIZE / SMALL; /* 146 and 16 bytes of padding */

	publish_times(kit, fit);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, fit);
}

static void
test_a_record_more_than_the_ring_behind_is_lapped(void **state)
{
	struct ringkit *kit = *state;

	publish_times(kit, RING_SIZE / SMALL + 1);
	assert_int_equal(reader_read(&kit->reader), RING_LAPPED);
	assert_int_equal(kit->reader.batch.count, 0);
	assert_int_equal(
	    kit->reader.cur.pos, atomic_load(&kit->t.seg.header->applied));
	assert_int_equal(
	    ring_topic_seq(&kit->t.seg, SLOT), RING_SIZE / SMALL + 1);

	hand_publish(&kit->ring, SLOT, "1");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(
	    kit->reader.batch.records[0].seq, RING_SIZE / SMALL + 2);
}

/* A writer that reserved has begun to overwrite, committed or not. */
static void
test_reserved_ground_is_overwritten_ground(void **state)
{
	struct ringkit *kit = *state;
	_Atomic uint64_t *reserve = &kit->t.seg.header->reserve;
	uint64_t start = kit->reader.cur.pos;

	publish_times(kit, 10);
	atomic_store(reserve, start + RING_SIZE);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	kit->reader.cur.pos = start;
	atomic_store(reserve, start + RING_SIZE + 8);
	assert_int_equal(reader_read(&kit->reader), RING_LAPPED);
}

/*
 * A reader is lapped while a writer stands between head and directory.  Were
 * it to go on at head, what that writer has just committed would be neither
 * read nor, the directory being old, counted as missed.
 */
static void
test_lapped_reader_goes_on_at_applied_not_at_head(void **state)
{
	struct ringkit *kit = *state;
	struct layout_header *h = kit->t.seg.header;
	uint64_t applied;

	publish_times(kit, RING_SIZE / SMALL + 1);
	applied = ring_head(&kit->t.seg);
	publish_times(kit, 2);
	atomic_store(&h->applied, applied);
	atomic_store(&kit->t.seg.topics[SLOT].seq, RING_SIZE / SMALL + 1);

	assert_int_equal(reader_read(&kit->reader), RING_LAPPED);
	assert_int_equal(
	    ring_topic_seq(&kit->t.seg, SLOT), RING_SIZE / SMALL + 1);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 2);
	assert_int_equal(
	    kit->reader.batch.records[0].seq, RING_SIZE / SMALL + 2);
}

/* Write a length where the reader expects a record. */
static void
damage_length(struct ringkit *kit, uint32_t length)
{
	struct layout_record rec;
	unsigned char *at = kit->t.seg.ring + kit->reader.cur.pos % RING_SIZE;

	memcpy(&rec, at, sizeof(rec));
	rec.length = length;
	memcpy(at, &rec, sizeof(rec));
}

static void
test_lengths_that_no_writer_wrote_are_corrupt(void **state)
{
	struct ringkit *kit = *state;
	const uint32_t lengths[] = { 0, 4, 8, 40, SMALL - 8, SMALL - 1,
		SMALL + 4, 11 * SMALL, RING_SIZE, UINT32_MAX, UINT32_MAX - 7,
		1u << 31 };

	publish_times(kit, 10);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint64_t before = kit->reader.cur.pos;

		damage_length(kit, lengths[i]);
		assert_int_equal(reader_read(&kit->reader), RING_CORRUPT);
		assert_int_equal(kit->reader.batch.count, 0);
		assert_int_equal(kit->reader.cur.pos, before);
	}
	damage_length(kit, SMALL);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
}

/*
 * A length within the ring but larger than any record for which the batch was
 * made: it would never fit, and the reader would ask for it for ever.
 */
static void
test_record_larger_than_the_batch_is_corrupt(void **state)
{
	struct ringkit *kit = *state;

	kit->reader.batch.size = SMALL;
	publish_times(kit, 10);
	damage_length(kit, 2 * SMALL);
	assert_int_equal(reader_read(&kit->reader), RING_CORRUPT);
}

static void
test_what_is_torn_is_lapped_not_corrupt(void **state)
{
	struct ringkit *kit = *state;

	publish_times(kit, 10);
	damage_length(kit, 3);
	atomic_store(&kit->t.seg.header->reserve,
	    kit->reader.cur.pos + RING_SIZE + SMALL);
	assert_int_equal(reader_read(&kit->reader), RING_LAPPED);
}

static void
test_good_records_before_a_bad_one_are_read(void **state)
{
	struct ringkit *kit = *state;
	uint64_t start = kit->reader.cur.pos;

	publish_times(kit, 10);
	kit->reader.cur.pos = start + 4 * SMALL;
	damage_length(kit, 3);
	kit->reader.cur.pos = start;
	assert_int_equal(reader_read(&kit->reader), RING_CORRUPT);
	assert_int_equal(kit->reader.batch.count, 4);
	assert_int_equal(reader_read(&kit->reader), RING_CORRUPT);
	assert_int_equal(kit->reader.batch.count, 0);
}

static void
test_name_of_a_record(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "a name of 19 bytes!");
	uint64_t first = ring_head(&kit->t.seg);
	char name[LAYOUT_TOPIC_NAME_MAX + 1];
	uint8_t len = 0;

	assert_int_equal(ring_fetch_name(&kit->t.seg, first, slot, name, &len),
	    RING_CORRUPT);
	hand_publish(&kit->ring, slot, "1");
	assert_int_equal(
	    ring_fetch_name(&kit->t.seg, first, slot, name, &len), RING_OK);
	assert_int_equal(len, 19);
	assert_memory_equal(name, "a name of 19 bytes!", 19);
	assert_int_equal(ring_fetch_name(&kit->t.seg, first, SLOT, name, &len),
	    RING_CORRUPT);
	publish_times(kit, RING_SIZE / SMALL + 2);
	assert_int_equal(
	    ring_fetch_name(&kit->t.seg, first, slot, name, &len), RING_LAPPED);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

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
	T(test_name_of_a_record),
};

SUITE_MAIN(tests);
