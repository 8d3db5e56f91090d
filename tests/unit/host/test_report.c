/* SPDX-License-Identifier: MIT */
/* test_report.c - what broker/host/report.h promises.  The server is a child; what
 * this process prints is caught in pipes. */

#include "broker/host/report.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int reports[2];
static char out[256], err[256];

static int
setup(void **state)
{
	int result = mp_setup(state);

	assert_int_equal(pipe2(reports, O_CLOEXEC), 0);
	return result;
}

static int
teardown(void **state)
{
	close(reports[0]);
	return mp_teardown(state);
}

/* Read a pipe to its end. */
static void
read_all(int fd, char text[256])
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, 255 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
}

/* Relay the reports of a child that does this, and catch what is printed. */
static enum exit_status
relay(int (*server)(void *))
{
	int saved[2], caught[2][2];
	enum exit_status status;
	pid_t pid = mp_spawn(server, NULL);

	close(reports[1]);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
		assert_int_equal(pipe2(caught[i], O_CLOEXEC), 0);
		dup2(caught[i][1], i + 1);
		close(caught[i][1]);
	}
	status = report_relay(reports[0]);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	read_all(caught[0][0], out);
	read_all(caught[1][0], err);
	mp_join(pid);
	return status;
}

static int
get_ready(void *arg)
{
	(void)arg;
	report_into(reports[1]);
	report_ready("ready on %s", "here");
	report_ready("ready on %s", "here again");
	return 0;
}

static void
test_ready_line_is_passed_on_once(void **state)
{
	(void)state;
	assert_int_equal(relay(get_ready), EXIT_STATUS_OK);
	assert_string_equal(out, "ready on here\n");
	assert_string_equal(err, "");
}

static int
fail_to_start(void *arg)
{
	(void)arg;
	report_into(reports[1]);
	MP_CHECK(report_failure(EXIT_STATUS_ALREADY_RUNNING, "it %s", "runs") ==
		 EXIT_STATUS_ALREADY_RUNNING);
	return 0;
}

static void
test_failure_is_passed_on_with_its_status(void **state)
{
	(void)state;
	assert_int_equal(relay(fail_to_start), EXIT_STATUS_ALREADY_RUNNING);
	assert_string_equal(out, "");
	assert_string_equal(err, "pubsubd: it runs\n");
}

static int
die_without_a_word(void *arg)
{
	(void)arg;
	return 0;
}

static void
test_silent_death_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(relay(die_without_a_word), EXIT_STATUS_FAILED);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "died while it started"));
}

static int
be_restarted(void *arg)
{
	(void)arg;
	report_into(reports[1]);
	report_no_ready();
	report_ready("ready on %s", "here");
	return 0;
}

static void
test_no_ready_line_when_nobody_waits(void **state)
{
	(void)state;
	relay(be_restarted);
	assert_string_equal(out, "");
}

#define REPORT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	REPORT_TEST(test_ready_line_is_passed_on_once),
	REPORT_TEST(test_failure_is_passed_on_with_its_status),
	REPORT_TEST(test_silent_death_is_a_failure),
	REPORT_TEST(test_no_ready_line_when_nobody_waits),
};

SUITE_MAIN(tests);
