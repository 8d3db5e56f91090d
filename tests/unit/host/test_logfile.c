/* SPDX-License-Identifier: MIT */
/* test_logfile.c - what broker/host/logfile.h promises.  A full disk is played by
 * /dev/full and by a limit on the size of files. */

#include "broker/host/logfile.h"
#include "common/log.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char directory[64];
static char path[96];
static char rotated[96];
static char error[LOGFILE_ERROR_MAX];
static struct logfile logfile;

static int
setup(void **state)
{
	snprintf(directory, sizeof(directory), "/tmp/test-logfile.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/log", directory);
	snprintf(rotated, sizeof(rotated), "%s/log.1", directory);
	signal(SIGXFSZ, SIG_IGN);
	return mp_setup(state);
}

static int
teardown(void **state)
{
	log_open("test", STDERR_FILENO, LOG_INFO);
	unlink(path);
	unlink(rotated);
	return rmdir(directory) == 0 ? mp_teardown(state) : -1;
}

/* Open the log; this process's own lines go there too. */
static void
open_log(const char *at)
{
	if (!logfile_open(&logfile, at, -1, error))
		fail_msg("%s", error);
	log_open("test", logfile.writer, LOG_INFO);
}

/* Say a line as some process does. */
static void
say(const char *line)
{
	size_t len = strlen(line);

	assert_int_equal(write(logfile.writer, line, len), len);
}

/* All that a file holds. */
static const char *
contents(const char *of)
{
	static char text[64 * 1024];
	int fd = open(of, O_RDONLY);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

static void
test_lines_come_out_in_the_order_they_went_in(void **state)
{
	(void)state;
	open_log(path);
	say("one\n");
	say("two\n");
	logfile_carry(&logfile);
	assert_string_equal(contents(path), "one\ntwo\n");
	logfile_close(&logfile);
}

static void
test_lines_are_appended_to_what_is_there(void **state)
{
	(void)state;
	open_log(path);
	say("one\n");
	logfile_close(&logfile);
	open_log(path);
	say("two\n");
	logfile_close(&logfile);
	assert_string_equal(contents(path), "one\ntwo\n");
}

static void
test_close_carries_what_is_left(void **state)
{
	(void)state;
	open_log(path);
	say("whole\nhalf");
	logfile_close(&logfile);
	assert_string_equal(contents(path), "whole\nhalf");
}

static void
test_all_of_a_full_pipe_arrives(void **state)
{
	char line[128];
	size_t sent = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	open_log(path);
	while (write(logfile.writer, line, sizeof(line)) != -1)
		sent += sizeof(line);
	assert_int_equal(errno, EAGAIN);
	logfile_carry(&logfile);
	logfile_close(&logfile);
	assert_true(sent > LOGFILE_BUFFER);
	{
		struct stat st;

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, sent);
	}
}

static void
test_full_pipe_does_not_block_who_logs(void **state)
{
	(void)state;
	open_log(path);
	while (log_dropped() == 0 && !mp_expired())
		log_info("a line among many");
	assert_int_equal(log_dropped(), 1);
	logfile_close(&logfile);
}

static void
test_rotated_file_is_let_go_of(void **state)
{
	(void)state;
	open_log(path);
	say("old\n");
	logfile_carry(&logfile);
	assert_int_equal(rename(path, rotated), 0);
	say("still old\n");
	assert_true(logfile_reopen(&logfile, error));
	say("new\n");
	logfile_carry(&logfile);
	assert_string_equal(contents(rotated), "old\nstill old\n");
	assert_string_equal(contents(path), "new\n");
	logfile_close(&logfile);
}

static void
test_old_file_stays_when_the_new_one_cannot_be(void **state)
{
	(void)state;
	open_log(path);
	assert_int_equal(rename(path, rotated), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(logfile_reopen(&logfile, error));
	assert_non_null(strstr(error, path));
	say("a line\n");
	logfile_carry(&logfile);
	assert_string_equal(contents(rotated), "a line\n");
	logfile_close(&logfile);
	assert_int_equal(rmdir(path), 0);
}

static void
test_full_disk_loses_lines_and_counts_them(void **state)
{
	(void)state;
	open_log("/dev/full");
	say("one\ntwo\nthree\n");
	logfile_carry(&logfile);
	assert_int_equal(logfile.lost, 3);
	say("four\n");
	logfile_carry(&logfile);
	assert_int_equal(logfile.lost, 4);
	logfile_close(&logfile);
}

/* Let files grow to this many bytes. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
test_one_line_tells_of_the_loss_when_there_is_room_again(void **state)
{
	const char *text;

	(void)state;
	open_log(path);
	limit_files(10);
	say("123456789\n"); /* fits exactly */
	logfile_carry(&logfile);
	say("lost\nlost too\n");
	logfile_carry(&logfile);
	limit_files(RLIM_INFINITY);
	say("here again\n");
	logfile_carry(&logfile); /* says so, into the pipe */
	logfile_carry(&logfile);
	logfile_close(&logfile);
	text = contents(path);
	assert_memory_equal(text, "123456789\nhere again\n", 21);
	assert_non_null(strstr(text, "log: 2 lines lost"));
	assert_null(strstr(strstr(text, "lines lost") + 1, "lines lost"));
}

static void
test_line_torn_by_a_full_disk_is_ended(void **state)
{
	(void)state;
	open_log(path);
	limit_files(4);
	say("torn line\n");
	logfile_carry(&logfile);
	assert_int_equal(logfile.lost, 1);
	limit_files(RLIM_INFINITY);
	say("whole\n");
	logfile_carry(&logfile);
	logfile_close(&logfile);
	assert_memory_equal(contents(path), "torn\nwhole\n", 11);
}

/* Standard error may be a pipe that nobody reads. */
static void
test_standard_error_that_stands_still_blocks_nobody(void **state)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int full[2];
	char page[4096] = { 0 };

	(void)state;
	assert_int_equal(pipe2(full, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(full[1], page, sizeof(page)) > 0)
		continue;
	fcntl(full[1], F_SETFL, 0);
	dup2(full[1], STDERR_FILENO);
	open_log(NULL);
	dup2(saved, STDERR_FILENO);
	say("a line\n");
	logfile_carry(&logfile);
	assert_int_equal(logfile.lost, 1);
	assert_false(fcntl(full[1], F_GETFL) & O_NONBLOCK); /* others' too */
	logfile_close(&logfile);
	close(saved);
	close(full[0]);
	close(full[1]);
}

static void
test_link_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("target", path), 0);
	assert_false(logfile_open(&logfile, path, -1, error));
	assert_non_null(strstr(error, path));
}

static void
test_missing_directory_is_named(void **state)
{
	(void)state;
	assert_false(logfile_open(&logfile, "/nowhere/at/all.log", -1, error));
	assert_string_equal(
	    error, "log file /nowhere/at/all.log: No such file or directory");
}

static void
test_adopted_descriptor_is_gone_on_with(void **state)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	(void)state;
	assert_int_equal(rename(path, rotated), 0);
	assert_true(logfile_open(&logfile, path, fd, error));
	say("on\n");
	logfile_close(&logfile);
	assert_string_equal(contents(rotated), "on\n");
	assert_int_equal(access(path, F_OK), -1);
}

#define LOGFILE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	LOGFILE_TEST(test_lines_come_out_in_the_order_they_went_in),
	LOGFILE_TEST(test_lines_are_appended_to_what_is_there),
	LOGFILE_TEST(test_close_carries_what_is_left),
	LOGFILE_TEST(test_all_of_a_full_pipe_arrives),
	LOGFILE_TEST(test_full_pipe_does_not_block_who_logs),
	LOGFILE_TEST(test_rotated_file_is_let_go_of),
	LOGFILE_TEST(test_old_file_stays_when_the_new_one_cannot_be),
	LOGFILE_TEST(test_full_disk_loses_lines_and_counts_them),
	LOGFILE_TEST(test_one_line_tells_of_the_loss_when_there_is_room_again),
	LOGFILE_TEST(test_line_torn_by_a_full_disk_is_ended),
	LOGFILE_TEST(test_standard_error_that_stands_still_blocks_nobody),
	LOGFILE_TEST(test_link_is_not_followed),
	LOGFILE_TEST(test_missing_directory_is_named),
	LOGFILE_TEST(test_adopted_descriptor_is_gone_on_with),
};

SUITE_MAIN(tests);
