/* SPDX-License-Identifier: MIT */
/* test_unix_socket.c - what broker/host/unix_socket.h promises. */

#include "broker/host/unix_socket.h"
#include "common/address.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96];
static struct config_address address;

static int
setup(void **state)
{
	char text[128];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/pubsubd-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(text, sizeof(text), ADDRESS_UNIX "%s", path);
	assert_null(address_parse_unix(&address, text));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* Whether a connection is taken. */
static bool
is_answered(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool done = connect(fd, (const struct sockaddr *)&address.addr,
			address.len) == 0;

	close(fd);
	return done;
}

static mode_t
mode(void)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	return st.st_mode & 07777;
}

static void
test_it_listens_with_its_mode(void **state)
{
	static const mode_t modes[] = { 0600, 0660, 0777, 0000 };
	mode_t mask = umask(027);
	int fd;

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		address.mode = modes[i];
		fd = unix_socket_open(&address);
		assert_int_not_equal(fd, -1);
		assert_int_equal(mode(), modes[i]);
		assert_int_not_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		assert_int_equal(umask(027), 027); /* as before */
		close(fd);
	}
	umask(mask);
}

static void
test_one_that_is_dead_is_replaced(void **state)
{
	int first = unix_socket_open(&address), second;

	(void)state;
	assert_true(is_answered());
	close(first);
	assert_false(is_answered());
	second = unix_socket_open(&address);
	assert_int_not_equal(second, -1);
	assert_true(is_answered());
	close(second);
}

static void
test_one_that_lives_stays(void **state)
{
	int first = unix_socket_open(&address);
	struct unix_socket_file file = unix_socket_look(&address);

	(void)state;
	assert_int_equal(unix_socket_open(&address), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(unix_socket_look(&address).inode, file.inode);
	assert_true(is_answered());
	close(first);
}

/* Its queue is full, which is no sign of death. */
static void
test_one_that_is_busy_stays(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), waiting[2];

	(void)state;
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&address.addr, address.len), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 2; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(waiting[i], (const struct sockaddr *)&address.addr,
		    address.len);
	}
	assert_int_equal(unix_socket_open(&address), -1);
	assert_int_equal(errno, EADDRINUSE);
	for (int i = 0; i < 2; i++)
		close(waiting[i]);
	close(fd);
}

static void
test_what_is_no_socket_stays(void **state)
{
	(void)state;
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(unix_socket_open(&address), -1);
	assert_int_equal(errno, ENOTSOCK);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(unix_socket_open(&address), -1);
	assert_int_equal(errno, ENOTSOCK);
}

static void
test_only_its_own_file_is_removed(void **state)
{
	int first = unix_socket_open(&address), second;
	struct unix_socket_file file = unix_socket_look(&address);
	char old[112];

	(void)state;
	snprintf(old, sizeof(old), "%s.old", path);
	assert_int_not_equal(file.inode, 0);
	close(first);
	/* The old name stays taken, or the number might be given again. */
	assert_int_equal(rename(path, old), 0);
	second = unix_socket_open(&address);
	unix_socket_remove(&address, &file);
	assert_true(is_answered());
	file = unix_socket_look(&address);
	unix_socket_remove(&address, &file);
	assert_int_equal(access(path, F_OK), -1);
	file = unix_socket_look(&address);
	assert_int_equal(file.inode, 0);
	unix_socket_remove(&address, &file);
	close(second);
	unlink(old);
}

static void
test_one_at_a_time_in_a_directory(void **state)
{
	int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	(void)state;
	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(unix_socket_open(&address), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(access(path, F_OK), -1);
	close(lock);
	fd = unix_socket_open(&address);
	assert_int_not_equal(fd, -1);
	close(fd);
}

static void
test_without_a_directory_there_is_none(void **state)
{
	struct config_address nowhere;

	(void)state;
	assert_null(
	    address_parse_unix(&nowhere, ADDRESS_UNIX "/nonexistent/socket"));
	assert_int_equal(unix_socket_open(&nowhere), -1);
	assert_int_equal(errno, ENOENT);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	TEST(test_it_listens_with_its_mode),
	TEST(test_one_that_is_dead_is_replaced),
	TEST(test_one_that_lives_stays),
	TEST(test_one_that_is_busy_stays),
	TEST(test_what_is_no_socket_stays),
	TEST(test_only_its_own_file_is_removed),
	TEST(test_one_at_a_time_in_a_directory),
	TEST(test_without_a_directory_there_is_none),
};

SUITE_MAIN(tests);
