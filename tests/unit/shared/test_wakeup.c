/* SPDX-License-Identifier: MIT */
/*
 * test_wakeup.c - what broker/shared/wakeup.h promises, in one process that plays all
 * of them; tests/mp has the race.
 */

#include "broker/shared/wakeup.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define ALL (~UINT64_C(0))

struct sleepers {
	struct testseg t;
	struct wakeup me;     /* worker 0 */
	struct wakeup others; /* plays workers 1 and 2, see be() */
};

static int
setup(void **state)
{
	struct sleepers *s = xcalloc(1, sizeof(*s));

	testseg_open(&s->t, 4096, 4);
	assert_true(wakeup_open(&s->me, &s->t.seg, 4));
	s->others = s->me; /* what a fork does */
	wakeup_claim_slot(&s->me, 0);
	wakeup_claim_slot(&s->others, 1);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct sleepers *s = *state;

	wakeup_close(&s->me);
	testseg_close(&s->t);
	free(s);
	return 0;
}

static bool
is_rung(const struct wakeup *wakeup, unsigned slot)
{
	struct pollfd fd = { .fd = wakeup->fd[slot], .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static void
test_nobody_awake_is_rung(void **state)
{
	struct sleepers *s = *state;

	assert_int_equal(wakeup_wake(&s->me, ALL), 0);
	for (unsigned i = 0; i < 4; i++)
		assert_false(is_rung(&s->me, i));
}

static void
test_sleeper_is_rung_once_per_sleep(void **state)
{
	struct sleepers *s = *state;

	wakeup_fall_asleep(&s->others);
	assert_int_equal(wakeup_wake(&s->me, ALL), 1);
	assert_true(is_rung(&s->me, 1));
	assert_false(is_rung(&s->me, 2));
	assert_int_equal(wakeup_wake(&s->me, ALL), 0);

	wakeup_get_up(&s->others);
	wakeup_clear(&s->others);
	assert_int_equal(wakeup_wake(&s->me, ALL), 0);
	assert_false(is_rung(&s->me, 1));

	wakeup_fall_asleep(&s->others);
	assert_int_equal(wakeup_wake(&s->me, ALL), 1);
	assert_true(is_rung(&s->me, 1));
}

static void
test_only_those_asked_for_are_rung(void **state)
{
	struct sleepers *s = *state;

	wakeup_fall_asleep(&s->others);
	wakeup_claim_slot(&s->others, 2);
	wakeup_fall_asleep(&s->others);
	assert_int_equal(wakeup_wake(&s->me, 1u << 2), 1);
	assert_false(is_rung(&s->me, 1));
	assert_true(is_rung(&s->me, 2));
	assert_int_equal(wakeup_wake(&s->me, 1u << 1 | 1u << 2), 1);
	assert_true(is_rung(&s->me, 1));
}

static void
test_nobody_rings_himself(void **state)
{
	struct sleepers *s = *state;

	wakeup_fall_asleep(&s->me);
	assert_int_equal(wakeup_wake(&s->me, ALL), 0);
	assert_false(is_rung(&s->me, 0));
	wakeup_ring(&s->me, 0); /* but by hand */
	assert_true(is_rung(&s->me, 0));
}

static void
test_slots_without_a_doorbell_are_passed_over(void **state)
{
	struct sleepers *s = *state;

	atomic_store(&s->t.seg.workers[4].sleeping, 1);
	atomic_store(&s->t.seg.workers[63].sleeping, 1);
	assert_int_equal(wakeup_wake(&s->me, ALL), 0);
}

static void
test_silence_resets_all_rings(void **state)
{
	struct sleepers *s = *state;

	for (int i = 0; i < 10; i++)
		wakeup_ring(&s->me, 1);
	assert_true(is_rung(&s->me, 1));
	wakeup_clear(&s->others);
	assert_false(is_rung(&s->me, 1));
	wakeup_clear(&s->others); /* does not block */
	wakeup_ring(&s->me, 1);
	assert_true(is_rung(&s->me, 1));
}

static void
test_full_doorbell_does_not_block(void **state)
{
	struct sleepers *s = *state;
	uint64_t most = UINT64_MAX - 1;

	assert_int_equal(write(s->me.fd[1], &most, sizeof(most)), 8);
	wakeup_ring(&s->me, 1);
	assert_true(is_rung(&s->me, 1));
	wakeup_clear(&s->others);
	assert_false(is_rung(&s->me, 1));
}

static void
test_ring_all_rings_asleep_or_not(void **state)
{
	struct sleepers *s = *state;

	wakeup_fall_asleep(&s->others);
	wakeup_ring_all(&s->me);
	for (unsigned i = 0; i < 4; i++)
		assert_true(is_rung(&s->me, i));
}

static void
test_sleeping_is_odd_and_only_grows(void **state)
{
	struct sleepers *s = *state;
	_Atomic uint64_t *sleeping = &s->t.seg.workers[1].sleeping;
	uint64_t last = atomic_load(sleeping);

	assert_int_equal(last % 2, 0);
	for (int i = 0; i < 5; i++) {
		wakeup_fall_asleep(&s->others);
		assert_int_equal(atomic_load(sleeping), last + 1);
		wakeup_fall_asleep(&s->others); /* is asleep already */
		assert_int_equal(atomic_load(sleeping), last + 1);
		wakeup_get_up(&s->others);
		assert_int_equal(atomic_load(sleeping), last + 2);
		wakeup_get_up(&s->others); /* is up already */
		assert_int_equal(atomic_load(sleeping), last + 2);
		last += 2;
	}
}

/*
 * A worker is killed in its sleep, and this process had woken it.  Were its
 * successor to sleep under the same value, nobody here would ring it again.
 */
static void
test_successor_of_a_dead_sleeper_is_rung(void **state)
{
	struct sleepers *s = *state;

	wakeup_fall_asleep(&s->others);
	assert_int_equal(wakeup_wake(&s->me, ALL), 1);

	wakeup_claim_slot(&s->others, 1);
	assert_int_equal(wakeup_wake(&s->me, ALL), 0); /* it is awake */
	wakeup_clear(&s->others);
	wakeup_fall_asleep(&s->others);
	assert_int_equal(wakeup_wake(&s->me, ALL), 1);
	assert_true(is_rung(&s->me, 1));
}

static void
test_open_that_fails_leaves_nothing_open(void **state)
{
	struct sleepers *s = *state;
	struct wakeup wakeup;
	struct rlimit old, few;
	int first = dup(0), again;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = (rlim_t)first + 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	errno = 0;
	assert_false(wakeup_open(&wakeup, &s->t.seg, LAYOUT_WORKERS));
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	again = dup(0);
	assert_int_equal(again, first + 1);
	close(again);
	close(first);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_nobody_awake_is_rung),
	T(test_sleeper_is_rung_once_per_sleep),
	T(test_only_those_asked_for_are_rung),
	T(test_nobody_rings_himself),
	T(test_slots_without_a_doorbell_are_passed_over),
	T(test_silence_resets_all_rings),
	T(test_full_doorbell_does_not_block),
	T(test_ring_all_rings_asleep_or_not),
	T(test_sleeping_is_odd_and_only_grows),
	T(test_successor_of_a_dead_sleeper_is_rung),
	T(test_open_that_fails_leaves_nothing_open),
};

SUITE_MAIN(tests);
