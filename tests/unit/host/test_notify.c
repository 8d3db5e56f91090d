/* SPDX-License-Identifier: MIT */
/* test_notify.c - what broker/host/notify.h promises, to a socket of our own. */

#include "broker/host/notify.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/pubsubd-notify-XXXXXX";
static char path[64];
static int manager = -1; /* its socket */

static int
setup(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int result = mp_setup(state);

	strcpy(strrchr(directory, '-'), "-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(
	    bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return result;
}

static int
teardown(void **state)
{
	close(manager);
	unlink(path);
	rmdir(directory);
	return mp_teardown(state);
}

/* The next message; "": there is none. */
static const char *
next(void)
{
	static char text[2048];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_a_message_comes_whole(void **state)
{
	(void)state;
	notify_send("READY=1\nSTATUS=%s %d", "on port", 8000);
	assert_string_equal(next(), "READY=1\nSTATUS=on port 8000");
	notify_send("STOPPING=1");
	assert_string_equal(next(), "STOPPING=1");
	assert_string_equal(next(), "");
}

static void
test_an_abstract_address(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len =
	    offsetof(struct sockaddr_un, sun_path) + (socklen_t)strlen(path);

	(void)state;
	memcpy(address.sun_path, path, strlen(path));
	address.sun_path[0] = '\0';
	close(manager);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, len), 0);
	path[0] = '@';
	setenv("NOTIFY_SOCKET", path, 1);
	path[0] = '/';
	notify_send("READY=1");
	assert_string_equal(next(), "READY=1");
}

/* What a log line would say if something were wrong. */
static const char *
said(const char *variable)
{
	int log[2];
	static char text[512];
	ssize_t n;

	assert_int_equal(pipe(log), 0);
	log_open("test", log[1], LOG_INFO);
	if (variable == NULL)
		unsetenv("NOTIFY_SOCKET");
	else
		setenv("NOTIFY_SOCKET", variable, 1);
	notify_send("READY=1\nSTATUS=ready");
	close(log[1]);
	log_open("test", STDERR_FILENO, LOG_INFO);
	n = read(log[0], text, sizeof(text) - 1);
	close(log[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_without_a_manager_nobody_is_told(void **state)
{
	(void)state;
	assert_string_equal(said(NULL), "");
	assert_string_equal(said(""), "");
	assert_string_equal(next(), "");
}

static void
test_who_cannot_be_told_is_logged(void **state)
{
	char long_path[256];

	(void)state;
	memset(long_path, '/', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_non_null(strstr(said("/nonexistent/socket"),
	    "cannot tell the service manager READY=1: No such file"));
	assert_non_null(strstr(said("relative"), "not supported"));
	assert_non_null(strstr(said(long_path), "not supported"));
	assert_string_equal(next(), "");
}

static void
set_watchdog(const char *usec, const char *pid)
{
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid != NULL)
		setenv("WATCHDOG_PID", pid, 1);
}

static void
test_the_watchdog_is_whose_it_is(void **state)
{
	char own[16];

	(void)state;
	snprintf(own, sizeof(own), "%d", getpid());
	assert_int_equal(notify_watchdog_ms(), 0);
	set_watchdog("30000000", own);
	assert_int_equal(notify_watchdog_ms(), 30000);
	set_watchdog("30000000", NULL);
	assert_int_equal(notify_watchdog_ms(), 30000);
	set_watchdog("30000000", "1");
	assert_int_equal(notify_watchdog_ms(), 0);
	set_watchdog("30000000", "x");
	assert_int_equal(notify_watchdog_ms(), 0);
	set_watchdog("-1", own);
	assert_int_equal(notify_watchdog_ms(), 0);
	set_watchdog("5s", own);
	assert_int_equal(notify_watchdog_ms(), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_a_message_comes_whole, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_an_abstract_address, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_without_a_manager_nobody_is_told, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_who_cannot_be_told_is_logged, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_the_watchdog_is_whose_it_is, setup, teardown),
};

SUITE_MAIN(tests);
