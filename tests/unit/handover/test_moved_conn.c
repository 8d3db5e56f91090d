/* SPDX-License-Identifier: MIT */
/*
 * test_moved_conn.c - a connection in each state that can move, moved: what
 * worker/handover/conn_save.h and conn_restore.h promise.
 *
 * crew_succeed() looks whether what is written of the connection that was made is
 * what was written of the one before; here it is seen that its client notices
 * nothing.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "tests/unit/support/peer.h"
#include "tests/unit/support/talk.h"

#include <string.h>
#include <unistd.h>

#define SNDBUF 4096

/* Move all, and let what there is to do be done. */
static void
move(struct crew *crew)
{
	crew_succeed(crew);
	crew_run(crew);
}

static void
test_http_between_two_requests(void **state)
{
	struct crew *crew = *state;
	struct peer *idle, *half;

	crew_start(crew, 1);
	idle = peer_connect(crew, 0, 0);
	half = peer_connect(crew, 0, 0);
	peer_send_string(
	    idle, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_send_string(half, "GET /healthz HTTP/1.1\r\nHo");
	crew_run(crew);
	peer_expect_status(idle, 200);
	move(crew);
	idle->at = idle->len; /* behind the body */
	peer_send_string(
	    idle, "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_send_string(half, "st: localhost\r\n\r\n");
	crew_run(crew);
	peer_receive(idle);
	peer_expect_status(half, 200);
	assert_non_null(memmem(idle->got, idle->len, " 404 ", 5));
	peer_close(&idle);
	peer_close(&half);
}

static void
test_plain_websocket_with_its_topics(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&topic=hall");
	b = peer_open(crew, 0, "");
	crew_run(crew);
	move(crew);
	peer_publish(b, "room", "one");
	peer_publish(b, "hall", "two");
	crew_run(crew);
	peer_expect(a, "one");
	peer_expect(a, "two");
	peer_expect(b, "one");
	peer_expect(b, "two");
	peer_close(&a);
	peer_close(&b);
}

static void
test_v1_without_echo_and_with_a_number(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 3, 0, 0);
	talk(a, "{'type':'subscribe','topic':'room','echo':false}");
	crew_run(crew);
	move(crew);
	talk(a, "{'type':'publish','topic':'room','message':1}");
	crew_run(crew);
	talk(a, "{'type':'unsubscribe','id':9,'topic':'room'}");
	crew_run(crew);
	talk_expect(
	    a, "{'type':'ack','id':9,'topic':'room','epoch':'$','seq':4}");
	peer_expect_nothing(a);
	peer_close(&a);
}

/* Half a frame cannot move; what came behind a whole one can. */
static void
test_not_within_a_frame(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	peer_send(a, "\x81\x90\x00\x00\x00\x00{\"to", 10);
	crew_run(crew);
	assert_false(conn_is_at_rest(a->conn));
	peer_send(a, "pic\":\"room\"}", 12);
	crew_run(crew);
	assert_true(conn_is_at_rest(a->conn));
	peer_expect(a, "");
	peer_close(&a);
}

/* So many messages in the room. */
static void
say(struct crew *crew, unsigned count)
{
	talk_publish(crew, "room", count, 900);
	wakeup_ring(&crew->doorbells, 0);
	crew_run(crew);
}

/* A client that reads too little: messages wait, the first half sent, and some
 * are dropped. */
static void
fill_slow(void **state, const char *query, bool is_dropped)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *slow;
	uint64_t count = 0;

	crew_start(crew, 1);
	slow = talk_open(crew, 0, query, SNDBUF);
	talk(slow, "{'type':'subscribe','topic':'room'}");
	crew_run(crew);
	do {
		say(crew, 40);
		count += 40;
		peer_receive(slow);
		crew_run(crew);
		assert_true(count < 4000);
	} while (slow->conn->out == NULL || slow->conn->out->begun == 0 ||
		 (is_dropped && crew_stat(crew, 0, STATS_DROPS) == 0));
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS) > 0, is_dropped);
	crew_succeed(crew);
	say(crew, 5);
	count += 5;
	while (books.next <= count) {
		crew_run(crew);
		books_enter(&books, slow);
	}
	assert_int_equal(books.missed > 0, is_dropped);
	assert_int_equal(books.messages + books.missed, count);
	peer_close(&slow);
}

static void
test_full_queue_that_drops(void **state)
{
	fill_slow(state, "?buffer=64", true);
}

static void
test_full_queue_that_keeps_the_latest(void **state)
{
	fill_slow(state, "?buffer=64&overflow=latest", true);
}

static void
test_queue_that_would_close(void **state)
{
	fill_slow(state, "?buffer=1000&overflow=close", false);
}

static void
test_replay_that_is_under_way(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *late = talk_begin(crew, "room", 100, 900, SNDBUF);

	talk(late, "{'type':'subscribe','topic':'room','history':100}");
	crew_run(crew);
	assert_true(SLIST_FIRST(&client_of(late->conn)->subs)->replaying);
	crew_succeed(crew);
	talk_publish(crew, "room", 3, 0);
	wakeup_ring(&crew->doorbells, 0);
	while (books.next <= 103) {
		crew_run(crew);
		books_enter(&books, late);
	}
	assert_int_equal(books.messages, 103);
	peer_close(&late);
}

static void
test_answers_of_who_has_no_topic(void **state)
{
	struct crew *crew = *state;
	struct peer *asker = talk_begin(crew, "room", 20, 900, SNDBUF);

	for (int i = 1; i <= 3; i++)
		talk(asker, "{'type':'history','id':%d,'topic':'room'}", i);
	crew_run(crew);
	assert_non_null(asker->conn->out);
	crew_succeed(crew);
	for (int i = 1; i <= 3; i++) {
		struct peer_frame frame;

		while (!peer_next(asker, &frame))
			crew_run(crew);
		assert_non_null(memmem(frame.data, frame.len, "\"seq\":20", 8));
	}
	peer_close(&asker);
}

static void
test_event_stream(void **state)
{
	struct crew *crew = *state;
	struct peer *events;

	crew_start(crew, 1);
	events = peer_connect(crew, 0, 0);
	peer_send_string(events,
	    "GET /topics/room/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_expect_status(events, 200);
	move(crew);
	talk_publish(crew, "room", 1, 0);
	wakeup_ring(&crew->doorbells, 0);
	crew_run(crew);
	peer_receive(events);
	assert_non_null(memmem(events->got, events->len, "data: 1", 7));
	assert_int_equal(crew_stat(crew, 1, STATS_EVENT_STREAMS), 1);
	peer_close(&events);
}

static void
test_one_that_has_said_the_last_word(void **state)
{
	struct crew *crew = *state;
	struct peer *leaving;

	crew_start(crew, 1);
	leaving = peer_open(crew, 0, "?topic=room");
	peer_frame(leaving, WS_CLOSE, "\x03\xe8", 2);
	crew_run(crew);
	peer_expect_close(leaving, 1000);
	move(crew);
	assert_int_equal(crew->w[1].net.conns.count, 1);
	peer_close(&leaving);
	crew_run(crew);
	assert_int_equal(crew->w[1].net.conns.count, 0);
}

static void
test_pinged_one_is_cut_when_its_time_is_over(void **state)
{
	struct crew *crew = *state;
	struct peer *silent;
	uint32_t ticks = 0;

	crew_start(crew, 1);
	silent = peer_open(crew, 0, "");
	while (!silent->conn->pinged && ticks++ < 100000)
		crew_ticks(crew, 0, 1);
	assert_true(silent->conn->pinged);
	move(crew);
	for (ticks = 0; crew->w[1].net.conns.count > 0; ticks++)
		crew_ticks(crew, 1, 1);
	/* Not the whole time again. */
	assert_true(ticks * WHEEL_TICK_MS < crew->config.ping_interval_ms / 2);
	assert_int_equal(crew_stat(crew, 1, STATS_TIMEOUTS), 1);
	peer_close(&silent);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_http_between_two_requests),
	TEST(test_plain_websocket_with_its_topics),
	TEST(test_v1_without_echo_and_with_a_number),
	TEST(test_not_within_a_frame),
	TEST(test_full_queue_that_drops),
	TEST(test_full_queue_that_keeps_the_latest),
	TEST(test_queue_that_would_close),
	TEST(test_replay_that_is_under_way),
	TEST(test_answers_of_who_has_no_topic),
	TEST(test_event_stream),
	TEST(test_one_that_has_said_the_last_word),
	TEST(test_pinged_one_is_cut_when_its_time_is_over),
};

SUITE_MAIN(tests);
