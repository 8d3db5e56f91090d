/* SPDX-License-Identifier: MIT */
/*
 * test_wheel.c - what worker/net/wheel.h promises, one test per promise.
 *
 * A timer notes the tick at which it was due.  No clock: ticks are turned by
 * hand, and a wheel may begin shortly before its ticks wrap around.
 */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "worker/net/wheel.h"

#include "common/container.h"

#include <stdlib.h>
#include <string.h>

struct timer {
	struct wheel_entry entry;
	uint32_t due;         /* tick at which it was called last */
	unsigned calls;       /* so far */
	uint32_t again;       /* set anew by its call: ticks, 0: taken out */
	struct timer *victim; /* taken out by its call */
};

static struct wheel wheel;

static int
setup(void **state)
{
	(void)state;
	wheel_init(&wheel);
	return 0;
}

/* The same right before the ticks wrap. */
static int
setup_late(void **state)
{
	setup(state);
	wheel.now = UINT32_MAX - 10;
	return 0;
}

static void
timer_due_cb(struct wheel_entry *entry, void *arg)
{
	struct timer *t = container_of(entry, struct timer, entry);

	assert_ptr_equal(arg, &wheel);
	t->due = wheel.now;
	t->calls++;
	if (t->victim != NULL) {
		wheel_remove(&t->victim->entry);
		t->victim = NULL;
	}
	if (t->again > 0)
		wheel_set(&wheel, &t->entry, t->again);
	else
		wheel_remove(&t->entry);
}

static void
turn(unsigned ticks)
{
	while (ticks-- > 0)
		wheel_turn(&wheel, timer_due_cb, &wheel);
}

static void
test_ticks_last_at_least_as_long(void **state)
{
	(void)state;
	assert_int_equal(wheel_ticks(0), 1);
	assert_int_equal(wheel_ticks(1), 1);
	assert_int_equal(wheel_ticks(WHEEL_TICK_MS), 1);
	assert_int_equal(wheel_ticks(WHEEL_TICK_MS + 1), 2);
	assert_int_equal(wheel_ticks(54000), 54000 / WHEEL_TICK_MS);
	assert_int_equal(
	    wheel_ticks(UINT32_MAX), UINT32_MAX / WHEEL_TICK_MS + 1);
}

static void
test_due_at_its_tick_neither_sooner_nor_later(void **state)
{
	struct timer t = { .calls = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 20);
	turn(19);
	assert_int_equal(t.calls, 0);
	turn(1);
	assert_int_equal(t.calls, 1);
}

static void
test_no_ticks_count_as_one(void **state)
{
	struct timer t = { .again = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 0);
	turn(1);
	assert_int_equal(t.calls, 1);

	wheel_add(&wheel, &t.entry, 5);
	wheel_set(&wheel, &t.entry, 0);
	turn(1);
	assert_int_equal(t.calls, 2);
}

static void
test_deadline_put_off_is_due_then(void **state)
{
	struct timer t = { .calls = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 4);
	for (int i = 0; i < 100; i++) {
		turn(3);
		wheel_set(&wheel, &t.entry, 4);
	}
	assert_int_equal(t.calls, 0);
	turn(3);
	assert_int_equal(t.calls, 0);
	turn(1);
	assert_int_equal(t.calls, 1);
}

static void
test_deadline_brought_forward_is_due_then(void **state)
{
	struct timer t = { .calls = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 200);
	turn(10);
	wheel_set(&wheel, &t.entry, 3);
	turn(2);
	assert_int_equal(t.calls, 0);
	turn(1);
	assert_int_equal(t.calls, 1);
	turn(300);
	assert_int_equal(t.calls, 1);
}

static void
test_put_off_then_brought_forward_again(void **state)
{
	struct timer t = { .calls = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 10);
	wheel_set(&wheel, &t.entry, 1000);
	turn(50); /* it has been laid anew meanwhile */
	wheel_set(&wheel, &t.entry, 2);
	turn(1);
	assert_int_equal(t.calls, 0);
	turn(1);
	assert_int_equal(t.calls, 1);
}

static void
test_deadlines_many_times_around(void **state)
{
	static const uint32_t ticks[] = { WHEEL_BUCKETS - 1, WHEEL_BUCKETS,
		WHEEL_BUCKETS + 1, 2 * WHEEL_BUCKETS, 5 * WHEEL_BUCKETS + 7 };
	struct timer timers[5] = { { .calls = 0 } };
	uint32_t began = wheel.now;

	(void)state;
	for (int i = 0; i < 5; i++)
		wheel_add(&wheel, &timers[i].entry, ticks[i]);
	turn(6 * WHEEL_BUCKETS);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(timers[i].calls, 1);
		assert_int_equal(timers[i].due, began + ticks[i]);
	}
}

static void
test_removed_is_never_due(void **state)
{
	struct timer t = { .calls = 0 };

	(void)state;
	wheel_add(&wheel, &t.entry, 7);
	turn(3);
	wheel_remove(&t.entry);
	turn(2 * WHEEL_BUCKETS);
	assert_int_equal(t.calls, 0);
}

static void
test_due_may_set_itself_anew(void **state)
{
	/* A whole turn of the wheel is the bucket that is being looked at. */
	static const uint32_t ticks[] = { 1, 5, WHEEL_BUCKETS - 1,
		WHEEL_BUCKETS, 2 * WHEEL_BUCKETS };

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct timer t = { .again = ticks[i] };

		wheel_add(&wheel, &t.entry, 1);
		turn(1 + 3 * ticks[i]);
		assert_int_equal(t.calls, 4);
		wheel_remove(&t.entry);
	}
}

static void
test_due_may_take_another_out(void **state)
{
	struct timer first = { .calls = 0 }, second = { .calls = 0 };

	(void)state;
	first.victim = &second;
	second.victim = &first;
	wheel_add(&wheel, &first.entry, 9);
	wheel_add(&wheel, &second.entry, 9);
	turn(2 * WHEEL_BUCKETS);
	assert_int_equal(first.calls + second.calls, 1);
}

/* Ten thousand that are moved about at random are due when a simple list of
 * deadlines says so. */
static void
test_many_entries_moved_at_random(void **state)
{
	enum { COUNT = 10000 };
	struct timer *timers = calloc(COUNT, sizeof(*timers));
	uint32_t *due = calloc(COUNT, sizeof(*due)); /* ticks from the start */
	struct dice dice = { 20251107 };
	uint32_t start = wheel.now;

	(void)state;
	assert_non_null(timers);
	assert_non_null(due);
	for (size_t i = 0; i < COUNT; i++) {
		due[i] = (uint32_t)dice_below(&dice, 900) + 1;
		wheel_add(&wheel, &timers[i].entry, due[i]);
	}
	for (uint32_t now = 1; now < 1200; now++) {
		turn(1);
		for (int n = 0; n < 50; n++) {
			size_t i = dice_below(&dice, COUNT);
			uint32_t ticks = (uint32_t)dice_below(&dice, 200);

			if (timers[i].calls > 0)
				continue;
			wheel_set(&wheel, &timers[i].entry, ticks);
			due[i] = now + (ticks == 0 ? 1 : ticks);
		}
	}
	turn(300);
	for (size_t i = 0; i < COUNT; i++) {
		assert_int_equal(timers[i].calls, 1);
		assert_int_equal(timers[i].due, start + due[i]);
	}
	free(timers);
	free(due);
}

#define T(test)                                             \
	cmocka_unit_test_setup_teardown(test, setup, NULL), \
	    cmocka_unit_test_setup_teardown(test, setup_late, NULL)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ticks_last_at_least_as_long),
	T(test_due_at_its_tick_neither_sooner_nor_later),
	T(test_no_ticks_count_as_one),
	T(test_deadline_put_off_is_due_then),
	T(test_deadline_brought_forward_is_due_then),
	T(test_put_off_then_brought_forward_again),
	T(test_deadlines_many_times_around),
	T(test_removed_is_never_due),
	T(test_due_may_set_itself_anew),
	T(test_due_may_take_another_out),
	T(test_many_entries_moved_at_random),
};

SUITE_MAIN(tests);
