/* SPDX-License-Identifier: MIT */
/*
 * test_v1_answer.c - answers of pubsubd.v1 that no one sees from outside: what
 * waits where, and in which turn what is done.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A replay goes on while its connection's requests wait for the lock, and after
 * they have been done without a word to say. */
static void
test_lock_is_busy_during_a_replay(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;
	pid_t holder;

	crew_start(crew, 1);
	talk_publish(crew, "room", 1500, 0);
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'subscribe','topic':'room',"
		"'since':{'epoch':'$','seq':0}}");
	crew_turn(crew, 0);
	holder = crew_lock_is_held(crew);
	talk(a, "{'type':'publish','topic':'other','message':1}");
	talk(a, "{'type':'ping','id':1}");
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.messages, 1500);
	assert_int_equal(books.others, 0); /* the pong waits */
	crew_lock_is_free(holder);
	CREW_UNTIL(crew, intake_empty(&crew->w[0].intake));
	crew_run(crew);
	talk_expect(a, "{'type':'pong','id':1}");
	peer_close(&a);
}

/* Requests that were held back a turn had the live messages meanwhile queued,
 * and dropped as slow where ?buffer= had no room. */
static void
test_live_while_requests_wait(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?topic=room&buffer=0", 0);
	peer_hold(a);
	for (int i = 0; i < 20; i++)
		talk(a, "{'type':'history','id':%d,'topic':'other'}", i);
	peer_release(a);
	for (int i = 0; i < 20; i++) {
		talk_publish(crew, "room", 1, 0);
		crew_turn(crew, 0);
	}
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.messages, 20);
	assert_int_equal(books.others, 20);
	peer_close(&a);
}

/* One look into the past per turn and connection. */
static void
test_histories_take_turns(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct peer_frame frame;

	crew_start(crew, 1);
	talk_publish(crew, "room", 10, 3000);
	a = talk_open(crew, 0, "", 0);
	peer_hold(a);
	for (int i = 0; i < 5; i++)
		talk(a, "{'type':'history','id':%d,'topic':'room'}", i);
	peer_release(a);
	for (int i = 0; i < 5; i++) {
		crew_turn(crew, 0);
		talk_expect_start(a, "{'type':'history','id':%d,", i);
		assert_false(peer_next(a, &frame));
	}
	peer_close(&a);
}

/* A walk over the ring counts against the rate. */
static void
test_past_costs(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.rate = 20;
	crew_start(crew, 1);
	talk_publish(crew, "room", 2000, 0);
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'history','id':1,'topic':'room','before':2}");
	crew_run(crew);
	talk_expect_start(a, "{'type':'history','id':1,");
	talk(a, "{'type':'ping','id':2}");
	crew_run(crew);
	peer_expect_nothing(a); /* 2,000 looks are over 20 messages */
	crew_ticks(crew, 0, wheel_ticks(3000));
	crew_run(crew);
	talk_expect(a, "{'type':'pong','id':2}");
	peer_close(&a);
}

/* What waits of a topic that was left is not told as a gap of the life that
 * comes after. */
static void
test_gap_of_an_earlier_life(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct peer_frame frame;
	bool again = false;
	uint64_t next = 0;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?topic=room&buffer=4&overflow=latest", 4096);
	talk_publish(crew, "room", 6, 3000);
	crew_run(crew);
	assert_true(a->conn->blocked);
	peer_hold(a);
	talk(a, "{'type':'unsubscribe','id':'bye','topic':'room'}");
	talk(a, "{'type':'subscribe','id':'again','topic':'room'}");
	peer_release(a);
	crew_turn(crew, 0);
	talk_publish(crew, "room", 20, 3000);
	do {
		crew_run(crew);
	} while (peer_receive(a) > 0);
	while (peer_next(a, &frame)) {
		unsigned long long from = 0, to = 0;
		char text[200];

		snprintf(
		    text, sizeof(text), "%.*s", (int)frame.len, frame.data);
		if (strstr(text, "\"id\":\"again\"") != NULL) {
			again = true;
			next =
			    strtoull(strstr(text, "\"seq\":") + 6, NULL, 10) +
			    1;
			continue;
		}
		if (!again) {
			assert_null(strstr(text, "\"to\":7"));
			continue;
		}
		if (sscanf(text,
			"{\"type\":\"gap\",\"topic\":\"room\",\"from\":%llu,"
			"\"to\":%llu",
			&from, &to) != 2) {
			const char *seq = strstr(text, "\"seq\":");

			assert_non_null(seq);
			from = to = strtoull(seq + 6, NULL, 10);
		}
		assert_int_equal(from, next);
		next = to + 1;
	}
	assert_int_equal(next, 27);
	peer_close(&a);
}

/* An answer of any length does not take the room of messages. */
static void
test_long_answer_costs_no_message(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "live", .next = 1 };
	struct peer *a;

	crew->ring_size = 4u << 20;
	crew_start(crew, 1);
	talk_publish(crew, "past", 500, 3000);
	a = talk_open(crew, 0, "?topic=live", 4096);
	talk(a, "{'type':'history','id':1,'topic':'past'}");
	crew_run(crew);
	assert_in_range(
	    crew->w[0].net.budget.held[BUDGET_OUTPUT], 900000, 1100000);
	talk_publish(crew, "live", 100, 100);
	do {
		crew_run(crew);
	} while (peer_receive(a) > 0);
	books_enter(&books, a);
	assert_int_equal(books.messages, 100);
	assert_int_equal(books.others, 1);
	assert_int_equal(crew->w[0].net.budget.held[BUDGET_OUTPUT], 0);
	peer_close(&a);
}

/* unsubscribe's number is that of the last message there was. */
static void
test_leaving_counts_what_was_published(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?topic=room", 0);
	peer_hold(a);
	talk(a, "{'type':'publish','id':1,'topic':'room','message':1}");
	talk(a, "{'type':'unsubscribe','id':2,'topic':'room'}");
	peer_release(a);
	crew_run(crew);
	talk_expect(
	    a, "{'type':'ack','id':1,'topic':'room','epoch':'$','seq':1}");
	talk_expect(
	    a, "{'type':'ack','id':2,'topic':'room','epoch':'$','seq':1}");
	peer_expect_nothing(a);
	peer_close(&a);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, crew_mp_setup, crew_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_lock_is_busy_during_a_replay),
	T(test_live_while_requests_wait),
	T(test_histories_take_turns),
	T(test_past_costs),
	T(test_gap_of_an_earlier_life),
	T(test_long_answer_costs_no_message),
	T(test_leaving_counts_what_was_published),
};

SUITE_MAIN(tests);
