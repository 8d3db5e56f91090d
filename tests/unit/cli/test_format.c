/* SPDX-License-Identifier: MIT */
/* test_format.c - what broker/cli/format.h promises. */

#include "broker/cli/format.h"
#include "tests/support/suite.h"

#include <string.h>

static void
test_uptime_has_two_units(void **state)
{
	char out[FORMAT_MAX];

	(void)state;
	assert_string_equal(format_uptime(0, out), "0 s");
	assert_string_equal(format_uptime(59999, out), "59 s");
	assert_string_equal(format_uptime(60000, out), "1 min 0 s");
	assert_string_equal(format_uptime(3725000, out), "1 h 2 min");
	assert_string_equal(format_uptime(400 * 86400000ull, out), "400 d 0 h");
}

static void
test_number_is_short(void **state)
{
	static const struct {
		double number;
		const char *text;
	} cases[] = { { 0, "0" }, { 0.04, "0.0" }, { 0.44, "0.4" }, { 7, "7" },
		{ 9.94, "9.9" }, { 9.96, "10" }, { 10.4, "10" },
		{ 99999, "99999" }, { 99999.6, "100k" }, { 123456, "123k" },
		{ 999499, "999k" }, { 1234567, "1.2M" }, { 99.9e6, "99.9M" },
		{ 999.7e6, "1000M" }, { 5e9, "5.0G" }, { 7e12, "7.0T" },
		{ 7e18, "7000000T" } };
	char out[FORMAT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(
		    format_number(cases[i].number, out), cases[i].text);
}

static void
test_bytes_are_in_powers_of_two(void **state)
{
	char out[FORMAT_MAX];

	(void)state;
	assert_string_equal(format_bytes(65536, out), "65536");
	assert_string_equal(format_bytes(128 << 10, out), "128K");
	assert_string_equal(format_bytes(32 << 20, out), "32.0M");
}

static void
test_duration_has_the_unit_that_fits(void **state)
{
	char out[FORMAT_MAX];

	(void)state;
	assert_string_equal(format_duration(50000, out), "50 us");
	assert_string_equal(format_duration(2500000, out), "2.5 ms");
	assert_string_equal(format_duration(1000000000, out), "1 s");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_uptime_has_two_units),
	cmocka_unit_test(test_number_is_short),
	cmocka_unit_test(test_bytes_are_in_powers_of_two),
	cmocka_unit_test(test_duration_has_the_unit_that_fits),
};

SUITE_MAIN(tests);
