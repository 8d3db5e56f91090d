/* SPDX-License-Identifier: MIT */
/* test_suite.c - what tests/support/suite.h promises of tests that are left out. */

#include "tests/support/suite.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char list[sizeof("/tmp/suite-XXXXXX")];

static void
test_nothing(void **state)
{
	(void)state;
}

#define OTHER "killed: again"

static const struct CMUnitTest given[] = {
	{ "test_one", test_nothing, NULL, NULL, list },
	{ OTHER, test_nothing, NULL, NULL, NULL },
};
static struct CMUnitTest group[COUNT(given)];

/* Have the list say this, and the tests be given anew. */
static int
write_list(const char *text)
{
	FILE *file = fopen(list, "we");

	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		return -1;
	memcpy(group, given, sizeof(given));
	return setenv("SUITE_SKIPS", list, 1);
}

static int
setup(void **state)
{
	int fd;

	(void)state;
	strcpy(list, "/tmp/suite-XXXXXX");
	fd = mkstemp(list);
	return fd == -1 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	unsetenv("SUITE_SKIPS");
	return unlink(list);
}

/* Whether a test stands as it was given; what replaced it has a reason. */
static bool
is_left(size_t i, const char *why)
{
	if (group[i].test_func == test_nothing) {
		assert_ptr_equal(
		    group[i].initial_state, given[i].initial_state);
		return true;
	}
	assert_string_equal(group[i].initial_state, why);
	free(group[i].initial_state);
	return false;
}

static void
test_named_one_is_replaced_in_its_program_only(void **state)
{
	static const char text[] = "# a comment\n\n"
				   "unit/b/test_a\ttest_one\tno such thing\n";

	(void)state;
	assert_int_equal(write_list(text), 0);
	suite_leave_out(group, COUNT(group), "build/x/unit/b/test_a");
	assert_false(is_left(0, "no such thing"));
	assert_true(is_left(1, NULL));
	assert_int_equal(write_list(text), 0);
	suite_leave_out(group, COUNT(group), "x/unit/b/test_ab");
	suite_leave_out(group, COUNT(group), "x/wider-unit/b/test_a");
	assert_true(is_left(0, NULL));
}

static void
test_pattern_replaces_all_it_matches(void **state)
{
	(void)state;
	assert_int_equal(write_list("mp/test_a\t*\tno: locks\n"), 0);
	suite_leave_out(group, COUNT(group), "/x/mp/test_a");
	assert_false(is_left(0, "no: locks"));
	assert_false(is_left(1, "no: locks"));
	assert_int_equal(write_list("mp/test_a\tkilled: *\tno\n"), 0);
	suite_leave_out(group, COUNT(group), "/x/mp/test_a");
	assert_true(is_left(0, NULL));
	assert_false(is_left(1, "no"));
}

static void
test_without_a_list_all_run(void **state)
{
	(void)state;
	assert_int_equal(write_list("mp/test_a\t*\tno\n"), 0);
	unsetenv("SUITE_SKIPS");
	suite_leave_out(group, COUNT(group), "/x/mp/test_a");
	assert_true(is_left(0, NULL));
	assert_true(is_left(1, NULL));
}

/* A list that means no test, or says nothing, would hide that it is old. */
static void
test_wrong_list_ends_the_program(void **state)
{
	static const char *const wrong[] = {
		"mp/test_a\ttest_on\tno\n",
		"mp/test_a\ttest_one\n",
		"mp/test_a\ttest_one\t\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		int status;
		pid_t pid;

		assert_int_equal(write_list(wrong[i]), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0) {
			close(STDERR_FILENO);
			suite_leave_out(group, COUNT(group), "/x/mp/test_a");
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_named_one_is_replaced_in_its_program_only),
	TEST(test_pattern_replaces_all_it_matches),
	TEST(test_without_a_list_all_run),
	TEST(test_wrong_list_ends_the_program),
};

SUITE_MAIN(tests);
