/* SPDX-License-Identifier: MIT */
/* test_paths.c - what broker/host/paths.h promises, below a directory of its own. */

#include "broker/host/paths.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char path[PATH_MAX];
static char error[PATHS_ERROR_MAX];

static int
setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-paths.XXXXXX");
	return mkdtemp(directory) != NULL ? mp_setup(state) : -1;
}

static int
teardown(void **state)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command) == 0 ? mp_teardown(state) : -1;
}

/* A path below the test's directory. */
static const char *
below(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void
test_relative_path_is_seen_from_here(void **state)
{
	char here[PATH_MAX], expected[PATH_MAX + 8];
	char *absolute;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(expected, sizeof(expected), "%s/a/b", here);
	absolute = paths_absolute("a/b");
	assert_string_equal(absolute, expected);
	free(absolute);
	absolute = paths_absolute("/a/b");
	assert_string_equal(absolute, "/a/b");
	free(absolute);
}

static void
test_program_is_this_file(void **state)
{
	char *program = paths_program();
	struct stat named, running;

	(void)state;
	assert_int_equal(program[0], '/');
	assert_int_equal(stat(program, &named), 0);
	assert_int_equal(stat("/proc/self/exe", &running), 0);
	assert_int_equal(named.st_ino, running.st_ino);
	free(program);
}

static void
test_default_root_is_a_public_directory(void **state)
{
	char *root = paths_default_root();

	(void)state;
	assert_int_equal(root[0], '/');
	assert_string_equal(strrchr(root, '/'), "/public");
	free(root);
}

static void
test_missing_directories_are_made_for_us_alone(void **state)
{
	struct stat st;

	(void)state;
	umask(0);
	assert_true(paths_make_directory(below("a/b/c.pid"), error));
	assert_int_equal(stat(below("a/b"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 022, 0);
	if (geteuid() != 0)
		assert_int_equal(st.st_mode & 0777, 0700);
	assert_true(paths_make_directory(below("a/b/c.pid"), error));
}

static void
test_directory_where_others_can_write_is_refused(void **state)
{
	char expected[PATHS_ERROR_MAX];

	(void)state;
	assert_int_equal(mkdir(below("open"), 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	snprintf(expected, sizeof(expected),
	    "directory %s/open is not this user's own, or others can write "
	    "there",
	    directory);
	assert_false(paths_make_directory(below("open/x.pid"), error));
	assert_string_equal(error, expected);
}

static void
test_link_to_a_directory_is_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("/tmp", below("link")), 0);
	assert_false(paths_make_directory(below("link/x.pid"), error));
	assert_non_null(strstr(error, "/link"));
}

static void
test_directory_of_another_user_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can make a directory of another user");
	assert_int_equal(mkdir(below("theirs"), 0700), 0);
	assert_int_equal(chown(path, 12345, 12345), 0);
	assert_false(paths_make_directory(below("theirs/x.pid"), error));
	assert_non_null(strstr(error, "/theirs is not this user's own"));
}

static void
test_file_where_a_directory_should_be_is_refused(void **state)
{
	FILE *file = fopen(below("file"), "w");

	(void)state;
	assert_non_null(file);
	fclose(file);
	assert_false(paths_make_directory(below("file/x.pid"), error));
	assert_false(paths_make_directory(below("file/sub/x.pid"), error));
	assert_non_null(strstr(error, "Not a directory"));
	assert_false(paths_check_directory(below("file"), error));
	assert_non_null(strstr(error, "/file: Not a directory"));
}

static void
test_directory_is_checked_by_name(void **state)
{
	(void)state;
	assert_true(paths_check_directory(directory, error));
	assert_false(paths_check_directory(below("missing"), error));
	assert_non_null(strstr(error, "/missing: No such file or directory"));
}

static void
test_defaults_are_named_after_the_instance(void **state)
{
	char *pidfile = paths_default_pidfile("n1");
	char *log = paths_default_log("n1");
	char *lock = paths_lockfile("n1");

	(void)state;
	assert_string_equal(strrchr(pidfile, '/'), "/n1.pid");
	assert_string_equal(strrchr(log, '/'), "/n1.log");
	assert_string_equal(strrchr(lock, '/'), "/n1.lock");
	assert_memory_equal(
	    lock, log, (size_t)(strrchr(lock, '/') - lock)); /* beside it */
	if (geteuid() == 0) {
		assert_string_equal(pidfile, "/run/pubsubd/n1.pid");
		assert_string_equal(log, "/var/log/pubsubd/n1.log");
	}
	free(pidfile);
	free(log);
	free(lock);
}

/* In a child: be a user who is not root, whoever runs the tests, and see where
 * the lock is. */
static int
see_lock_of_user(void *expected)
{
	char *lock;

	/* Both: access(2) asks for the real one. */
	MP_CHECK(geteuid() != 0 || setreuid(12345, 12345) == 0);
	lock = paths_lockfile("n1");
	MP_CHECK(strcmp(lock, expected) == 0);
	free(lock);
	return 0;
}

static void
test_lock_of_a_user_outlasts_the_session(void **state)
{
	uid_t user = geteuid() != 0 ? geteuid() : 12345;
	char expected[PATH_MAX];

	(void)state;
	if (geteuid() == 0)
		assert_int_equal(chown(directory, user, user), 0);
	setenv("XDG_RUNTIME_DIR", directory, 1); /* a logout removes it */
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", directory, 1);
	snprintf(expected, sizeof(expected), "%s/.local/state/pubsubd/n1.lock",
	    directory);
	mp_join(mp_spawn(see_lock_of_user, expected));
	setenv("HOME", "/nowhere", 1);
	setenv("XDG_STATE_HOME", directory, 1);
	snprintf(expected, sizeof(expected), "%s/pubsubd/n1.lock", directory);
	mp_join(mp_spawn(see_lock_of_user, expected));
}

static void
test_lock_of_a_user_without_a_home_is_in_tmp(void **state)
{
	uid_t user = geteuid() != 0 ? geteuid() : 12345;
	char expected[PATH_MAX];

	(void)state;
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/", 1);
	snprintf(expected, sizeof(expected), "/tmp/pubsubd-%u/n1.lock",
	    (unsigned)user);
	mp_join(mp_spawn(see_lock_of_user, expected));
	setenv("HOME", "/nowhere", 1);
	mp_join(mp_spawn(see_lock_of_user, expected));
}

#define PATHS_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	PATHS_TEST(test_relative_path_is_seen_from_here),
	PATHS_TEST(test_program_is_this_file),
	PATHS_TEST(test_default_root_is_a_public_directory),
	PATHS_TEST(test_missing_directories_are_made_for_us_alone),
	PATHS_TEST(test_directory_where_others_can_write_is_refused),
	PATHS_TEST(test_link_to_a_directory_is_refused),
	PATHS_TEST(test_directory_of_another_user_is_refused),
	PATHS_TEST(test_file_where_a_directory_should_be_is_refused),
	PATHS_TEST(test_directory_is_checked_by_name),
	PATHS_TEST(test_defaults_are_named_after_the_instance),
	PATHS_TEST(test_lock_of_a_user_outlasts_the_session),
	PATHS_TEST(test_lock_of_a_user_without_a_home_is_in_tmp),
};

SUITE_MAIN(tests);
