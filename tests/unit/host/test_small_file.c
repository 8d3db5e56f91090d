/* SPDX-License-Identifier: MIT */
/* test_small_file.c - which files are read, and what is said of the others. */

#include "broker/host/small_file.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX 1024u

static char path[64];
static char why[SMALL_FILE_WHY_MAX];
static struct small_file file;

/* The file holds this, and may be used so. */
static void
put(const void *data, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
setup(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-small-file.XXXXXX");
	fd = mkstemp(path);
	return fd == -1 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static bool
reads(const char *name, bool is_secret)
{
	memset(&file, 0xff, sizeof(file));
	return small_file_read(&file, name, MAX, is_secret, why);
}

static void
check_refused(const char *name, bool is_secret, const char *expected)
{
	assert_false(reads(name, is_secret));
	assert_string_equal(why, expected);
	assert_null(file.text);
}

static void
test_all_of_it_is_read(void **state)
{
	static const char data[MAX] = { 1, 0, 2 };

	(void)state;
	for (size_t len = 0; len <= MAX; len += MAX / 2) {
		put(data, len, 0600);
		assert_true(reads(path, true));
		assert_int_equal(file.len, len);
		assert_memory_equal(file.text, data, len);
		small_file_wipe(&file);
		assert_null(file.text);
	}
	small_file_wipe(&file); /* of nothing is nothing */
}

static void
test_what_is_too_large_is_refused(void **state)
{
	static const char data[MAX + 1];

	(void)state;
	put(data, sizeof(data), 0600);
	check_refused(path, false, "has more than 1 KiB");
}

static void
test_only_files_are_read(void **state)
{
	(void)state;
	check_refused("/tmp", false, "is not a file");
	check_refused("/dev/zero", false, "is not a file");
	check_refused(
	    "/tmp/test-small-file/none", false, "No such file or directory");
}

/* The group of the owner may be one that is made for those who need the key. */
static void
test_a_secret_is_kept_by_its_owner_and_group(void **state)
{
	(void)state;
	put("x", 1, 0640);
	assert_true(reads(path, true));
	small_file_wipe(&file);
	put("x", 1, 0644);
	check_refused(path, true,
	    "others than its owner may read it (mode 0644); chmod 600 mends "
	    "that");
	put("x", 1, 0620);
	check_refused(path, true,
	    "others than its owner may change it (mode 0620); chmod 600 mends "
	    "that");
	put("x", 1, 0622);
	assert_true(reads(path, false));
	small_file_wipe(&file);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_all_of_it_is_read, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_what_is_too_large_is_refused, setup, teardown),
	cmocka_unit_test(test_only_files_are_read),
	cmocka_unit_test_setup_teardown(
	    test_a_secret_is_kept_by_its_owner_and_group, setup, teardown),
};

SUITE_MAIN(tests);
