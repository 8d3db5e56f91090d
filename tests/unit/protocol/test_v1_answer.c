/* SPDX-License-Identifier: MIT */
/*
 * test_v1_answer.c - answers of pubsubd.v1 that no one sees from outside: what
 * waits where, and in which turn what is done.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The answer had the id, or any other bytes, of what had been read before. */
static void
test_bytes_that_are_no_text_have_no_id(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	peer_hold(a);
	talk(a, "{'type':'ping','id':'of the one before'}");
	peer_frame(a, WS_BINARY, "\xff", 1);
	peer_release(a);
	crew_run(crew);
	talk_expect(a, "{'type':'pong','id':'of the one before'}");
	talk_expect(a, "{'type':'error','code':'bad_json',"
		       "'reason':'the binary frame is not UTF-8'}");
	peer_close(&a);
}

/* A replay goes on while its connection's requests wait for the lock, and after
 * they have been done without a word to say. */
static void
test_lock_is_busy_during_a_replay(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;
	pid_t holder;

	a = talk_begin(crew, "room", 1500, 0, 0);
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

	a = talk_begin(crew, "room", 10, 3000, 0);
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
	a = talk_begin(crew, "room", 2000, 0, 0);
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

/* Resume behind the number that an ack to unsubscribe says: each number above
 * `seen' must come. */
static void
resume_behind(struct crew *crew, const struct peer_frame *ack, uint64_t seen,
    uint64_t last)
{
	struct peer *a = talk_open(crew, 0, "", 0);
	const char *seq = memmem(ack->data, ack->len, ",\"seq\":", 7);

	assert_non_null(seq);
	assert_int_equal(strtoull(seq + 7, NULL, 10), seen);
	talk(a,
	    "{'type':'subscribe','topic':'room','since':{'epoch':'$',"
	    "'seq':%" PRIu64 "}}",
	    seen);
	crew_run(crew);
	talk_expect_messages(a, "room", seen + 1, last);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* unsubscribe's number was that of the last message there was, also where the
 * client was never sent that: who resumed there lost it without a word. */
static void
test_leaving_says_what_one_was_sent(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?topic=room", 0);
	talk_publish(crew, "room", 3, 0);
	crew_run(crew);
	talk_expect_messages(a, "room", 1, 3);
	peer_hold(a);
	talk(a, "{'type':'publish','topic':'room','message':4}");
	talk(a, "{'type':'unsubscribe','id':2,'topic':'room'}");
	peer_release(a);
	talk_publish(crew, "room", 2, 0);
	crew_run(crew);
	assert_true(peer_next(a, &frame));
	resume_behind(crew, &frame, 3, 6);
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_leaving_in_the_middle_of_a_replay(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	uint64_t seen = 10;
	struct peer *a;

	a = talk_begin(crew, "room", 2000, 0, 0);
	talk(a, "{'type':'subscribe','topic':'room',"
		"'since':{'epoch':'$','seq':10}}");
	crew_turn(crew, 0);
	assert_int_equal(crew->w[0].replays.count, 1);
	talk(a, "{'type':'unsubscribe','id':'bye','topic':'room'}");
	crew_run(crew);
	while (peer_next(a, &frame) &&
	       memmem(frame.data, frame.len, "\"ack\"", 5) == NULL)
		seen++;
	assert_in_range(seen, 11, 1999);
	resume_behind(crew, &frame, seen, 2000);
	peer_close(&a);
}

/* What it was told that it missed is behind it, too. */
static void
test_leaving_behind_a_gap(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer_frame frame;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?topic=room&buffer=2", 4096);
	talk_publish(crew, "room", 12, 3000);
	crew_run(crew);
	assert_true(a->conn->blocked);
	talk(a, "{'type':'unsubscribe','id':'bye','topic':'room'}");
	crew_turn(crew, 0);
	talk_publish(crew, "room", 2, 0);
	do {
		crew_run(crew);
	} while (peer_receive(a) > 0);
	books_enter(&books, a);
	assert_int_equal(books.next, 13);
	assert_true(books.gaps > 0 && books.others == 1);
	memset(&frame, 0, sizeof(frame));
	a->at = 0;
	peer_expect_status(a, 101);
	while (peer_next(a, &frame))
		continue;
	resume_behind(crew, &frame, 12, 14);
	peer_close(&a);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, crew_mp_setup, crew_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_bytes_that_are_no_text_have_no_id),
	T(test_lock_is_busy_during_a_replay),
	T(test_live_while_requests_wait),
	T(test_histories_take_turns),
	T(test_past_costs),
	T(test_gap_of_an_earlier_life),
	T(test_long_answer_costs_no_message),
	T(test_leaving_says_what_one_was_sent),
	T(test_leaving_in_the_middle_of_a_replay),
	T(test_leaving_behind_a_gap),
};

SUITE_MAIN(tests);
