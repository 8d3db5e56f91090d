/* SPDX-License-Identifier: MIT */
/* test_stamps.c - what broker/shared/stamps.h promises. */

#include "broker/shared/stamps.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#define RING_SIZE (64u << 10)

struct stamped {
	struct ringkit kit;
	struct stamps_cursor cursor;
	uint32_t topic;
};

static int
setup(void **state)
{
	struct stamped *s = ringkit_new(sizeof(*s), RING_SIZE, 4);

	s->topic = hand_topic(&s->kit.ring, "a");
	*state = s;
	return 0;
}

/* Publish so many messages as one batch, stamped.  Returns where it begins. */
static uint64_t
publish(struct stamped *s, uint64_t ns, unsigned count)
{
	uint64_t from = ring_head(&s->kit.t.seg);

	stamps_add(&s->kit.t.seg, ns);
	while (count-- > 0)
		hand_publish(&s->kit.ring, s->topic, "\"x\"");
	return from;
}

static bool
find(struct stamped *s, uint64_t pos)
{
	return stamps_find(
	    &s->kit.t.seg, &s->cursor, pos, ring_head(&s->kit.t.seg));
}

/* That the record at pos was accepted then. */
static void
check(struct stamped *s, uint64_t pos, uint64_t ns)
{
	assert_true(find(s, pos));
	assert_int_equal(s->cursor.ns, ns);
	assert_in_range(pos, s->cursor.from, s->cursor.to - 1);
}

static void
test_without_stamps_there_is_none(void **state)
{
	assert_false(find(*state, 64));
}

static void
test_each_record_has_its_batch_s_time(void **state)
{
	struct stamped *s = *state;
	uint64_t first = publish(s, 100, 3), second = publish(s, 200, 1);
	uint64_t third = publish(s, 300, 2);

	check(s, first, 100);
	check(s, second - 8, 100);
	check(s, second, 200);
	check(s, third, 300);
	check(s, ring_head(&s->kit.t.seg) - 8, 300);
}

static void
test_what_comes_later_is_not_taken_for_what_was_there(void **state)
{
	struct stamped *s = *state;
	uint64_t first = publish(s, 100, 1), second;

	check(s, first, 100);
	second = publish(s, 200, 1);
	check(s, second, 200);
}

static void
test_batches_may_be_jumped_over(void **state)
{
	struct stamped *s = *state;
	uint64_t last = 0;

	check(s, publish(s, 1, 1), 1);
	for (uint64_t ns = 2; ns < 50; ns++)
		last = publish(s, ns, 1);
	check(s, last, 49);
}

/* A writer that dies between stamp and commit leaves a stamp; what comes to
 * that place was accepted later. */
static void
test_last_stamp_of_a_position_counts(void **state)
{
	struct stamped *s = *state;
	uint64_t dead = publish(s, 100, 0);

	assert_int_equal(publish(s, 200, 1), dead);
	check(s, dead, 200);
}

static void
test_overwritten_stamp_is_not_found(void **state)
{
	struct stamped *s = *state;
	uint64_t first = publish(s, 1, 1), next = publish(s, 2, 1);
	uint64_t third = publish(s, 3, 1);

	check(s, first, 1);
	/* number 0 is where the next one is written: it counts as gone */
	for (unsigned i = 3; i < LAYOUT_STAMPS; i++)
		publish(s, 10, 0);
	assert_int_equal(
	    atomic_load(&s->kit.t.seg.header->stamped), LAYOUT_STAMPS);
	s->cursor = (struct stamps_cursor){ 0 };
	assert_false(find(s, first));
	check(s, next, 2);
	check(s, third, 3);
}

/* Who has slept through several rounds of the table. */
static void
test_late_reader_finds_what_is_still_there(void **state)
{
	struct stamped *s = *state;
	uint64_t first = publish(s, 7, 1), last;

	check(s, first, 7);
	for (unsigned i = 0; i < 3 * LAYOUT_STAMPS; i++)
		publish(s, 8, 0);
	last = publish(s, 9, 1);
	check(s, last, 9);
	assert_false(find(s, first - 8));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

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
