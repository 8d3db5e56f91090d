/* SPDX-License-Identifier: MIT */
/* suite.h - cmocka with all that it wants included, a main(), and COUNT(). */

#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* How many elements an array has. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Skip the test that runs, for a reason that run-tests.sh tells at the end. */
#define skip_because(why)                              \
	do {                                           \
		print_message("# skipped: %s\n", why); \
		skip();                                \
	} while (0)

/*
 * Replace the tests that cannot run here, as under the emulator of another
 * processor, by ones that are skipped.  $SUITE_SKIPS names a file that has them,
 * in lines of three fields with a tab between them: the program as "mp/test_death",
 * a pattern for the names of tests, and why.  A line without a test ends the
 * program.
 */
void suite_leave_out(
    struct CMUnitTest *tests, size_t count, const char *program);

/* Choose the tests that a pattern names (* and ? as in a shell).  Returns false
 * if there is none, for nothing run would look like nothing failed. */
static inline bool
suite_choose(const struct CMUnitTest *tests, size_t count, const char *pattern)
{
	cmocka_set_test_filter(pattern);
	for (size_t i = 0; i < count; i++)
		if (fnmatch(pattern, tests[i].name, 0) == 0)
			return true;
	fprintf(stderr, "no test here is named %s\n", pattern);
	return false;
}

/* Run the tests of an array: all of them, or those that argv[1] names. */
#define SUITE_MAIN(tests)                                                    \
	int main(int argc, char **argv)                                      \
	{                                                                    \
		struct CMUnitTest suite_tests[COUNT(tests)];                 \
                                                                             \
		memcpy(suite_tests, tests, sizeof(suite_tests));             \
		suite_leave_out(suite_tests, COUNT(suite_tests), argv[0]);   \
		if (argc > 1 && !suite_choose(tests, COUNT(tests), argv[1])) \
			return 1;                                            \
		return cmocka_run_group_tests(suite_tests, NULL, NULL);      \
	}                                                                    \
	_Static_assert(COUNT(tests) > 0, "a suite has tests")

#endif
