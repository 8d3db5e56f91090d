/* SPDX-License-Identifier: MIT */
/* test_flush.c - what worker/net/flush.h promises, one test per promise. */

#include "tests/support/suite.h"
#include "tests/unit/support/kernel.h"
#include "worker/net/flush.h"
#include "worker/net/overflow.h"
#include "worker/ws/ws_conn.h"

#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Put a message into the ring; nobody has turned yet. */
static void
publish(struct crew *crew, const char *topic, const char *text)
{
	struct ring *ring = &crew->w[0].hub.ring;
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
expect_numbers(struct peer *client, int first, int last)
{
	char text[16];

	for (int i = first; i <= last; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		peer_expect(client, text);
	}
}

static void
test_one_write_for_all_of_a_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint64_t writes;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&topic=other");
	b = peer_open(crew, 0, "?topic=room&topic=third");
	writes = crew_stat(crew, 0, STATS_WRITES);
	for (int i = 0; i < 100; i++) {
		publish(crew, "room", "hello");
		publish(crew, "other", "hello");
		publish(crew, "third", "hello");
	}
	peer_frame(a, WS_PING, "", 0);
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 2);
	assert_int_equal(peer_receive(a), 2 + 200 * 7);
	assert_int_equal(peer_receive(b), 200 * 7);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), 400);
	peer_close(&a);
	peer_close(&b);
}

static void
test_idle_connections_are_not_written_to(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint64_t writes;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 0, "?topic=other");
	writes = crew_stat(crew, 0, STATS_WRITES);
	publish(crew, "room", "hello");
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 1);
	peer_expect_nothing(b);
	peer_close(&a);
	peer_close(&b);
}

/* Every other topic is one's own, so that no two runs are neighbours. */
static void
test_more_pieces_than_one_write_takes(void **state)
{
	enum { TOPICS = 2 * FLUSH_IOV_MAX + 10 };
	struct crew *crew = *state;
	struct peer *even, *all;
	char query[TOPICS * 12] = "?", *at = query + 1, name[16];
	uint64_t writes;

	crew->config.max_topics = 2 * TOPICS;
	crew->config.max_topics_per_conn = 2 * TOPICS;
	crew_start(crew, 1);
	for (int i = 0; i < 2 * TOPICS; i += 2)
		at += sprintf(at, "&topic=t%d", i);
	even = peer_open(crew, 0, query);
	for (at = query + 1; strstr(at, "topic=t") != NULL;) {
		/* the same again, one number up: t0 becomes t1 */
		at = strstr(at, "topic=t") + 7;
		at[strcspn(at, "&") - 1]++;
	}
	all = peer_open(crew, 0, query);
	writes = crew_stat(crew, 0, STATS_WRITES);
	for (int i = 0; i < 2 * TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		publish(crew, name, name);
	}
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_WRITES), writes + 6);
	for (int i = 0; i < 2 * TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		peer_expect(i % 2 == 0 ? even : all, name);
	}
	peer_expect_nothing(even);
	peer_close(&even);
	peer_close(&all);
}

/* Wherever the kernel stops in runs and queue, the stream goes on there. */
static void
test_frames_cut_at_every_byte(void **state)
{
	static const char *const texts[] = { "one", "", "three of them" };
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&topic=other");
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
				peer_expect(a, texts[i]);
			peer_expect(a, "new");
			peer_expect_nothing(a);
			assert_null(a->conn->out);
		}
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), 23 * 23 * 4);
	peer_close(&a);
}

static void
test_drop_drops_the_newest(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *other;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=3");
	other = peer_open(crew, 0, "?topic=room");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 8);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3);
	peer_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 5);
	publish_numbers(crew, 9, 9);
	expect_numbers(a, 9, 9);
	expect_numbers(other, 1, 9);
	peer_close(&a);
	peer_close(&other);
}

static void
test_latest_drops_the_oldest(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=3&overflow=latest");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 8);
	kernel_has_room_again(crew);
	expect_numbers(a, 6, 8);
	peer_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 5);
	peer_close(&a);
}

/* A frame begun from the queue took the only place, and could not be dropped:
 * what came last was what never arrived. */
static void
test_latest_of_one_arrives_whatever_was_begun(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=1&overflow=latest");
	kernel_has_room(a, 0);
	publish_numbers(crew, 1, 1);
	kernel_has_room(a, 1);
	publish_numbers(crew, 2, 4);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 1);
	expect_numbers(a, 4, 4);
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_v1_is_told_what_was_dropped(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;
	const char *gap = "\"from\":3,\"to\":8 ";

	crew_start(crew, 1);
	a = peer_open_v1(crew, 0, "?topic=room&buffer=2");
	for (int round = 0; round < 3; round++) {
		kernel_has_room(a, 0);
		publish_numbers(crew, 1, 8);
		kernel_has_room_again(crew);
		assert_null(a->conn->out);
		for (int i = 0; i < 2; i++)
			assert_true(peer_next(a, &frame));
		assert_true(peer_next(a, &frame));
		if (round == 0)
			assert_non_null(
			    memmem(frame.data, frame.len, gap, strlen(gap)));
		peer_expect_nothing(a);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_GAPS), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 18);
	peer_close(&a);
}

static void
test_close_closes_after_what_waited(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *other;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=2&overflow=close");
	other = peer_open(crew, 0, "?topic=room");
	kernel_has_room(a, 3);
	publish_numbers(crew, 1, 6);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 1);
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3); /* the begun one, and two that waited */
	peer_expect_close(a, WS_CODE_TOO_SLOW);
	assert_true(a->eof);
	assert_int_equal(crew_stat(crew, 0, STATS_SLOW_CLOSES), 1);
	expect_numbers(other, 1, 6);
	peer_close(&a);
	peer_close(&other);
}

/* All in one turn, so that the connection is closed in the middle of a run. */
static void
test_close_in_the_middle_of_a_run(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(
	    crew, 0, "?topic=room&topic=other&buffer=2&overflow=close");
	kernel_has_room(a, 0);
	for (int i = 0; i < 5; i++) {
		publish(crew, "room", "x");
		publish(crew, "other", "y");
	}
	crew_turn(crew, 0);
	kernel_has_room_again(crew);
	peer_expect(a, "x");
	peer_expect(a, "x");
	peer_expect_close(a, WS_CODE_TOO_SLOW);
	peer_close(&a);
}

static void
test_without_a_buffer_only_what_the_socket_takes(void **state)
{
	static const char *const queries[] = { "?topic=room&buffer=0",
		"?topic=room&buffer=0&overflow=latest" };
	struct crew *crew = *state;

	crew_start(crew, 1);
	for (int i = 0; i < 2; i++) {
		struct peer *a = peer_open(crew, 0, queries[i]);

		kernel_has_room(a, 5); /* m1, and a byte of m2 */
		publish_numbers(crew, 1, 4);
		kernel_has_room_again(crew);
		publish_numbers(crew, 5, 5);
		expect_numbers(a, 1, 2);
		expect_numbers(a, 5, 5);
		peer_expect_nothing(a);
		peer_close(&a);
		crew_run(crew);
	}
}

static void
test_at_most_so_many_bytes_wait(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct peer_frame frame;
	size_t size = 100000;
	char *text = xcalloc(1, size + 1);
	int count = 0;

	crew->ring_size = 4u << 20;
	crew->config.max_message = 128u << 10;
	crew_start(crew, 1);
	memset(text, 'x', size);
	a = peer_open(crew, 0, "?topic=room&buffer=1000");
	kernel_has_room(a, 0);
	for (int i = 0; i < 15; i++) {
		publish(crew, "room", text);
		crew_turn(crew, 0);
		assert_true(crew->w[0].net.budget.held[BUDGET_OUTPUT] <=
			    OVERFLOW_BYTES_MAX);
	}
	kernel_has_room_again(crew);
	CREW_UNTIL(crew, (peer_receive(a), a->conn->out == NULL));
	while (peer_next(a, &frame))
		count++;
	assert_int_equal(count, OVERFLOW_BYTES_MAX / (size + 10));
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS), 15 - count);
	free(text);
	peer_close(&a);
}

static void
test_worker_has_a_limit_of_its_own(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew->config.max_worker_memory = 53; /* 40 of them for output */
	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 0, "?topic=room");
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
	peer_expect_nothing(a);
	expect_numbers(b, 1, 9);
	peer_expect(b, "last and longest");
	peer_close(&a);
	peer_close(&b);
}

static void
test_answers_are_not_dropped(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=1&overflow=latest");
	kernel_has_room(a, 0);
	for (int i = 0; i < 20; i++) {
		peer_frame(a, WS_PING, "ping", 4);
		publish_numbers(crew, i, i);
	}
	kernel_has_room_again(crew);
	for (int i = 0; i < 20; i++) {
		assert_true(peer_next(a, &frame));
		assert_int_equal(frame.opcode, WS_PONG);
	}
	expect_numbers(a, 19, 19);
	peer_close(&a);
}

static void
test_who_does_not_read_its_answers_is_not_read(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	char payload[125] = { 0 };
	struct peer *a;
	uint64_t bytes;
	int pongs = 0, n = 0;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	kernel_has_room(a, 0);
	while ((a->conn->paused & PAUSE_ANSWERS) == 0) {
		peer_frame(a, WS_PING, payload, sizeof(payload));
		crew_turn(crew, 0);
		assert_in_range(++n, 1, 1000);
	}
	assert_in_range(n * 127, CONN_ANSWERS_MAX, CONN_ANSWERS_MAX + 2 * 127);
	bytes = crew_stat(crew, 0, STATS_BYTES_IN);
	peer_publish(a, "room", "hello");
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_BYTES_IN), bytes);
	kernel_has_room_again(crew);
	while (peer_next(a, &frame) && frame.opcode == WS_PONG)
		pongs++;
	assert_int_equal(pongs, n);
	assert_int_equal(frame.opcode, WS_TEXT);
	peer_close(&a);
}

static void
test_connection_lost_with_a_full_queue(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	kernel_has_room(a, 1);
	publish_numbers(crew, 1, 5);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 19);
	peer_close(&a);
	kernel_has_room_again(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 0);
}

/* Close frames wait in the queue like everything else. */
static void
test_closing_waits_for_a_slow_socket(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	kernel_has_room(a, 1);
	publish_numbers(crew, 1, 3);
	ws_close(a->conn, WS_CODE_GOING_AWAY, "bye");
	publish_numbers(crew, 4, 4); /* no subscriber any more */
	kernel_has_room_again(crew);
	expect_numbers(a, 1, 3);
	peer_expect_close(a, WS_CODE_GOING_AWAY);
	assert_true(a->eof);
	peer_close(&a);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, kernel_setup, crew_teardown)

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
};

SUITE_MAIN(tests);
