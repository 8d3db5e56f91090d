/* SPDX-License-Identifier: MIT */
/*
 * test_fault_socket.c - sockets that take and give what they please: nothing is
 * lost, doubled or torn by it, and a connection that fails takes nobody along.
 * crew_teardown() sees to it that whatever was allocated for one is given back.
 * Faults strike the clients' ends, too, so these have sent before one is armed.
 */

#include "tests/fault/fault.h"
#include "tests/support/suite.h"
#include "tests/unit/support/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FOR_EVER 1000000 /* times */

static int
setup(void **state)
{
	fault_disarm();
	return kernel_setup(state);
}

static int
teardown(void **state)
{
	fault_disarm();
	return crew_teardown(state);
}

static void
expect_numbers(struct peer *client, unsigned from, unsigned count)
{
	char text[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%u", from + i);
		peer_expect(client, text);
	}
	peer_expect_nothing(client);
}

/* Send so many messages as one piece. */
static void
publish_numbers(struct peer *client, unsigned from, unsigned count)
{
	char text[16];

	peer_hold(client);
	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%u", from + i);
		peer_publish(client, "t", text);
	}
	peer_release(client);
}

/* Writing fails for a while: what has to wait comes later. */
static void
check_waits(struct crew *crew, int err)
{
	struct peer *reader = peer_open(crew, 0, "?topic=t");
	struct peer *writer = peer_open(crew, 0, "");

	publish_numbers(writer, 0, 50);
	fault_arm(FAULT_send, 1, 1, err);
	fault_arm(FAULT_sendmsg, 1, 2, err); /* what was queued is in pieces */
	CREW_UNTIL(crew, fault_struck(FAULT_sendmsg) == 2);
	assert_int_equal(fault_struck(FAULT_send), 1);
	fault_disarm();
	publish_numbers(writer, 50, 50);
	crew_run(crew);
	expect_numbers(reader, 0, 100);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 0);
	peer_close(&reader);
	peer_close(&writer);
	crew_run(crew);
}

static void
test_socket_that_takes_nothing_now_gets_it_later(void **state)
{
	struct crew *crew = *state;
	static const int waits[] = { EAGAIN, ENOBUFS, ENOMEM };

	crew_start(crew, 1);
	for (size_t i = 0; i < COUNT(waits); i++)
		check_waits(crew, waits[i]);
}

static void
test_interrupted_write_is_made_again(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	crew_start(crew, 1);
	client = peer_open(crew, 0, "?topic=t");
	publish_numbers(client, 0, 2);
	fault_arm(FAULT_send, 1, 2, EINTR);
	crew_turn(crew, 0);
	assert_int_equal(fault_struck(FAULT_send), 2);
	expect_numbers(client, 0, 2);
	peer_close(&client);
	crew_run(crew);
}

static void
test_short_write_is_continued(void **state)
{
	struct crew *crew = *state;
	unsigned short_writes = 0, short_writevs = 0;
	struct peer *reader, *writer;

	crew_start(crew, 1);
	reader = peer_open(crew, 0, "?topic=t&buffer=1000");
	writer = peer_open(crew, 0, "");
	for (unsigned i = 0; i < 20; i++) {
		publish_numbers(writer, 20 * i, 20);
		fault_arm(FAULT_send, 1, FOR_EVER, FAULT_SHORT);
		fault_arm(FAULT_sendmsg, 1, FOR_EVER, FAULT_SHORT);
		crew_turn(crew, 0);
		short_writes += fault_struck(FAULT_send);
		short_writevs += fault_struck(FAULT_sendmsg);
		fault_disarm();
	}
	crew_run(crew);
	assert_true(short_writes > 0);
	assert_true(short_writevs > 0);
	expect_numbers(reader, 0, 400);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 0);
	peer_close(&reader);
	peer_close(&writer);
	crew_run(crew);
}

static void
test_short_read_is_continued(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	crew_start(crew, 1);
	fault_arm(FAULT_recv, 1, FOR_EVER, FAULT_SHORT);
	client = peer_open(crew, 0, "?topic=t");
	publish_numbers(client, 0, 10);
	crew_run(crew);
	assert_true(fault_struck(FAULT_recv) > 0);
	fault_disarm();
	expect_numbers(client, 0, 10);
	peer_close(&client);
	crew_run(crew);
}

static void
test_interrupted_read_is_made_again(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	crew_start(crew, 1);
	client = peer_open(crew, 0, "?topic=t");
	fault_arm(FAULT_recv, 1, 2, EINTR);
	publish_numbers(client, 0, 1);
	CREW_UNTIL(crew, fault_struck(FAULT_recv) == 2);
	crew_run(crew);
	expect_numbers(client, 0, 1);
	peer_close(&client);
	crew_run(crew);
}

/* A connection fails in the middle of a fan-out: it is closed, by its error and
 * not by ours, and the one behind it gets its message. */
static void
check_fails_alone(struct crew *crew, int err)
{
	struct peer *first = peer_open(crew, 0, "?topic=t");
	struct peer *second = peer_open(crew, 0, "?topic=t");
	struct peer *writer = peer_open(crew, 0, "");

	publish_numbers(writer, 7, 1);
	fault_arm(FAULT_send, 1, 1, err);
	crew_run(crew);
	assert_int_equal(fault_struck(FAULT_send), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 2);
	/* whoever publishes has subscribed, too */
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 2);
	peer_receive(first);
	peer_receive(second);
	assert_true(first->eof != second->eof);
	expect_numbers(first->eof ? second : first, 7, 1);
	peer_close(&first);
	peer_close(&second);
	peer_close(&writer);
	crew_run(crew);
}

static void
test_connection_that_fails_takes_nobody_along(void **state)
{
	struct crew *crew = *state;

	crew_start(crew, 1);
	check_fails_alone(crew, EPIPE);
	check_fails_alone(crew, ECONNRESET);
	check_fails_alone(crew, ETIMEDOUT);
}

static void
test_connection_that_cannot_be_read_is_lost(void **state)
{
	struct crew *crew = *state;
	struct peer *client, *other;

	crew_start(crew, 1);
	client = peer_open(crew, 0, "?topic=t");
	other = peer_open(crew, 0, "?topic=t");
	fault_arm(FAULT_recv, 1, 1, ECONNRESET);
	publish_numbers(client, 0, 1);
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_CONNECTIONS) == 1);
	publish_numbers(other, 1, 1);
	crew_run(crew);
	expect_numbers(other, 1, 1);
	peer_close(&client);
	peer_close(&other);
	crew_run(crew);
}

/* A real listener of worker 0, on a port of the kernel's choice. */
static int
listen_for(struct crew *crew, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (const struct sockaddr *)at, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	crew->args[0].listeners = &(struct worker_listener){ .fd = fd };
	crew->args[0].listener_count = 1;
	acceptors_fini(&crew->w[0].acceptors);
	acceptors_open(&crew->w[0].acceptors, &crew->w[0].net, &crew->args[0]);
	return fd;
}

static int
connect_to(const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    connect(fd, (const struct sockaddr *)at, sizeof(*at)), 0);
	return fd;
}

/* Somebody who connects while accept4() fails so for a while is not forgotten;
 * pauses: how often accepting stops for it. */
static void
check_accepted_in_the_end(
    struct crew *crew, const struct sockaddr_in *at, int err, uint64_t pauses)
{
	uint64_t paused = crew_stat(crew, 0, STATS_ACCEPT_PAUSES);
	int fd;

	fault_arm(FAULT_accept4, 1, 1, err);
	fd = connect_to(at);
	CREW_UNTIL(crew, fault_struck(FAULT_accept4) == 1);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_ACCEPT_PAUSES), paused + pauses);
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_CONNECTIONS) == 1);
	close(fd);
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_CONNECTIONS) == 0);
	assert_false(crew->w[0].acceptors.paused);
}

static void
test_accepting_goes_on_after_any_error(void **state)
{
	struct crew *crew = *state;
	struct sockaddr_in at;
	int fd;

	crew_start(crew, 1);
	fd = listen_for(crew, &at);
	check_accepted_in_the_end(crew, &at, ECONNABORTED, 0);
	check_accepted_in_the_end(crew, &at, EINTR, 0);
	check_accepted_in_the_end(crew, &at, EMFILE, 1);
	check_accepted_in_the_end(crew, &at, ENFILE, 1);
	check_accepted_in_the_end(crew, &at, ENOMEM, 1);
	check_accepted_in_the_end(crew, &at, ENOBUFS, 1);
	acceptors_close(&crew->w[0].acceptors);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_socket_that_takes_nothing_now_gets_it_later),
	TEST(test_interrupted_write_is_made_again),
	TEST(test_short_write_is_continued),
	TEST(test_short_read_is_continued),
	TEST(test_interrupted_read_is_made_again),
	TEST(test_connection_that_fails_takes_nobody_along),
	TEST(test_connection_that_cannot_be_read_is_lost),
	TEST(test_accepting_goes_on_after_any_error),
};

SUITE_MAIN(tests);
