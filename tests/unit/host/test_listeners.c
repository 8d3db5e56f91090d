/* SPDX-License-Identifier: MIT */
/* test_listeners.c - what broker/host/listeners.h promises, on real sockets of the
 * loopback interface; all ports are chosen by the kernel. */

#include "broker/host/listeners.h"
#include "common/address.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define WORKERS     4u
#define CONNECTIONS 200

static struct listeners listeners;
static char error[LISTENERS_ERROR_MAX];

static int
setup(void **state)
{
	int result = mp_setup(state);

	memset(&listeners, 0, sizeof(listeners));
	return result;
}

static int
teardown(void **state)
{
	listeners_close(&listeners);
	return mp_teardown(state);
}

static struct config_address
address(const char *text)
{
	struct config_address parsed;

	assert_null(address_parse(&parsed, text));
	return parsed;
}

/* Open the sockets of some workers on one address. */
static void
open_on(const char *text, unsigned workers)
{
	struct config_address wanted = address(text);

	if (!listeners_open(&listeners, &wanted, 1, workers, error))
		fail_msg("%s", error);
}

/* The first address as it was opened. */
static const char *
opened(void)
{
	static char text[ADDRESS_TEXT_MAX];

	return address_format(&listeners.address[0], text);
}

static int
connect_to(const struct config_address *to)
{
	int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    connect(fd, (const struct sockaddr *)&to->addr, to->len), 0);
	return fd;
}

/* Accept all that is queued on a socket.  Returns how many. */
static int
accept_all(int fd)
{
	int connection;
	int n = 0;

	while ((connection = accept(fd, NULL, NULL)) != -1) {
		close(connection);
		n++;
	}
	assert_int_equal(errno, EAGAIN);
	return n;
}

/* A socket of some other program.  Returns it, or -1 with errno. */
static int
other_program(const struct config_address *at, bool reuseaddr, bool reuseport)
{
	int fd = socket(at->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_int_not_equal(fd, -1);
	if (reuseaddr)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (reuseport)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&at->addr, at->len) == 0 &&
	    listen(fd, 1) == 0)
		return fd;
	on = errno;
	close(fd);
	errno = on;
	return -1;
}

static void
test_connections_spread_over_all_workers(void **state)
{
	int connections[CONNECTIONS];
	int accepted = 0;

	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	for (int i = 0; i < CONNECTIONS; i++)
		connections[i] = connect_to(&listeners.address[0]);
	for (unsigned w = 0; w < WORKERS; w++) {
		int n = accept_all(listeners.fd[w][0]);

		assert_true(n > 0);
		accepted += n;
	}
	assert_int_equal(accepted, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		close(connections[i]);
}

static void
test_port_of_another_program_is_refused(void **state)
{
	struct config_address wanted = address("127.0.0.1:0");

	(void)state;
	open_on("127.0.0.1:0", 1); /* to have a port that is free */
	wanted = listeners.address[0];
	listeners_close(&listeners);
	for (int i = 0; i < 4; i++) {
		int other = other_program(&wanted, i & 1, i & 2);
		char expected[LISTENERS_ERROR_MAX];
		char text[ADDRESS_TEXT_MAX];

		assert_int_not_equal(other, -1);
		assert_false(
		    listeners_open(&listeners, &wanted, 1, WORKERS, error));
		snprintf(expected, sizeof(expected),
		    "%s is in use by another program",
		    address_format(&wanted, text));
		assert_string_equal(error, expected);
		close(other);
	}
}

static void
test_port_of_another_pubsubd_is_refused(void **state)
{
	struct listeners second;

	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	assert_false(
	    listeners_open(&second, &listeners.address[0], 1, WORKERS, error));
	assert_non_null(strstr(error, "is in use by another program"));
}

/* Also one of the same user that asks to share the port, which the sockets of
 * workers cannot keep away. */
static void
test_socket_alone_has_its_port_to_itself(void **state)
{
	struct config_address wanted = address("127.0.0.1:0");
	struct listeners second;

	(void)state;
	assert_true(listeners_open_alone(&listeners, &wanted, error));
	assert_int_equal(listeners.count, 1);
	assert_int_equal(listeners.workers, 1);
	wanted = listeners.address[0];
	assert_int_not_equal(address_port(&wanted), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(other_program(&wanted, i & 1, i & 2), -1);
		assert_int_equal(errno, EADDRINUSE);
	}
	assert_false(listeners_open_alone(&second, &wanted, error));
	assert_non_null(strstr(error, "is in use by another program"));
	assert_false(listeners_open(&second, &wanted, 1, WORKERS, error));
	close(connect_to(&wanted));
}

static void
test_program_that_comes_later_is_refused(void **state)
{
	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	assert_int_equal(
	    other_program(&listeners.address[0], false, false), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(other_program(&listeners.address[0], true, false), -1);
	assert_int_equal(errno, EADDRINUSE);
}

/* Everything that a server leaves in TIME_WAIT has its port. */
static void
test_port_is_free_again_at_once(void **state)
{
	struct config_address wanted;
	int here, there;

	(void)state;
	open_on("127.0.0.1:0", 1);
	wanted = listeners.address[0];
	there = connect_to(&wanted);
	here = accept(listeners.fd[0][0], NULL, NULL);
	assert_int_not_equal(here, -1);
	close(here); /* first: this end waits */
	close(there);
	listeners_close(&listeners);
	if (!listeners_open(&listeners, &wanted, 1, WORKERS, error))
		fail_msg("%s", error);
}

static void
test_all_addresses_with_port_0_have_the_same_port(void **state)
{
	struct config_address wanted[] = { address("127.0.0.1:0"),
		address("127.0.0.2:0"), address("127.0.0.3:0") };

	(void)state;
	assert_true(listeners_open(&listeners, wanted, 3, WORKERS, error));
	assert_int_not_equal(address_port(&listeners.address[0]), 0);
	for (int i = 1; i < 3; i++)
		assert_int_equal(address_port(&listeners.address[i]),
		    address_port(&listeners.address[0]));
}

static void
test_failure_leaves_nothing_open(void **state)
{
	struct config_address wanted[] = { address("127.0.0.1:0"),
		address("192.0.2.1:0") }; /* documentation's, never ours */
	int free_before = fcntl(0, F_DUPFD_CLOEXEC, 0);
	int free_after;

	(void)state;
	close(free_before);
	assert_false(listeners_open(&listeners, wanted, 2, WORKERS, error));
	assert_non_null(strstr(error, "192.0.2.1:"));
	assert_non_null(strstr(error, "is not an address of this host"));
	free_after = fcntl(0, F_DUPFD_CLOEXEC, 0);
	close(free_after);
	assert_int_equal(free_after, free_before);
}

static void
test_ipv6_socket_does_not_take_ipv4_too(void **state)
{
	struct config_address wanted[] = { address("0.0.0.0:0"),
		address("[::]:0") };

	(void)state;
	if (!listeners_have_ipv6())
		skip_because("this host has no IPv6 loopback address");
	if (!listeners_open(&listeners, wanted, 2, WORKERS, error))
		fail_msg("%s", error);
}

static void
test_sockets_are_as_workers_want_them(void **state)
{
	int nodelay = 0;
	socklen_t len = sizeof(nodelay);
	int there, here;

	(void)state;
	open_on("127.0.0.1:0", 1);
	assert_true(fcntl(listeners.fd[0][0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(listeners.fd[0][0], F_GETFD) & FD_CLOEXEC);
	there = connect_to(&listeners.address[0]);
	here = accept(listeners.fd[0][0], NULL, NULL);
	assert_int_not_equal(here, -1);
	assert_int_equal(
	    getsockopt(here, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
	assert_int_not_equal(nodelay, 0);
	close(here);
	close(there);
}

static int
option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &len), 0);
	return value;
}

/* What the kernel holds for a peer is bounded by what it inherits. */
static void
test_accepted_sockets_inherit_what_was_tuned(void **state)
{
	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	assert_true(listeners_tune(&listeners, 65536, 120000));
	for (unsigned w = 0; w < WORKERS; w++)
		assert_int_equal(
		    option_of(listeners.fd[w][0], TCP_NOTSENT_LOWAT), 65536);
	listeners_resize(&listeners, 1, error);
	int there = connect_to(&listeners.address[0]);
	int here = accept(listeners.fd[0][0], NULL, NULL);

	assert_int_not_equal(here, -1);
	assert_int_equal(option_of(here, TCP_NOTSENT_LOWAT), 65536);
	assert_int_equal(option_of(here, TCP_USER_TIMEOUT), 120000);
	close(here);
	close(there);
}

/* Connect, and see that the first n sockets get all of it. */
static void
check_spread_over(unsigned n)
{
	int connections[CONNECTIONS];
	int accepted = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		connections[i] = connect_to(&listeners.address[0]);
	for (unsigned w = 0; w < n; w++)
		accepted += accept_all(listeners.fd[w][0]);
	assert_int_equal(accepted, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		close(connections[i]);
}

static void
test_more_workers_join_and_fewer_get_all(void **state)
{
	static const unsigned workers[] = { WORKERS, 1, 2, WORKERS + 1, 2 };

	(void)state;
	open_on("127.0.0.1:0", 2);
	for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		assert_true(listeners_resize(&listeners, workers[i], error));
		assert_int_equal(listeners.workers, workers[i]);
		check_spread_over(workers[i]);
	}
}

/* The sockets that a program without filters would add get their part. */
static void
test_program_that_is_executed_finds_no_filter(void **state)
{
	int accepted = 0;

	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	assert_true(listeners_resize(&listeners, 1, error));
	check_spread_over(1);
	listeners_keep_on_exec(&listeners, true);
	for (int i = 0; i < CONNECTIONS; i++)
		close(connect_to(&listeners.address[0]));
	for (unsigned w = 0; w < WORKERS; w++) {
		int n = accept_all(listeners.fd[w][0]);

		assert_true(n > 0);
		accepted += n;
	}
	assert_int_equal(accepted, CONNECTIONS);
	/* It could not be executed. */
	listeners_keep_on_exec(&listeners, false);
	check_spread_over(1);
}

/* They were reset: the sockets were closed. */
static void
test_who_waits_for_a_worker_too_many_is_accepted(void **state)
{
	struct listeners_socket sockets[LISTENERS_OF_WORKER_MAX];
	int connections[CONNECTIONS];
	int accepted = 0;

	(void)state;
	open_on("127.0.0.1:0", WORKERS);
	for (int i = 0; i < CONNECTIONS; i++)
		connections[i] = connect_to(&listeners.address[0]);
	assert_true(listeners_resize(&listeners, 2, error));
	for (unsigned w = 0; w < 2; w++) {
		size_t n = listeners_of_worker(&listeners, w, sockets);

		for (size_t i = 0; i < n; i++)
			accepted += accept_all(sockets[i].fd);
	}
	assert_int_equal(accepted, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		close(connections[i]);
}

static void
test_urls_are_joined(void **state)
{
	char urls[LISTENERS_URLS_MAX], expected[LISTENERS_URLS_MAX];
	struct config_address wanted[] = { address("127.0.0.1:0"),
		address("127.0.0.2:0") };
	unsigned port;

	(void)state;
	assert_true(listeners_open(&listeners, wanted, 2, 1, error));
	port = address_port(&listeners.address[0]);
	snprintf(expected, sizeof(expected),
	    "http://127.0.0.1:%u and http://127.0.0.2:%u", port, port);
	assert_string_equal(
	    listeners_urls(&listeners, " and ", urls), expected);
}

static void
test_urls_that_do_not_fit_are_left_out_whole(void **state)
{
	char urls[LISTENERS_URLS_MAX];

	(void)state;
	for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
		listeners.address[i] =
		    address("[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
	listeners.count = CONFIG_LISTEN_MAX;
	listeners_urls(&listeners, " ", urls);
	listeners.count = 0;
	assert_true(strlen(urls) < sizeof(urls));
	assert_string_equal(urls + strlen(urls) - 7, "]:65535");
}

/* Answer one connection with this text. */
static int
answer(void *arg)
{
	const char *text = arg;
	char question[1024];
	int fd;

	fcntl(listeners.fd[0][0], F_SETFL, 0); /* wait for it */
	fd = accept(listeners.fd[0][0], NULL, NULL);
	MP_CHECK(fd != -1);
	MP_CHECK(recv(fd, question, sizeof(question), 0) > 0);
	MP_CHECK(strncmp(question, "GET /healthz HTTP/1.1\r\n", 23) == 0);
	MP_CHECK(send(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
	return 0;
}

static void
test_address_answers_when_http_comes_back(void **state)
{
	static char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
	pid_t pid;

	(void)state;
	open_on("127.0.0.1:0", 1);
	pid = mp_spawn(answer, ok);
	assert_true(listeners_answer(&listeners, MP_SECONDS * 1000, error));
	mp_join(pid);
}

static void
test_other_bytes_are_no_answer(void **state)
{
	static char other[] = "220 mail ready\r\n";
	char expected[LISTENERS_ERROR_MAX];
	pid_t pid;

	(void)state;
	open_on("127.0.0.1:0", 1);
	pid = mp_spawn(answer, other);
	assert_false(listeners_answer(&listeners, MP_SECONDS * 1000, error));
	snprintf(expected, sizeof(expected),
	    "the workers are ready, but %s does not answer", opened());
	assert_string_equal(error, expected);
	mp_join(pid);
}

static void
test_silence_is_no_answer(void **state)
{
	(void)state;
	open_on("127.0.0.1:0", 1);
	assert_false(listeners_answer(&listeners, 10, error));
}

#define LISTENERS_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	LISTENERS_TEST(test_connections_spread_over_all_workers),
	LISTENERS_TEST(test_port_of_another_program_is_refused),
	LISTENERS_TEST(test_port_of_another_pubsubd_is_refused),
	LISTENERS_TEST(test_socket_alone_has_its_port_to_itself),
	LISTENERS_TEST(test_program_that_comes_later_is_refused),
	LISTENERS_TEST(test_port_is_free_again_at_once),
	LISTENERS_TEST(test_all_addresses_with_port_0_have_the_same_port),
	LISTENERS_TEST(test_failure_leaves_nothing_open),
	LISTENERS_TEST(test_ipv6_socket_does_not_take_ipv4_too),
	LISTENERS_TEST(test_sockets_are_as_workers_want_them),
	LISTENERS_TEST(test_accepted_sockets_inherit_what_was_tuned),
	LISTENERS_TEST(test_more_workers_join_and_fewer_get_all),
	LISTENERS_TEST(test_program_that_is_executed_finds_no_filter),
	LISTENERS_TEST(test_who_waits_for_a_worker_too_many_is_accepted),
	LISTENERS_TEST(test_urls_are_joined),
	LISTENERS_TEST(test_urls_that_do_not_fit_are_left_out_whole),
	LISTENERS_TEST(test_address_answers_when_http_comes_back),
	LISTENERS_TEST(test_other_bytes_are_no_answer),
	LISTENERS_TEST(test_silence_is_no_answer),
};

SUITE_MAIN(tests);
