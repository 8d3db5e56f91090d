/* SPDX-License-Identifier: MIT */
/*
 * test_outbox.c - what worker/outbox.h promises, one test per promise.
 *
 * The kernel's part in a slow connection is played by send(2) and sendmsg(2) of
 * this file: for one connection they take only as many bytes as there is room.
 */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/crew.h"

#include "common/xmalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	int fd; /* of the slow connection; -1: none */
	size_t room;
} kernel = { .fd = -1 };

/* As much of len as there is room for.  Returns false if there is none. */
static bool
kernel_takes(int fd, size_t *len)
{
	if (fd != kernel.fd)
		return true;
	if (kernel.room == 0) {
		errno = EAGAIN;
		return false;
	}
	if (*len > kernel.room)
		*len = kernel.room;
	kernel.room -= *len;
	return true;
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	if (!kernel_takes(fd, &len))
		return -1;
	return syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec iov[OUTBOX_IOV_MAX];
	struct msghdr part = { .msg_iov = iov };
	size_t len = 0, left;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	if (!kernel_takes(fd, &len))
		return -1;
	for (left = len; left > 0; part.msg_iovlen++) {
		struct iovec *piece = &iov[part.msg_iovlen];

		*piece = msg->msg_iov[part.msg_iovlen];
		if (piece->iov_len > left)
			piece->iov_len = left;
		left -= piece->iov_len;
	}
	return syscall(SYS_sendmsg, fd, &part, flags);
}

static int
setup(void **state)
{
	kernel.fd = -1;
	return crew_setup(state);
}

static void
kernel_has_room(struct client *client, size_t bytes)
{
	kernel.fd = client->conn->io.fd;
	kernel.room = bytes;
}

static void
kernel_has_room_again(struct crew *crew)
{
	kernel.fd = -1;
	crew_run(crew);
}

/* Put a message into the ring; nobody has turned yet. */
static void
publish(struct crew *crew, const char *topic, const char *text)
{
	struct ring *ring = &crew->w[0].ring;
	char *json = xmalloc(strlen(text) + 3);

	sprintf(json, "\"%s\"", text);
	hand_publish(ring, hand_topic(ring, topic), json);
	free(json);
}

/* Messages "first" to "last", a turn each. */
static void
publish_numbers(struct crew *crew, int first, int last)
{
	char text[16];

	for (int i = first; i <= last; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		publish(crew, "room", text);
		crew_turn(crew, 0);
	}
}

static void
expect_numbers(struct client *client, int first, int last)
{
	char text[16];

	for (int i = first; i <= last; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		client_expect(client, text);
	}
}

static void
test_one_write_for_all_of_a_turn(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;
	uint64_t writes;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&topic=other");
	b = client_open(crew, 0, "?topic=room&topic=third");
	writes = crew_stat(crew, 0, STATS_WRITES);
	for (int i = 0; i < 100; i++) {
		publish(crew, "room", "hello");
		publish(crew, "other", "hello");
		publish(crew, "third", "hello");
	}
	client_frame(a, WS_PING, "", 0);
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 2);
	assert_int_equal(client_receive(a), 2 + 200 * 7);
	assert_int_equal(client_receive(b), 200 * 7);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), 400);
	client_close(&a);
	client_close(&b);
}

static void
test_idle_connections_are_not_written_to(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;
	uint64_t writes;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	b = client_open(crew, 0, "?topic=other");
	writes = crew_stat(crew, 0, STATS_WRITES);
	publish(crew, "room", "hello");
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 1);
	client_expect_nothing(b);
	client_close(&a);
	client_close(&b);
}

/* Every other topic is one's own, so that no two runs are neighbours. */
static void
test_more_pieces_than_one_write_takes(void **state)
{
	enum { TOPICS = 2 * OUTBOX_IOV_MAX + 10 };
	struct crew *crew = *state;
	struct client *even, *all;
	char query[TOPICS * 12] = "?", *at = query + 1, name[16];
	uint64_t writes;

	crew->config.max_topics = 2 * TOPICS;
	crew->config.max_topics_per_conn = 2 * TOPICS;
	crew_start(crew, 1);
	for (int i = 0; i < 2 * TOPICS; i += 2)
		at += sprintf(at, "&topic=t%d", i);
	even = client_open(crew, 0, query);
	for (at = query + 1; strstr(at, "topic=t") != NULL;) {
		/* the same again, one number up: t0 becomes t1 */
		at = strstr(at, "topic=t") + 7;
		at[strcspn(at, "&") - 1]++;
	}
	all = client_open(crew, 0, query);
	writes = crew_stat(crew, 0, STATS_WRITES);
	for (int i = 0; i < 2 * TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		publish(crew, name, name);
	}
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 6);
	for (int i = 0; i < 2 * TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		client_expect(i % 2 == 0 ? even : all, name);
	}
	client_expect_nothing(even);
	client_close(&even);
	client_close(&all);
}

/* Wherever the kernel stops in runs and queue, the stream goes on there. */
static void
test_frames_cut_at_every_byte(void **state)
{
	static const char *const texts[] = { "one", "", "three of them" };
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&topic=other");
	for (size_t first = 0; first <= 22; first++)
		for (size_t then = 0; then <= 22; then++) {
			kernel_has_room(a, first);
			for (int i = 0; i < 3; i++)
				publish(crew, "room", texts[i]);
			crew_turn(crew, 0);
			kernel_has_room(a, then);
			publish(crew, "other", "new");
			crew_turn(crew, 0);
			kernel_has_room_again(crew);
			for (int i = 0; i < 3; i++)
				client_expect(a, texts[i]);
			client_expect(a, "new");
			client_expect_nothing(a);
			assert_null(a->conn->out);
		}
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), 23 * 23 * 4);
	client_close(&a);
}

static void
test_drop_drops_the_newest(void **state)
{
	struct crew *crew = *state;
	struct client *a, *other;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&buffer=3");
	other = client_open(crew, 0, "?topic=room");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 8);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3);
	client_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 5);
	publish_numbers(crew, 9, 9);
	expect_numbers(a, 9, 9);
	expect_numbers(other, 1, 9);
	client_close(&a);
	client_close(&other);
}

static void
test_latest_drops_the_oldest(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&buffer=3&overflow=latest");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 8);
	kernel_has_room_again(crew);
	expect_numbers(a, 6, 8);
	client_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 5);
	client_close(&a);
}

/* A frame begun from the queue took the only place, and could not be dropped:
 * what came last was what never arrived. */
static void
test_latest_of_one_arrives_whatever_was_begun(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&buffer=1&overflow=latest");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 1);
	kernel_has_room(a, 1);
	publish_numbers(crew, 2, 4);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 1);
	expect_numbers(a, 4, 4);
	client_expect_nothing(a);
	client_close(&a);
}

static void
test_v1_is_told_what_was_dropped(void **state)
{
	struct crew *crew = *state;
	struct client_frame frame;
	struct client *a;
	const char *gap = "\"from\":3,\"to\":8 ";

	crew_start(crew, 1);
	a = client_open_v1(crew, 0, "?topic=room&buffer=2");
	for (int round = 0; round < 3; round++) {
		kernel_has_room(a, 0);
		publish_numbers(crew, 1, 8);
		kernel_has_room_again(crew);
		assert_null(a->conn->out);
		for (int i = 0; i < 2; i++)
			assert_true(client_next(a, &frame));
		assert_true(client_next(a, &frame));
		if (round == 0)
			assert_non_null(
			    memmem(frame.data, frame.len, gap, strlen(gap)));
		client_expect_nothing(a);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_GAPS), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 18);
	client_close(&a);
}

static void
test_close_closes_after_what_waited(void **state)
{
	struct crew *crew = *state;
	struct client *a, *other;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&buffer=2&overflow=close");
	other = client_open(crew, 0, "?topic=room");
	kernel_has_room(a, 3);
	publish_numbers(crew, 1, 6);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 1);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3); /* the begun one, and two that waited */
	client_expect_close(a, WS_CODE_TOO_SLOW);
	assert_true(a->eof);
	assert_int_equal(crew_stat(crew, 0, STATS_SLOW_CLOSES), 1);
	expect_numbers(other, 1, 6);
	client_close(&a);
	client_close(&other);
}

/* All in one turn, so that the connection is closed in the middle of a run. */
static void
test_close_in_the_middle_of_a_run(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(
	    crew, 0, "?topic=room&topic=other&buffer=2&overflow=close");
	kernel_has_room(a, 0);
	for (int i = 0; i < 5; i++) {
		publish(crew, "room", "x");
		publish(crew, "other", "y");
	}
	crew_turn(crew, 0);
	kernel_has_room_again(crew);
	client_expect(a, "x");
	client_expect(a, "x");
	client_expect_close(a, WS_CODE_TOO_SLOW);
	client_close(&a);
}

static void
test_without_a_buffer_only_what_the_socket_takes(void **state)
{
	static const char *const queries[] = { "?topic=room&buffer=0",
		"?topic=room&buffer=0&overflow=latest" };
	struct crew *crew = *state;

	crew_start(crew, 1);
	for (int i = 0; i < 2; i++) {
		struct client *a = client_open(crew, 0, queries[i]);

		kernel_has_room(a, 5); /* m1, and a byte of m2 */
		publish_numbers(crew, 1, 4);
		kernel_has_room_again(crew);
		publish_numbers(crew, 5, 5);
		expect_numbers(a, 1, 2);
		expect_numbers(a, 5, 5);
		client_expect_nothing(a);
		client_close(&a);
		crew_run(crew);
	}
}

static void
test_at_most_so_many_bytes_wait(void **state)
{
	struct crew *crew = *state;
	struct client *a;
	struct client_frame frame;
	size_t size = 100000;
	char *text = xcalloc(1, size + 1);
	int count = 0;

	crew->ring_size = 4u << 20;
	crew->config.max_message = 128u << 10;
	crew_start(crew, 1);
	memset(text, 'x', size);
	a = client_open(crew, 0, "?topic=room&buffer=1000");
	kernel_has_room(a, 0);
	for (int i = 0; i < 15; i++) {
		publish(crew, "room", text);
		crew_turn(crew, 0);
		assert_true(crew->w[0].conns.buffered <= OUTBOX_BUFFER_BYTES);
	}
	kernel_has_room_again(crew);
	CREW_UNTIL(crew, (client_receive(a), a->conn->out == NULL));
	while (client_next(a, &frame))
		count++;
	assert_int_equal(count, OUTBOX_BUFFER_BYTES / (size + 10));
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 15 - count);
	free(text);
	client_close(&a);
}

static void
test_worker_has_a_limit_of_its_own(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew->config.max_worker_memory = 40;
	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	b = client_open(crew, 0, "?topic=room");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 9);
	publish(crew, "room", "last and longest");
	crew_turn(crew, 0);
	publish_numbers(crew, 10, 12);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 36);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS_MEMORY), 4);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 0);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 9);
	client_expect_nothing(a);
	expect_numbers(b, 1, 9);
	client_expect(b, "last and longest");
	client_close(&a);
	client_close(&b);
}

static void
test_answers_are_not_dropped(void **state)
{
	struct crew *crew = *state;
	struct client_frame frame;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room&buffer=1&overflow=latest");
	kernel_has_room(a, 0);
	for (int i = 0; i < 20; i++) {
		client_frame(a, WS_PING, "ping", 4);
		publish_numbers(crew, i, i);
	}
	kernel_has_room_again(crew);
	for (int i = 0; i < 20; i++) {
		assert_true(client_next(a, &frame));
		assert_int_equal(frame.opcode, WS_PONG);
	}
	expect_numbers(a, 19, 19);
	client_close(&a);
}

static void
test_who_does_not_read_its_answers_is_not_read(void **state)
{
	struct crew *crew = *state;
	struct client_frame frame;
	char payload[125] = { 0 };
	struct client *a;
	uint64_t bytes;
	int pongs = 0, n = 0;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	kernel_has_room(a, 0);
	while ((a->conn->paused & PAUSE_ANSWERS) == 0) {
		client_frame(a, WS_PING, payload, sizeof(payload));
		crew_turn(crew, 0);
		assert_in_range(++n, 1, 1000);
	}
	assert_in_range(n * 127, CONN_ANSWERS_MAX, CONN_ANSWERS_MAX + 2 * 127);
	bytes = crew_stat(crew, 0, STATS_BYTES_IN);
	client_publish(a, "room", "hello");
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_BYTES_IN), bytes);
	kernel_has_room_again(crew);
	while (client_next(a, &frame) && frame.opcode == WS_PONG)
		pongs++;
	assert_int_equal(pongs, n);
	assert_int_equal(frame.opcode, WS_TEXT);
	client_close(&a);
}

static void
test_connection_lost_with_a_full_queue(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	kernel_has_room(a, 1);
	publish_numbers(crew, 1, 5);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 19);
	client_close(&a);
	kernel_has_room_again(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 0);
}

/* Close frames wait in the queue like everything else. */
static void
test_closing_waits_for_a_slow_socket(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	kernel_has_room(a, 1);
	publish_numbers(crew, 1, 3);
	conn_close(a->conn, WS_CODE_GOING_AWAY, "bye");
	publish_numbers(crew, 4, 4); /* no subscriber any more */
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3);
	client_expect_close(a, WS_CODE_GOING_AWAY);
	assert_true(a->eof);
	client_close(&a);
}

/* What arrived must be numbers that grow, each a whole frame.  Returns how
 * many; *last is the last one. */
static unsigned
count_growing(struct client *client, long *last)
{
	struct client_frame frame;
	unsigned count = 0;
	long number;

	*last = -1;
	while (client_next(client, &frame)) {
		char text[16] = { 0 };

		assert_int_equal(frame.opcode, WS_TEXT);
		memcpy(text, frame.data, 6);
		number = strtol(text, NULL, 10);
		assert_true(number > *last);
		for (size_t i = 6; i < frame.len; i++)
			assert_int_equal(frame.data[i], 'x');
		assert_int_equal(frame.len, 6 + (size_t)number % 900);
		*last = number;
		count++;
	}
	return count;
}

/* Thousands of messages of any length through a socket that takes any number
 * of bytes: nothing is garbled, and what was not dropped has arrived. */
static void
slow_stream(struct crew *crew, const char *query, bool newest_arrives)
{
	struct dice dice = { 99 };
	struct client *a;
	unsigned got;
	long last;

	crew_start(crew, 1);
	a = client_open(crew, 0, query);
	for (int i = 0; i < 5000; i++) {
		char text[1000];
		size_t len = 6 + (size_t)i % 900;

		snprintf(text, sizeof(text), "%06d", i);
		memset(text + 6, 'x', len - 6);
		text[len] = '\0';
		publish(crew, "room", text);
		if (dice_below(&dice, 3) > 0)
			continue;
		client_receive(a); /* the real one has its limits, too */
		kernel_has_room(a, dice_below(&dice, 2000));
		crew_turn(crew, 0);
		if (dice_below(&dice, 4) == 0)
			crew_turn(crew, 0);
	}
	crew_turn(crew, 0);
	kernel.fd = -1;
	CREW_UNTIL(crew, (client_receive(a), a->conn->out == NULL));
	got = count_growing(a, &last);
	assert_int_equal(crew_stat(crew, 0, STATS_LAPS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), got);
	assert_int_equal(got + crew_stat(crew, 0, STATS_DROPS), 5000);
	assert_true(crew_stat(crew, 0, STATS_DROPS) > 0);
	if (newest_arrives)
		assert_int_equal(last, 4999);
	client_close(&a);
}

static void
test_slow_stream_is_whole_under_drop(void **state)
{
	slow_stream(*state, "?topic=room&buffer=20", false);
}

static void
test_slow_stream_is_whole_under_latest(void **state)
{
	slow_stream(*state, "?topic=room&buffer=20&overflow=latest", true);
}

static void
test_slow_stream_is_whole_with_the_smallest_buffers(void **state)
{
	slow_stream(*state, "?topic=room&buffer=1&overflow=latest", true);
}

static void
test_slow_stream_is_whole_without_a_buffer(void **state)
{
	slow_stream(*state, "?topic=room&buffer=0", false);
}

/* The kernel itself: a socket with the smallest buffer there is, and a client
 * that reads now and then. */
static void
test_real_socket_that_is_slow(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;
	struct client_frame frame;
	char text[2000];
	int got = 0, fast = 0;

	crew_start(crew, 2);
	a = client_open_slow(crew, 1, "?topic=room&buffer=100000", 1);
	b = client_open(crew, 0, "?topic=room");
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 300; i++) {
		int len = 1000 + i * 3;

		text[len] = '\0';
		client_publish(b, "room", text);
		text[len] = 'x';
		crew_run(crew);
		if (i % 50 == 0)
			client_receive(a);
		while (client_next(b, &frame))
			fast++;
	}
	assert_int_equal(fast, 300);
	assert_true(a->conn->blocked);
	CREW_UNTIL(crew, (client_receive(a), a->conn->out == NULL));
	while (client_next(a, &frame)) {
		assert_int_equal(frame.len, 1000 + got * 3);
		got++;
	}
	assert_int_equal(got, 300);
	client_close(&a);
	client_close(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_one_write_for_all_of_a_turn),
	T(test_idle_connections_are_not_written_to),
	T(test_more_pieces_than_one_write_takes),
	T(test_frames_cut_at_every_byte),
	T(test_drop_drops_the_newest),
	T(test_latest_drops_the_oldest),
	T(test_latest_of_one_arrives_whatever_was_begun),
	T(test_v1_is_told_what_was_dropped),
	T(test_close_closes_after_what_waited),
	T(test_close_in_the_middle_of_a_run),
	T(test_without_a_buffer_only_what_the_socket_takes),
	T(test_at_most_so_many_bytes_wait),
	T(test_worker_has_a_limit_of_its_own),
	T(test_answers_are_not_dropped),
	T(test_who_does_not_read_its_answers_is_not_read),
	T(test_connection_lost_with_a_full_queue),
	T(test_closing_waits_for_a_slow_socket),
	T(test_slow_stream_is_whole_under_drop),
	T(test_slow_stream_is_whole_under_latest),
	T(test_slow_stream_is_whole_with_the_smallest_buffers),
	T(test_slow_stream_is_whole_without_a_buffer),
	T(test_real_socket_that_is_slow),
};

SUITE_MAIN(tests);
