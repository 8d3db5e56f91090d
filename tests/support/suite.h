/* SPDX-License-Identifier: MIT */
/* suite.h - cmocka with all that it wants included, a main(), and COUNT(). */

#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How many elements an array has. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Run the tests of an array: all of them, or those that argv[1] names. */
#define SUITE_MAIN(tests)                                         \
	int main(int argc, char **argv)                           \
	{                                                         \
		if (argc > 1)                                     \
			cmocka_set_test_filter(argv[1]);          \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}                                                         \
	_Static_assert(COUNT(tests) > 0, "a suite has tests")

#endif
