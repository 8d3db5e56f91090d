/* SPDX-License-Identifier: MIT */
/* test_pidfile.c - what broker/host/pidfile.h promises: a number for people, and
 * no file of somebody else touched. */

#include "broker/host/pidfile.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static char path[96];
static char error[PIDFILE_ERROR_MAX];

static int
setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-pidfile.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/test.pid", directory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void
put(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char *
content(void)
{
	static char text[64];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static void
test_file_holds_the_number_and_no_old_digits(void **state)
{
	char expected[16];

	(void)state;
	put("12345678901234567890\nand more\n");
	assert_true(pidfile_write(path, error));
	snprintf(expected, sizeof(expected), "%d\n", getpid());
	assert_string_equal(content(), expected);
	pidfile_remove(path);
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_link_is_not_followed(void **state)
{
	char target[96];

	(void)state;
	snprintf(target, sizeof(target), "%s/target", directory);
	assert_int_equal(symlink(target, path), 0);
	assert_false(pidfile_write(path, error));
	assert_int_equal(access(target, F_OK), -1);
}

static void
test_what_is_no_plain_file_of_ours_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(pidfile_write(path, error));
	assert_int_equal(unlink(path), 0);
	if (geteuid() != 0)
		return; /* nobody else could make one */
	put("");
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(pidfile_write(path, error));
	assert_non_null(strstr(error, "belongs to another user"));
}

static void
test_missing_directory_is_named(void **state)
{
	(void)state;
	assert_false(pidfile_write("/nowhere/at/all.pid", error));
	assert_string_equal(
	    error, "pidfile /nowhere/at/all.pid: No such file or directory");
}

static void
test_file_with_another_number_is_left(void **state)
{
	(void)state;
	put("1\n");
	pidfile_remove(path);
	assert_string_equal(content(), "1\n");
	pidfile_remove_left(path); /* that process lives */
	assert_string_equal(content(), "1\n");
	put("precious data\n");
	pidfile_remove(path);
	pidfile_remove_left(path);
	assert_string_equal(content(), "precious data\n");
}

static void
test_file_of_a_dead_process_is_removed(void **state)
{
	pid_t dead = fork();
	siginfo_t info;
	char text[16];

	(void)state;
	if (dead == 0)
		_exit(0);
	/* A zombie is dead, too: not every container has an init that waits. */
	assert_int_equal(
	    waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT), 0);
	snprintf(text, sizeof(text), "%d\n", dead);
	put(text);
	pidfile_remove_left(path);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(waitpid(dead, NULL, 0), dead);
	put(text);
	pidfile_remove_left(path);
	assert_int_equal(access(path, F_OK), -1);
}

#define PIDFILE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	PIDFILE_TEST(test_file_holds_the_number_and_no_old_digits),
	PIDFILE_TEST(test_link_is_not_followed),
	PIDFILE_TEST(test_what_is_no_plain_file_of_ours_is_refused),
	PIDFILE_TEST(test_missing_directory_is_named),
	PIDFILE_TEST(test_file_with_another_number_is_left),
	PIDFILE_TEST(test_file_of_a_dead_process_is_removed),
};

SUITE_MAIN(tests);
