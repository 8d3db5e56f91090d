/* SPDX-License-Identifier: MIT */
/* test_stamps.c - what broker/stamps.h promises. */

#include "broker/stamps.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdlib.h>

#define RING_SIZE (64u << 10)

struct bench {
	struct testseg t;
	struct ring ring;
	struct stamps_cursor cursor;
	uint32_t topic;
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	testseg_open(&b->t, RING_SIZE, 4);
	ring_attach(&b->ring, &b->t.seg, 0);
	b->topic = hand_topic(&b->ring, "a");
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	ring_detach(&b->ring);
	testseg_close(&b->t);
	free(b);
	return 0;
}

/* Publish so many messages as one batch, stamped.  Returns where it begins. */
static uint64_t
publish(struct bench *b, uint64_t ns, unsigned count)
{
	uint64_t from = ring_head(&b->t.seg);

	stamps_add(&b->t.seg, ns);
	while (count-- > 0)
		hand_publish(&b->ring, b->topic, "\"x\"");
	return from;
}

static bool
find(struct bench *b, uint64_t pos)
{
	return stamps_find(&b->t.seg, &b->cursor, pos, ring_head(&b->t.seg));
}

/* That the record at pos was accepted then. */
static void
check(struct bench *b, uint64_t pos, uint64_t ns)
{
	assert_true(find(b, pos));
	assert_int_equal(b->cursor.ns, ns);
	assert_in_range(pos, b->cursor.from, b->cursor.to - 1);
}

static void
test_without_stamps_there_is_none(void **state)
{
	assert_false(find(*state, 64));
}

static void
test_each_record_has_its_batch_s_time(void **state)
{
	struct bench *b = *state;
	uint64_t first = publish(b, 100, 3), second = publish(b, 200, 1);
	uint64_t third = publish(b, 300, 2);

	check(b, first, 100);
	check(b, second - 8, 100);
	check(b, second, 200);
	check(b, third, 300);
	check(b, ring_head(&b->t.seg) - 8, 300);
}

static void
test_what_comes_later_is_not_taken_for_what_was_there(void **state)
{
	struct bench *b = *state;
	uint64_t first = publish(b, 100, 1), second;

	check(b, first, 100);
	second = publish(b, 200, 1);
	check(b, second, 200);
}

static void
test_batches_may_be_jumped_over(void **state)
{
	struct bench *b = *state;
	uint64_t last = 0;

	check(b, publish(b, 1, 1), 1);
	for (uint64_t ns = 2; ns < 50; ns++)
		last = publish(b, ns, 1);
	check(b, last, 49);
}

/* A writer that dies between stamp and commit leaves a stamp; what comes to
 * that place was accepted later. */
static void
test_last_stamp_of_a_position_counts(void **state)
{
	struct bench *b = *state;
	uint64_t dead = publish(b, 100, 0);

	assert_int_equal(publish(b, 200, 1), dead);
	check(b, dead, 200);
}

static void
test_overwritten_stamp_is_not_found(void **state)
{
	struct bench *b = *state;
	uint64_t first = publish(b, 1, 1), next = publish(b, 2, 1);
	uint64_t third = publish(b, 3, 1);

	check(b, first, 1);
	/* number 0 is where the next one is written: it counts as gone */
	for (unsigned i = 3; i < LAYOUT_STAMPS; i++)
		publish(b, 10, 0);
	assert_int_equal(atomic_load(&b->t.seg.header->stamped), LAYOUT_STAMPS);
	b->cursor = (struct stamps_cursor){ 0 };
	assert_false(find(b, first));
	check(b, next, 2);
	check(b, third, 3);
}

/* Who has slept through several rounds of the table. */
static void
test_late_reader_finds_what_is_still_there(void **state)
{
	struct bench *b = *state;
	uint64_t first = publish(b, 7, 1), last;

	check(b, first, 7);
	for (unsigned i = 0; i < 3 * LAYOUT_STAMPS; i++)
		publish(b, 8, 0);
	last = publish(b, 9, 1);
	check(b, last, 9);
	assert_false(find(b, first - 8));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_without_stamps_there_is_none),
	T(test_each_record_has_its_batch_s_time),
	T(test_what_comes_later_is_not_taken_for_what_was_there),
	T(test_batches_may_be_jumped_over),
	T(test_last_stamp_of_a_position_counts),
	T(test_overwritten_stamp_is_not_found),
	T(test_late_reader_finds_what_is_still_there),
};

SUITE_MAIN(tests);
