/* SPDX-License-Identifier: MIT */
/* test_succession.c - what broker/shared/succession.h promises: of two that want
 * to go on with the connections, one can. */

#include "broker/shared/succession.h"
#include "tests/support/suite.h"

static struct layout_worker worker;

static int
setup(void **state)
{
	(void)state;
	atomic_store(&worker.succession, SUCCESSION_NONE);
	return 0;
}

static bool
step(enum succession from, enum succession to)
{
	return succession_step(&worker, from, to);
}

static void
test_the_whole_way_ends_where_it_began(void **state)
{
	(void)state;
	assert_true(step(SUCCESSION_NONE, SUCCESSION_FROZEN));
	assert_true(step(SUCCESSION_FROZEN, SUCCESSION_REBUILT));
	assert_true(step(SUCCESSION_REBUILT, SUCCESSION_COMMITTED));
	assert_true(step(SUCCESSION_COMMITTED, SUCCESSION_GRANTED));
	assert_true(step(SUCCESSION_GRANTED, SUCCESSION_NONE));
	assert_int_equal(succession_of(&worker), SUCCESSION_NONE);
}

static void
test_step_from_elsewhere_changes_nothing(void **state)
{
	(void)state;
	assert_false(step(SUCCESSION_FROZEN, SUCCESSION_REBUILT));
	assert_int_equal(succession_of(&worker), SUCCESSION_NONE);
}

static void
test_who_thaws_cannot_be_committed_any_more(void **state)
{
	(void)state;
	assert_true(step(SUCCESSION_NONE, SUCCESSION_FROZEN));
	assert_true(step(SUCCESSION_FROZEN, SUCCESSION_REBUILT));
	assert_true(step(SUCCESSION_REBUILT, SUCCESSION_NONE));
	assert_false(step(SUCCESSION_REBUILT, SUCCESSION_COMMITTED));
}

static void
test_what_is_committed_cannot_be_thawed_any_more(void **state)
{
	(void)state;
	assert_true(step(SUCCESSION_NONE, SUCCESSION_FROZEN));
	assert_true(step(SUCCESSION_FROZEN, SUCCESSION_REBUILT));
	assert_true(step(SUCCESSION_REBUILT, SUCCESSION_COMMITTED));
	assert_false(step(SUCCESSION_FROZEN, SUCCESSION_NONE));
	assert_false(step(SUCCESSION_REBUILT, SUCCESSION_NONE));
	assert_int_equal(succession_of(&worker), SUCCESSION_COMMITTED);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_the_whole_way_ends_where_it_began),
	TEST(test_step_from_elsewhere_changes_nothing),
	TEST(test_who_thaws_cannot_be_committed_any_more),
	TEST(test_what_is_committed_cannot_be_thawed_any_more),
};

SUITE_MAIN(tests);
