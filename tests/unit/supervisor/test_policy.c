/* SPDX-License-Identifier: MIT */
/* test_policy.c - what broker/supervisor/policy.h promises. */

#include "broker/supervisor/policy.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdatomic.h>

#define WORKERS 3u

static struct testseg t;
static struct watchdog watchdog;
static enum watchdog_verdict verdict[LAYOUT_WORKERS];

static int
setup(void **state)
{
	(void)state;
	testseg_open(&t, 4096, 4);
	watchdog_init(&watchdog);
	for (unsigned slot = 0; slot < WORKERS; slot++)
		atomic_store(&t.seg.workers[slot].state, WORKER_READY);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	testseg_close(&t);
	return 0;
}

static void
beat(unsigned slot)
{
	atomic_fetch_add(&t.seg.workers[slot].beat, 1);
}

static void
set_state(unsigned slot, enum worker_state state)
{
	atomic_store(&t.seg.workers[slot].state, (uint32_t)state);
}

/* The owner word while this worker has the lock for the nth time. */
static void
hold(unsigned slot, uint64_t nth)
{
	atomic_store(&t.seg.header->owner, layout_owner(nth, slot));
}

/* Look once; all but one worker have beaten since the last look. */
static enum watchdog_verdict
look_at(unsigned judged, bool has_beaten)
{
	for (unsigned slot = 0; slot < WORKERS; slot++)
		if (slot != judged || has_beaten)
			beat(slot);
	watchdog_look(&watchdog, &t.seg, WORKERS, verdict);
	for (unsigned slot = 0; slot < WORKERS; slot++)
		if (slot != judged)
			assert_int_equal(verdict[slot], WATCHDOG_FINE);
	return verdict[judged];
}

static void
test_worker_that_beats_is_fine(void **state)
{
	(void)state;
	for (int i = 0; i < 3 * WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, true), WATCHDOG_FINE);
}

static void
test_silent_worker_is_found_at_the_fifth_look(void **state)
{
	(void)state;
	look_at(1, true);
	for (int i = 1; i < WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, false), WATCHDOG_FINE);
	assert_int_equal(look_at(1, false), WATCHDOG_SILENT);
}

static void
test_one_beat_clears_the_count(void **state)
{
	(void)state;
	look_at(1, true);
	for (int i = 1; i < WATCHDOG_STILL_MAX; i++)
		look_at(1, false);
	look_at(1, true);
	for (int i = 1; i < WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, false), WATCHDOG_FINE);
	assert_int_equal(look_at(1, false), WATCHDOG_SILENT);
}

static void
test_worker_that_hangs_before_it_is_ready_is_found(void **state)
{
	(void)state;
	set_state(1, WORKER_STARTING);
	for (int i = 1; i < WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, false), WATCHDOG_FINE);
	assert_int_equal(look_at(1, false), WATCHDOG_SILENT);
}

static void
test_slot_without_a_worker_is_not_judged(void **state)
{
	(void)state;
	set_state(1, WORKER_GONE);
	for (int i = 0; i < 3 * WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, false), WATCHDOG_FINE);
}

static void
test_successor_does_not_inherit_silence(void **state)
{
	(void)state;
	look_at(1, true);
	for (int i = 0; i < WATCHDOG_STILL_MAX; i++)
		look_at(1, false);
	watchdog_bury(&watchdog, &t.seg, 1);
	for (int i = 1; i < WATCHDOG_STILL_MAX; i++)
		assert_int_equal(look_at(1, false), WATCHDOG_FINE);
}

static void
test_holder_is_found_when_two_looks_see_one_holding(void **state)
{
	(void)state;
	hold(1, 7);
	assert_int_equal(look_at(1, true), WATCHDOG_FINE);
	assert_int_equal(look_at(1, true), WATCHDOG_HOLDS);
}

static void
test_another_holding_by_the_same_worker_is_fine(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth < 10; nth++) {
		hold(1, nth);
		assert_int_equal(look_at(1, true), WATCHDOG_FINE);
	}
}

static void
test_free_lock_has_no_holder(void **state)
{
	(void)state;
	atomic_store(&t.seg.header->owner, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(look_at(1, true), WATCHDOG_FINE);
}

/* A worker died with the lock held, and nobody has wanted the lock since: the
 * word still names its slot, where a healthy successor runs.  It was killed
 * once a second for what its predecessor had done. */
static void
test_successor_does_not_inherit_the_lock(void **state)
{
	(void)state;
	hold(1, 7);
	look_at(1, true);
	assert_true(watchdog_bury(&watchdog, &t.seg, 1));
	for (int i = 0; i < 5; i++)
		assert_int_equal(look_at(1, true), WATCHDOG_FINE);
	hold(1, 1); /* the successor's own first holding */
	assert_int_equal(look_at(1, true), WATCHDOG_FINE);
	assert_int_equal(look_at(1, true), WATCHDOG_HOLDS);
}

static void
test_death_with_the_lock_held_is_told_once(void **state)
{
	(void)state;
	hold(1, 7);
	assert_false(watchdog_bury(&watchdog, &t.seg, 0));
	assert_true(watchdog_bury(&watchdog, &t.seg, 1));
	assert_false(watchdog_bury(&watchdog, &t.seg, 1));
}

/* Somebody else had taken the lock before the supervisor reaped: the word named
 * another, and the death was not counted. */
static void
test_death_with_the_lock_held_is_told_by_who_took_it(void **state)
{
	(void)state;
	atomic_store(&t.seg.workers[1].died_in, layout_owner(7, 1));
	hold(0, 8);
	assert_true(watchdog_bury(&watchdog, &t.seg, 1));
	assert_false(watchdog_bury(&watchdog, &t.seg, 1));
	atomic_store(&t.seg.workers[1].died_in, layout_owner(9, 1));
	assert_true(watchdog_bury(&watchdog, &t.seg, 1));
}

/* Reaped first, and then the lock was taken: still one death. */
static void
test_death_with_the_lock_held_is_not_told_again(void **state)
{
	(void)state;
	hold(1, 7);
	assert_true(watchdog_bury(&watchdog, &t.seg, 1));
	atomic_store(&t.seg.workers[1].died_in, layout_owner(7, 1));
	hold(0, 8);
	assert_false(watchdog_bury(&watchdog, &t.seg, 1));
}

static void
test_backoff_grows_to_its_maximum(void **state)
{
	static const uint64_t expected[] = { 0, 50, 100, 200, 400, 800, 1000,
		1000, 1000 };

	(void)state;
	for (unsigned i = 0; i < COUNT(expected); i++)
		assert_int_equal(backoff_ms(i + 1), expected[i]);
	assert_int_equal(backoff_ms(UINT32_MAX), BACKOFF_MAX_MS);
}

static void
test_third_death_with_the_lock_in_ten_seconds_ends_the_ring(void **state)
{
	struct lock_deaths deaths = { .count = 0 };

	(void)state;
	assert_false(lock_deaths_add(&deaths, 100));
	assert_false(lock_deaths_add(&deaths, 5000));
	assert_true(lock_deaths_add(&deaths, 100 + LOCK_DEATHS_SPAN_MS));
}

static void
test_deaths_further_apart_do_not(void **state)
{
	struct lock_deaths deaths = { .count = 0 };

	(void)state;
	for (uint64_t now = 0; now < 100 * LOCK_DEATHS_SPAN_MS;
	     now += LOCK_DEATHS_SPAN_MS / 2 + 1)
		assert_false(lock_deaths_add(&deaths, now));
	assert_int_not_equal(deaths.count, 0);
}

static void
test_new_ring_has_a_new_count(void **state)
{
	struct lock_deaths deaths = { .count = 0 };

	(void)state;
	lock_deaths_add(&deaths, 1);
	lock_deaths_add(&deaths, 2);
	assert_true(lock_deaths_add(&deaths, 3));
	assert_false(lock_deaths_add(&deaths, 4));
	assert_false(lock_deaths_add(&deaths, 5));
	assert_true(lock_deaths_add(&deaths, 6));
}

#define WITH_SEGMENT(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	WITH_SEGMENT(test_worker_that_beats_is_fine),
	WITH_SEGMENT(test_silent_worker_is_found_at_the_fifth_look),
	WITH_SEGMENT(test_one_beat_clears_the_count),
	WITH_SEGMENT(test_worker_that_hangs_before_it_is_ready_is_found),
	WITH_SEGMENT(test_slot_without_a_worker_is_not_judged),
	WITH_SEGMENT(test_successor_does_not_inherit_silence),
	WITH_SEGMENT(test_holder_is_found_when_two_looks_see_one_holding),
	WITH_SEGMENT(test_another_holding_by_the_same_worker_is_fine),
	WITH_SEGMENT(test_free_lock_has_no_holder),
	WITH_SEGMENT(test_successor_does_not_inherit_the_lock),
	WITH_SEGMENT(test_death_with_the_lock_held_is_told_once),
	WITH_SEGMENT(test_death_with_the_lock_held_is_told_by_who_took_it),
	WITH_SEGMENT(test_death_with_the_lock_held_is_not_told_again),
	cmocka_unit_test(test_backoff_grows_to_its_maximum),
	cmocka_unit_test(
	    test_third_death_with_the_lock_in_ten_seconds_ends_the_ring),
	cmocka_unit_test(test_deaths_further_apart_do_not),
	cmocka_unit_test(test_new_ring_has_a_new_count),
};

SUITE_MAIN(tests);
