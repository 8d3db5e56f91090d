/* SPDX-License-Identifier: MIT */
/* test_log.c - what common/log.h promises; the log is a pipe, read back. */

#include "common/log.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipe_fd[2];
static char text[64 * 1024]; /* what was read back */

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(pipe2(pipe_fd, O_NONBLOCK | O_CLOEXEC), 0);
	log_open("worker 2", pipe_fd[1], LOG_INFO);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_open("test", STDERR_FILENO, LOG_INFO);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return 0;
}

/* Read what was logged into `text'.  Returns how many lines it is. */
static unsigned
read_lines(void)
{
	ssize_t n = read(pipe_fd[0], text, sizeof(text) - 1);
	unsigned lines = 0;

	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	return lines;
}

static void
check_logged(const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("not \"%s\" in: %s", words, text);
}

static void
test_line_has_time_level_process_and_message(void **state)
{
	int year, month, day, hour, minute, second, ms, end = 0;
	char expected[64];

	(void)state;
	log_info("listening on %s:%d", "[::1]", 8000);
	assert_int_equal(read_lines(), 1);
	assert_int_equal(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year,
			     &month, &day, &hour, &minute, &second, &ms, &end),
	    7);
	snprintf(expected, sizeof(expected),
	    "info  worker 2[%d]: listening on [::1]:8000\n", getpid());
	assert_string_equal(text + end, expected);
}

static void
test_level_above_the_wanted_is_silent(void **state)
{
	(void)state;
	log_debug("nothing");
	assert_int_equal(read_lines(), 0);
	log_open("worker 2", pipe_fd[1], LOG_ERROR);
	log_info("nothing");
	log_warnx("nothing");
	assert_int_equal(read_lines(), 0);
	log_errorx("something");
	assert_int_equal(read_lines(), 1);
	log_open("worker 2", pipe_fd[1], LOG_DEBUG);
	log_debug("something");
	assert_int_equal(read_lines(), 1);
	check_logged(" debug worker 2[");
}

static void
test_levels_have_names(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_ERROR);
	assert_int_equal(log_level_parse("warn"), LOG_WARN);
	assert_int_equal(log_level_parse("info"), LOG_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse("loud"), -1);
	assert_int_equal(log_level_parse(""), -1);
	assert_int_equal(log_level_parse("Info"), -1);
}

static void
test_errno_is_told_unless_x(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_error("cannot write");
	log_warn("cannot write either");
	assert_int_equal(read_lines(), 2);
	check_logged("cannot write: No space left on device\n");
	check_logged("cannot write either: No space left on device\n");
	log_errorx("bad");
	log_warnx("bad too");
	assert_int_equal(read_lines(), 2);
	check_logged("bad\n");
	check_logged("bad too\n");
}

static void
test_errno_is_left_alone(void **state)
{
	struct log_site site = { 0 };

	(void)state;
	log_open("worker 2", -1, LOG_INFO); /* each write fails with EBADF */
	errno = ENOSPC;
	log_info("x");
	log_error("x");
	log_warn_at(&site, 1, "x");
	assert_int_equal(errno, ENOSPC);
}

static void
test_long_line_is_cut(void **state)
{
	char long_one[2 * LOG_LINE_MAX];

	(void)state;
	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	errno = ENOSPC;
	log_error("%s", long_one);
	assert_int_equal(read_lines(), 1);
	assert_int_equal(strlen(text), LOG_LINE_MAX);
	assert_int_equal(text[LOG_LINE_MAX - 2], 'x');
}

/* Every length around the limit, with errno's text behind it. */
static void
test_line_of_any_length_is_one_line(void **state)
{
	char line[LOG_LINE_MAX + 16];

	(void)state;
	for (size_t len = LOG_LINE_MAX - 150; len < sizeof(line); len++) {
		memset(line, 'x', len);
		line[len] = '\0';
		errno = ENOSPC;
		log_error("%s", line);
		assert_int_equal(read_lines(), 1);
		assert_in_range(strlen(text), LOG_LINE_MAX - 150, LOG_LINE_MAX);
	}
}

static void
test_what_a_client_sent_stays_on_its_line(void **state)
{
	(void)state;
	log_info(
	    "name \"%s\"", "a\nerror worker 2[1]: fake\r\t\033[2J\177\001");
	assert_int_equal(read_lines(), 1);
	check_logged("\"a?error worker 2[1]: fake???[2J??\"\n");
}

static void
test_utf8_passes(void **state)
{
	(void)state;
	log_info("room caf\xc3\xa9 \xf0\x9f\x90\xa6");
	assert_int_equal(read_lines(), 1);
	check_logged("caf\xc3\xa9 \xf0\x9f\x90\xa6\n");
}

/*
 * Say the same until a whole burst fell into one second.  The clock may turn in
 * the middle of a try; then the next begins at the start of a second.
 */
static unsigned
flood(struct log_site *site, unsigned times)
{
	int64_t second;

	do {
		memset(site, 0, sizeof(*site));
		log_warn_at(site, 0, "flood");
		second = site->second;
		for (unsigned i = 1; i < times; i++)
			log_warn_at(site, 0, "flood");
		if (site->second != second)
			read_lines();
	} while (site->second != second);
	return read_lines();
}

static void
test_warnings_of_one_place_are_limited(void **state)
{
	struct log_site site, other = { 0 };

	(void)state;
	assert_int_equal(flood(&site, 100), LOG_BURST);
	assert_int_equal(site.hushed, 100 - LOG_BURST);
	log_warn_at(&other, 0, "another place");
	assert_int_equal(read_lines(), 1);
	log_info("another level");
	assert_int_equal(read_lines(), 1);
}

static void
test_hushed_warnings_are_summed_up_in_the_next(void **state)
{
	struct log_site site;

	(void)state;
	flood(&site, 100);
	site.second--; /* how a second passes here */
	log_warn_at(&site, 0, "flood");
	assert_int_equal(read_lines(), 1);
	check_logged("flood (95 more like this)\n");
	site.second--;
	log_warn_at(&site, 0, "flood");
	assert_int_equal(read_lines(), 1);
	check_logged("flood\n");
}

static void
test_each_call_site_has_a_limit_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		log_warnx("here");
		log_warnx("and there");
		log_warnx("and again");
	}
	assert_int_equal(read_lines(), 9);
}

static void
test_full_pipe_drops_and_counts(void **state)
{
	char block[4096] = { 0 };

	(void)state;
	while (write(pipe_fd[1], block, sizeof(block)) > 0)
		;
	assert_int_equal(log_dropped(), 0);
	log_info("lost");
	log_info("lost too");
	assert_int_equal(log_dropped(), 2);
	log_open("worker 3", pipe_fd[1], LOG_INFO);
	assert_int_equal(log_dropped(), 0);
}

static void
test_line_fits_a_pipe_in_one_piece(void **state)
{
	(void)state;
	assert_true(LOG_LINE_MAX <= PIPE_BUF);
}

static void
test_last_error_is_kept_and_cut(void **state)
{
	(void)state;
	assert_string_equal(log_last_error(), "");
	log_errorx("no event loop\n");
	log_warnx("not an error");
	assert_string_equal(log_last_error(), "no event loop?");
	log_errorx("%0*d", LOG_LINE_MAX, 0);
	assert_int_equal(strlen(log_last_error()), LOG_KEPT - 1);
	log_open("worker 2", pipe_fd[1], LOG_INFO);
	assert_string_equal(log_last_error(), "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_line_has_time_level_process_and_message),
	T(test_level_above_the_wanted_is_silent),
	T(test_levels_have_names),
	T(test_errno_is_told_unless_x),
	T(test_errno_is_left_alone),
	T(test_long_line_is_cut),
	T(test_line_of_any_length_is_one_line),
	T(test_what_a_client_sent_stays_on_its_line),
	T(test_utf8_passes),
	T(test_warnings_of_one_place_are_limited),
	T(test_hushed_warnings_are_summed_up_in_the_next),
	T(test_each_call_site_has_a_limit_of_its_own),
	T(test_full_pipe_drops_and_counts),
	T(test_line_fits_a_pipe_in_one_piece),
	T(test_last_error_is_kept_and_cut),
};

SUITE_MAIN(tests);
