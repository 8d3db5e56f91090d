/* SPDX-License-Identifier: MIT */
/* test_ledger.c - what tests/load/ledger.h promises. */

#include "tests/load/ledger.h"
#include "tests/support/suite.h"

static void
test_in_order_all_are_new(void **state)
{
	struct ledger l = { 0 };

	(void)state;
	for (uint32_t i = 1; i < 100; i++)
		assert_int_equal(ledger_enter(&l, i), LEDGER_NEW);
}

static void
test_repeated_is_double(void **state)
{
	struct ledger l = { 0 };

	(void)state;
	for (uint32_t i = 1; i < 100; i++) {
		ledger_enter(&l, i);
		assert_int_equal(ledger_enter(&l, i), LEDGER_DOUBLE);
		if (i > 1)
			assert_int_equal(
			    ledger_enter(&l, i - 1), LEDGER_DOUBLE);
	}
}

static void
test_overtaken_is_late_once(void **state)
{
	struct ledger l = { 0 };

	(void)state;
	assert_int_equal(ledger_enter(&l, LEDGER_WINDOW), LEDGER_NEW);
	for (uint32_t i = LEDGER_WINDOW - 1; i >= 1; i--)
		assert_int_equal(ledger_enter(&l, i), LEDGER_LATE);
	for (uint32_t i = 1; i <= LEDGER_WINDOW; i++)
		assert_int_equal(ledger_enter(&l, i), LEDGER_DOUBLE);
}

static void
test_hole_larger_than_the_window(void **state)
{
	struct ledger l = { 0 };

	(void)state;
	ledger_enter(&l, 1);
	assert_int_equal(ledger_enter(&l, 1 + LEDGER_WINDOW), LEDGER_NEW);
	assert_int_equal(ledger_enter(&l, 1), LEDGER_DOUBLE);
	assert_int_equal(ledger_enter(&l, 2), LEDGER_LATE);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_in_order_all_are_new),
	cmocka_unit_test(test_repeated_is_double),
	cmocka_unit_test(test_overtaken_is_late_once),
	cmocka_unit_test(test_hole_larger_than_the_window),
};

SUITE_MAIN(tests);
