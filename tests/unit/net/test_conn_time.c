/* SPDX-License-Identifier: MIT */
/* test_conn_time.c - how long a connection may take, and for what. */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/flush.h"
#include "worker/net/overflow.h"
#include "worker/ws/ws_conn.h"

#include <string.h>

#define TICKS(seconds) ((seconds)*1000u / WHEEL_TICK_MS)

static void
test_silent_websocket_is_pinged_then_cut(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	crew_ticks(crew, 0, TICKS(54) - 1);
	peer_expect_nothing(a);
	crew_ticks(crew, 0, 1);
	assert_true(peer_next(a, &frame));
	assert_int_equal(frame.opcode, WS_PING);
	assert_true(peer_next(b, &frame));
	crew_ticks(crew, 0, TICKS(3));
	peer_frame(b, WS_PONG, "", 0);
	crew_run(crew);
	crew_ticks(crew, 0, TICKS(3));
	peer_receive(a);
	assert_true(a->eof);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	crew_ticks(crew, 0, TICKS(50));
	peer_expect_nothing(b);
	peer_close(&a);
	peer_close(&b);
}

static void
test_talking_websocket_is_not_pinged(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	for (int i = 0; i < 10; i++) {
		crew_ticks(crew, 0, TICKS(53));
		peer_publish(a, "room", "still here");
		crew_run(crew);
		peer_expect(a, "still here");
		peer_expect_nothing(a);
	}
	peer_close(&a);
}

/*
 * Not to read one's answers is silence like any other.  Who is not read for
 * that reason counted as heard of, so a client that sent 64 KiB of pings and
 * never read a byte stayed for ever.
 */
static void
test_who_never_reads_its_answers_is_cut(void **state)
{
	struct crew *crew = *state;
	char payload[125] = { 0 };
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open_slow(crew, 0, "", 1);
	for (int i = 0; i < 1000 && a->conn->paused == 0; i++) {
		peer_frame(a, WS_PING, payload, sizeof(payload));
		crew_turn(crew, 0);
	}
	assert_int_equal(a->conn->paused, PAUSE_ANSWERS);
	crew_ticks(crew, 0, TICKS(59));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	crew_ticks(crew, 0, TICKS(60));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	peer_close(&a);
}

static void
test_over_the_rate_is_read_later(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.rate = 100;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_hold(a);
	for (int i = 0; i < 1000; i++)
		peer_publish(a, "room", "x");
	peer_release(a);
	crew_run(crew);
	assert_true(a->conn->paused & PAUSE_RATE);
	assert_in_range(crew_stat(crew, 0, STATS_MESSAGES_IN), 100, 300);
	assert_int_equal(crew_stat(crew, 0, STATS_RATE_PAUSES), 1);
	crew_ticks(crew, 0, TICKS(9) - 4);
	assert_in_range(crew_stat(crew, 0, STATS_MESSAGES_IN), 800, 999);
	crew_ticks(crew, 0, TICKS(3));
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 1000);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	for (int i = 0; i < 1000; i++)
		peer_expect(a, "x");
	peer_close(&a);
}

/* The look after the rate's pause left its own deadline, a quarter of a second,
 * to a connection that was closed for what it was read then. */
static void
test_closed_after_a_pause_it_has_its_time_to_read(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	char text[4000];

	crew->config.rate = 4;
	crew_start(crew, 1);
	memset(text, 'x', sizeof(text));
	text[3900] = '\0';
	a = peer_open_slow(crew, 0, "?topic=room", 1);
	b = peer_open(crew, 0, "");
	for (int i = 0; i < 4; i++)
		peer_publish(b, "room", text);
	for (int i = 0; i < 8; i++)
		peer_publish(a, "other", text);
	peer_frame(a, WS_TEXT, "bad", 3);
	crew_run(crew);
	assert_true(a->conn->blocked);
	assert_true(a->conn->paused & PAUSE_RATE);
	crew_ticks(crew, 0, TICKS(9));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 2);
	assert_int_equal(a->conn->state, CONN_CLOSING);
	CREW_UNTIL(crew, (peer_receive(a), a->eof));
	peer_close(&a);
	peer_close(&b);
}

static void
test_who_does_not_close_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	ws_close(a->conn, WS_CODE_GOING_AWAY, "bye");
	crew_run(crew);
	peer_expect_close(a, WS_CODE_GOING_AWAY);
	peer_publish(a, "room", "not looked at");
	crew_ticks(crew, 0, TICKS(4));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	crew_ticks(crew, 0, TICKS(2));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	peer_close(&a);
}

static void
test_request_that_never_comes(void **state)
{
	struct crew *crew = *state;
	struct peer *nothing, *half;

	crew_start(crew, 1);
	nothing = peer_connect(crew, 0, 0);
	half = peer_connect(crew, 0, 0);
	peer_send_string(half, "GET / HTTP/1.1\r\n");
	crew_run(crew);
	crew_ticks(crew, 0, TICKS(10) - 2);
	peer_receive(nothing);
	assert_false(nothing->eof);
	crew_ticks(crew, 0, 2);
	crew_run(crew);
	peer_expect_nothing(nothing);
	assert_true(nothing->eof);
	peer_receive(half);
	peer_expect_status(half, 408);
	assert_true(half->eof);
	peer_close(&nothing);
	peer_close(&half);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_silent_websocket_is_pinged_then_cut),
	T(test_talking_websocket_is_not_pinged),
	T(test_who_never_reads_its_answers_is_cut),
	T(test_over_the_rate_is_read_later),
	T(test_closed_after_a_pause_it_has_its_time_to_read),
	T(test_who_does_not_close_is_cut),
	T(test_request_that_never_comes),
};

SUITE_MAIN(tests);
