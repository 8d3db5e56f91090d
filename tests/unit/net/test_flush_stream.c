/* SPDX-License-Identifier: MIT */
/* test_flush_stream.c - what a slow connection gets is whole, however long. */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
publish(struct crew *crew, const char *text)
{
	struct ring *ring = &crew->w[0].hub.ring;

	hand_publish(ring, hand_topic(ring, "room"), text);
}

/* What arrived must be numbers that grow, each a whole frame.  Returns how
 * many; *last is the last one. */
static unsigned
count_growing(struct peer *client, long *last)
{
	struct peer_frame frame;
	unsigned count = 0;
	long number;

	*last = -1;
	while (peer_next(client, &frame)) {
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
	struct peer *a;
	unsigned got;
	long last;

	crew_start(crew, 1);
	a = peer_open(crew, 0, query);
	for (int i = 0; i < 5000; i++) {
		char text[1000];
		size_t len = 6 + (size_t)i % 900;

		snprintf(text, sizeof(text), "\"%06d", i);
		memset(text + 7, 'x', len - 6);
		strcpy(text + 1 + len, "\"");
		publish(crew, text);
		if (dice_below(&dice, 3) > 0)
			continue;
		peer_receive(a); /* the real one has its limits, too */
		kernel_has_room(a, dice_below(&dice, 2000));
		crew_turn(crew, 0);
		if (dice_below(&dice, 4) == 0)
			crew_turn(crew, 0);
	}
	crew_turn(crew, 0);
	kernel_plays_no_part();
	CREW_UNTIL(crew, (peer_receive(a), a->conn->out == NULL));
	got = count_growing(a, &last);
	assert_int_equal(crew_stat(crew, 0, STATS_LAPS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), got);
	assert_int_equal(got + crew_stat(crew, 0, STATS_DROPS), 5000);
	assert_true(crew_stat(crew, 0, STATS_DROPS) > 0);
	if (newest_arrives)
		assert_int_equal(last, 4999);
	peer_close(&a);
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
	struct peer *a, *b;
	struct peer_frame frame;
	char text[2000];
	int got = 0, fast = 0;

	crew_start(crew, 2);
	a = peer_open_slow(crew, 1, "?topic=room&buffer=100000", 1);
	b = peer_open(crew, 0, "?topic=room");
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 300; i++) {
		int len = 1000 + i * 3;

		text[len] = '\0';
		peer_publish(b, "room", text);
		text[len] = 'x';
		crew_run(crew);
		if (i % 50 == 0)
			peer_receive(a);
		while (peer_next(b, &frame))
			fast++;
	}
	assert_int_equal(fast, 300);
	assert_true(a->conn->blocked);
	CREW_UNTIL(crew, (peer_receive(a), a->conn->out == NULL));
	while (peer_next(a, &frame)) {
		assert_int_equal(frame.len, 1000 + got * 3);
		got++;
	}
	assert_int_equal(got, 300);
	peer_close(&a);
	peer_close(&b);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, kernel_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_slow_stream_is_whole_under_drop),
	T(test_slow_stream_is_whole_under_latest),
	T(test_slow_stream_is_whole_with_the_smallest_buffers),
	T(test_slow_stream_is_whole_without_a_buffer),
	T(test_real_socket_that_is_slow),
};

SUITE_MAIN(tests);
