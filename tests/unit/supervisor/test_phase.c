/* SPDX-License-Identifier: MIT */
/* test_phase.c - what broker/supervisor/phase.h promises of its table, and the list
 * of what is due. */

#include "broker/supervisor/due.h"
#include "broker/supervisor/phase.h"
#include "tests/support/suite.h"

static bool
is_one(enum phase phase, enum event event)
{
	return phase_step(phase, event).is_one;
}

static enum phase
next(enum phase phase, enum event event)
{
	assert_true(is_one(phase, event));
	return phase_step(phase, event).next;
}

static void
test_nothing_happens_when_it_is_over(void **state)
{
	(void)state;
	for (enum event event = 0; event < EVENTS; event++)
		assert_false(is_one(PHASE_OVER, event));
}

/* Told to stop, it stops, wherever it stands; only a start that has failed is
 * ending for a reason of its own. */
static void
test_stop_leads_to_the_end_from_everywhere(void **state)
{
	(void)state;
	for (enum phase phase = 0; phase < PHASE_OVER; phase++) {
		enum phase told = phase == PHASE_FAILING
		                      ? PHASE_FAILING
		                      : next(phase, EVENT_STOP);

		assert_false(phase_serves(told));
		assert_int_equal(next(told, EVENT_RUN_ENDED), PHASE_OVER);
	}
}

/* The workers of a run that begins to end are given an order; those of one that
 * serves none. */
static void
test_run_that_serves_ends_by_an_order(void **state)
{
	(void)state;
	for (enum phase phase = 0; phase < PHASES; phase++)
		for (enum event event = 0; event < EVENTS; event++) {
			struct phase_step step = phase_step(phase, event);

			if (!step.is_one || step.next == PHASE_OVER)
				continue;
			if (phase_serves(phase) && !phase_serves(step.next))
				assert_true(step.orders);
			if (phase_serves(step.next))
				assert_false(step.orders);
			if (step.orders)
				assert_int_not_equal(step.order, RUN_SERVE);
		}
}

/* A run that ends is never called back; it is followed by another one. */
static void
test_run_that_ends_ends(void **state)
{
	(void)state;
	for (enum phase phase = 0; phase < PHASE_OVER; phase++) {
		assert_int_equal(
		    is_one(phase, EVENT_RUN_ENDED), !phase_serves(phase));
		for (enum event event = 0; event < EVENTS; event++)
			if (!phase_serves(phase) && event != EVENT_RUN_ENDED &&
			    is_one(phase, event))
				assert_false(phase_serves(next(phase, event)));
	}
}

/* What has once been ready does not fail for want of being ready again. */
static void
test_only_a_start_can_fail(void **state)
{
	(void)state;
	for (enum phase phase = 0; phase < PHASES; phase++)
		assert_int_equal(
		    is_one(phase, EVENT_UNREADY), phase == PHASE_STARTING);
	assert_int_equal(
	    next(PHASE_STARTING, EVENT_RING_BROKEN), PHASE_FAILING);
	assert_int_equal(
	    next(PHASE_SERVING, EVENT_RING_BROKEN), PHASE_RENEWING);
	assert_int_equal(next(PHASE_RENEWING, EVENT_RUN_ENDED), PHASE_RESUMING);
}

/* A restart waits for the ready line of a start, and is one at a time. */
static void
test_restart_is_begun_by_who_serves(void **state)
{
	(void)state;
	for (enum phase phase = 0; phase < PHASES; phase++)
		assert_int_equal(is_one(phase, EVENT_RESTART),
		    phase == PHASE_RESUMING || phase == PHASE_SERVING);
}

static void
test_earliest_is_due_and_taken_once(void **state)
{
	struct due due;

	(void)state;
	due_init(&due);
	assert_true(due_next(&due) == DUE_NEVER);
	due.at[DUE_LOOK] = 300;
	due.at[DUE_FORK + CONFIG_WORKERS_MAX - 1] = 200;
	assert_int_equal(due_next(&due), 200);
	assert_false(due_take(&due, DUE_LOOK, 299));
	assert_true(due_take(&due, DUE_LOOK, 300));
	assert_false(due_take(&due, DUE_LOOK, UINT64_MAX - 1));
	assert_int_equal(due_next(&due), 200);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_nothing_happens_when_it_is_over),
	cmocka_unit_test(test_stop_leads_to_the_end_from_everywhere),
	cmocka_unit_test(test_run_that_serves_ends_by_an_order),
	cmocka_unit_test(test_run_that_ends_ends),
	cmocka_unit_test(test_only_a_start_can_fail),
	cmocka_unit_test(test_restart_is_begun_by_who_serves),
	cmocka_unit_test(test_earliest_is_due_and_taken_once),
};

SUITE_MAIN(tests);
