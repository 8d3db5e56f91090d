/* SPDX-License-Identifier: MIT */
/* test_replay.c - what worker/delivery/replay.h promises, one test per promise.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINCE "'since':{'epoch':'$','seq':%d}"

/* Let a client read all that there is for it. */
static void
read_all(struct crew *crew, struct peer *client)
{
	do
		crew_run(crew);
	while (peer_receive(client) > 0);
}

/* Start a worker with so many messages in "room", and a client that asks for
 * all of them; pad as for talk_publish(), sndbuf as for peer_connect(). */
static struct peer *
resume_all(struct crew *crew, unsigned count, size_t pad, int sndbuf)
{
	struct peer *a;

	a = talk_begin(crew, "room", count, pad, sndbuf);
	talk(a, "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	return a;
}

static void
test_resumes_and_goes_live(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 5, 0, 0);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 2);
	crew_run(crew);
	talk_expect(a,
	    "{'type':'ack','id':1,'topic':'room','epoch':'$','seq':5,"
	    "'replayed':3,'recovered':true}");
	talk_expect_messages(a, "room", 3, 5);
	talk_publish(crew, "room", 2, 0);
	crew_run(crew);
	talk_expect_messages(a, "room", 6, 7);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* Two lives of one subscription in one turn: the first one's replay was begun
 * for the second, and the second one's for it again, which aborted. */
static void
test_left_and_resumed_again_in_one_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 5, 0, 0);
	peer_hold(a);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 0);
	talk(a, "{'type':'unsubscribe','id':2,'topic':'room'}");
	talk(a, "{'type':'subscribe','id':3,'topic':'room'," SINCE "}", 4);
	peer_release(a);
	crew_run(crew);
	talk_expect_start(a, "{'type':'ack','id':1,");
	talk_expect_start(a, "{'type':'ack','id':2,");
	talk_expect(a,
	    "{'type':'ack','id':3,'topic':'room','epoch':'$','seq':5,"
	    "'replayed':1,'recovered':true}");
	talk_expect_messages(a, "room", 5, 5);
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_left_and_back_without_a_past_in_one_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 5, 0, 0);
	peer_hold(a);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 0);
	talk(a, "{'type':'unsubscribe','id':2,'topic':'room'}");
	talk(a, "{'type':'subscribe','id':3,'topic':'room'}");
	peer_release(a);
	crew_run(crew);
	talk_expect_start(a, "{'type':'ack','id':1,");
	talk_expect_start(a, "{'type':'ack','id':2,");
	talk_expect(
	    a, "{'type':'ack','id':3,'topic':'room','epoch':'$','seq':5}");
	peer_expect_nothing(a);
	peer_close(&a);
}

/* An answer in the queue made the replay wait for the socket, which had long
 * taken it when nobody came back to the replay. */
static void
test_answers_meanwhile_do_not_stop_it(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct books books = { .topic = "room", .next = 1 };

	a = resume_all(crew, 1500, 0, 0);
	crew_turn(crew, 0);
	crew_turn(crew, 0);
	talk(a, "{'type':'ping','id':1}");
	crew_turn(crew, 0);
	assert_true(crew_is_rung(crew, 0));
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.messages, 1500);
	assert_int_equal(books.others, 1);
	peer_close(&a);
}

/* Each request's number as its history says it, one after the other. */
static void
test_subscriptions_of_one_connection_at_once(void **state)
{
	struct crew *crew = *state;
	struct books books[8];
	struct peer *a;
	char topic[8][8];

	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	peer_hold(a);
	for (int i = 0; i < 8; i++) {
		snprintf(topic[i], sizeof(topic[i]), "room%d", i);
		books[i] = (struct books){ .topic = topic[i], .next = 1 };
		talk_publish(crew, topic[i], 300, 0);
		talk(a, "{'type':'subscribe','topic':'%s'," SINCE "}", topic[i],
		    0);
	}
	peer_release(a);
	crew_run(crew);
	for (int i = 0; i < 8; i++) {
		size_t at = a->at;

		books_enter(&books[i], a);
		assert_int_equal(books[i].messages, 300);
		if (i < 7)
			a->at = at;
	}
	peer_close(&a);
}

/* Of eight subscriptions each had 64 KiB queued at once, and of 128 topics that
 * made 4 MiB for one connection that does not read. */
static void
test_one_that_does_not_read_has_one_piece_queued(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	char topic[8];

	crew->ring_size = 1u << 20;
	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 4096);
	peer_hold(a);
	for (int i = 0; i < 8; i++) {
		snprintf(topic, sizeof(topic), "room%d", i);
		talk_publish(crew, topic, 30, 3000);
		talk(
		    a, "{'type':'subscribe','topic':'%s'," SINCE "}", topic, 0);
	}
	peer_release(a);
	for (int turn = 0; turn < 50; turn++) {
		crew_turn(crew, 0);
		assert_in_range(crew->w[0].net.budget.held[BUDGET_OUTPUT], 0,
		    REPLAY_TURN_BYTES + 4096);
	}
	assert_int_equal(crew->w[0].replays.count, 8);
	peer_close(&a);
}

/* The pieces of its subscriptions take turns. */
static void
test_no_subscription_waits_for_the_end_of_another(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	talk_publish(crew, "long", 2000, 0);
	talk_publish(crew, "short", 1, 0);
	a = talk_open(crew, 0, "", 0);
	peer_hold(a);
	talk(a, "{'type':'subscribe','topic':'long'," SINCE "}", 0);
	talk(a, "{'type':'subscribe','topic':'short'," SINCE "}", 0);
	peer_release(a);
	CREW_UNTIL(crew, crew->w[0].replays.count == 1);
	talk_expect_messages(a, "long", 1, 2);
	assert_int_equal(crew->w[0].replays.count, 1);
	crew_run(crew);
	assert_int_equal(crew->w[0].replays.count, 0);
	peer_close(&a);
}

/* Many connections: more than are served in a turn. */
static void
test_more_replays_than_fit_into_a_turn(void **state)
{
	enum { MANY = REPLAY_TURN_SUBS + 30 };
	struct crew *crew = *state;
	struct peer *a[MANY];

	crew_start(crew, 1);
	talk_publish(crew, "room", 600, 0);
	for (int i = 0; i < MANY; i++)
		a[i] = talk_open(crew, 0, "", 0);
	for (int i = 0; i < MANY; i++)
		talk(a[i], "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	crew_run(crew);
	for (int i = 0; i < MANY; i++) {
		struct books books = { .topic = "room", .next = 1 };

		books_enter(&books, a[i]);
		assert_int_equal(books.messages, 600);
		assert_int_equal(books.gaps, 0);
	}
	for (int i = 0; i < MANY; i++)
		peer_close(&a[i]);
}

/* A turn sends a piece, whatever there is. */
static void
test_turns_are_bounded(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;

	a = resume_all(crew, 2000, 0, 0);
	crew_turn(crew, 0);
	crew_turn(crew, 0);
	books_enter(&books, a);
	assert_in_range(books.messages, 1, 2 * REPLAY_TURN_RECORDS);
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.messages, 2000);
	peer_close(&a);
}

static void
test_present_replays_nothing(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 5, 0, 0);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 5);
	talk(a, "{'type':'subscribe','id':2,'topic':'new'," SINCE "}", 0);
	crew_run(crew);
	talk_expect(a,
	    "{'type':'ack','id':1,'topic':'room','epoch':'$','seq':5,"
	    "'replayed':0,'recovered':true}");
	talk_expect(a, "{'type':'ack','id':2,'topic':'new','epoch':'$','seq':0,"
		       "'replayed':0,'recovered':true}");
	peer_expect_nothing(a);
	assert_int_equal(crew->w[0].replays.count, 0);
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room", 6, 6);
	peer_close(&a);
}

static void
test_numbers_that_are_nobodys(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	a = talk_begin(crew, "room", 5, 0, 0);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 6);
	crew_run(crew);
	talk_expect(a,
	    "{'type':'ack','id':1,'topic':'room','epoch':'$','seq':5,"
	    "'replayed':0,'recovered':false}");
	talk_expect(a, "{'type':'gap','topic':'room','reason':'unknown'}");
	talk(a, "{'type':'unsubscribe','topic':'room'}");
	talk(a, "{'type':'subscribe','id':2,'topic':'room',"
		"'since':{'epoch':'other','seq':3}}");
	crew_run(crew);
	talk_expect(a,
	    "{'type':'ack','id':2,'topic':'room','epoch':'$','seq':5,"
	    "'replayed':0,'recovered':false}");
	talk_expect(a, "{'type':'gap','topic':'room','reason':'epoch'}");
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room", 6, 6);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* A recycled slot: its numbers go on above those of the life before, and those
 * of that life are nobody's. */
static void
test_earlier_life_of_a_slot(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.max_topics = 2;
	crew_start(crew, 1);
	talk_publish(crew, "first", 5, 0);
	talk_publish(crew, "second", 3, 0);
	talk_publish(crew, "third", 2, 0); /* recycles one of them */
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'subscribe','id':1,'topic':'third','history':9}");
	crew_run(crew);
	talk_expect(a,
	    "{'type':'ack','id':1,'topic':'third','epoch':'$','seq':7,"
	    "'replayed':2,'recovered':true}");
	talk_expect_messages(a, "third", 6, 7);
	talk(a, "{'type':'unsubscribe','topic':'third'}");
	talk(a, "{'type':'subscribe','id':2,'topic':'third'," SINCE "}", 4);
	crew_run(crew);
	talk_expect_start(a, "{'type':'ack','id':2,");
	talk_expect(a, "{'type':'gap','topic':'third','reason':'unknown'}");
	talk(a, "{'type':'unsubscribe','topic':'third'}");
	talk(a, "{'type':'subscribe','id':3,'topic':'third'," SINCE "}", 5);
	crew_run(crew);
	talk_expect_start(a, "{'type':'ack','id':3,");
	talk_expect_messages(a, "third", 6, 7);
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_what_the_ring_has_no_more(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 3 };
	struct peer *a;

	crew_start(crew, 1);
	talk_publish(crew, "room", 500, 1000); /* about 250 are left */
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'subscribe','id':1,'topic':'room'," SINCE "}", 2);
	crew_run(crew);
	talk_expect_start(a,
	    "{'type':'ack','id':1,'topic':'room','epoch':'$','seq':500,"
	    "'replayed':");
	read_all(crew, a);
	books_enter(&books, a);
	assert_int_equal(books.next, 501);
	assert_int_equal(books.gaps, 1);
	assert_string_equal(books.reason, "expired");
	assert_in_range(books.messages, 200, 300);
	peer_close(&a);
}

/* A slow one is overtaken by the writers while it replays. */
static void
test_overtaken_midway(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;

	a = resume_all(crew, 200, 1000, 4096);
	crew_run(crew);
	assert_int_equal(crew->w[0].replays.count, 1);
	for (int i = 0; i < 300; i++) {
		talk_publish(crew, "room", 1, 1000);
		crew_turn(crew, 0);
	}
	read_all(crew, a);
	books_enter(&books, a);
	assert_int_equal(books.next, 501);
	assert_in_range(books.gaps, 1, 2); /* of the first walk, and since */
	assert_string_equal(books.reason, "expired");
	assert_int_equal(crew->w[0].replays.count, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_LAPS), 0);
	peer_close(&a);
}

/* The worker itself is lapped while one replays. */
static void
test_worker_lapped_midway(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;

	a = resume_all(crew, 200, 1000, 4096);
	crew_run(crew);
	assert_int_equal(crew->w[0].replays.count, 1);
	talk_publish(crew, "room", 400, 1000);
	read_all(crew, a);
	talk_publish(crew, "room", 5, 0);
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.next, 606);
	assert_string_equal(books.reason, "lapped");
	assert_int_equal(crew_stat(crew, 0, STATS_LAPS), 1);
	peer_close(&a);
}

/* The seam: publishers at work in every turn. */
static void
test_joins_what_goes_on(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a, *b;

	crew_start(crew, 2);
	talk_publish(crew, "room", 400, 0);
	a = talk_open(crew, 0, "", 0);
	b = talk_open(crew, 1, "", 0);
	talk(a, "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	for (int i = 0; i < 200; i++) {
		talk(b, "{'type':'publish','topic':'room','message':%d}", i);
		crew_turn(crew, i % 3 == 0);
		crew_turn(crew, 1);
		books_enter(&books, a);
	}
	crew_run(crew);
	books_enter(&books, a);
	assert_int_equal(books.next, 601);
	assert_int_equal(books.messages, 600);
	peer_close(&a);
	peer_close(&b);
}

static void
test_cancelled_by_unsubscribe_and_by_close(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	a = talk_begin(crew, "room", 2000, 0, 0);
	b = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	talk(b, "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	crew_turn(crew, 0);
	assert_int_equal(crew->w[0].replays.count, 2);
	talk(a, "{'type':'unsubscribe','id':'bye','topic':'room'}");
	peer_close(&b);
	crew_run(crew);
	assert_int_equal(crew->w[0].replays.count, 0);
	for (struct peer_frame frame; peer_next(a, &frame);)
		if (frame.len > 15 &&
		    memcmp(frame.data, "{\"type\":\"ack\"", 13) == 0)
			break;
	peer_expect_nothing(a); /* the ack was the topic's last word */
	peer_close(&a);
}

/* From the start there is no room in the socket. */
static void
test_begun_on_a_full_socket(void **state)
{
	struct crew *crew = *state;
	struct books books = { .topic = "room", .next = 1 };
	struct peer *a;

	a = talk_begin(crew, "room", 100, 1000, 4096);
	for (int i = 0; i < 200; i++) {
		talk(a, "{'type':'ping','id':'%060d'}", i);
		crew_turn(crew, 0);
	}
	assert_true(a->conn->blocked);
	talk(a, "{'type':'subscribe','topic':'room'," SINCE "}", 0);
	read_all(crew, a);
	books_enter(&books, a);
	assert_int_equal(books.messages, 100);
	assert_int_equal(books.others, 200);
	assert_int_equal(crew->w[0].net.budget.held[BUDGET_OUTPUT], 0);
	peer_close(&a);
}

/* What an earlier run with a larger --max-message has left in the ring. */
static void
test_records_longer_than_messages_are_now(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.max_message = 256;
	a = resume_all(crew, 3, 4000, 0);
	crew_run(crew);
	talk_expect_messages(a, "room", 1, 3);
	peer_close(&a);
}

/* echo:false is about what is live: a replay brings one's own, too. */
static void
test_own_messages_are_replayed(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'publish','topic':'room','message':1}");
	talk(a, "{'type':'subscribe','topic':'room','history':1,'echo':false}");
	talk(a, "{'type':'publish','topic':'room','message':2}");
	crew_run(crew);
	talk_expect_messages(a, "room", 1, 1);
	talk(a, "{'type':'publish','topic':'room','message':3}");
	crew_run(crew);
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	for (struct peer_frame frame; peer_next(a, &frame);)
		assert_null(memmem(frame.data, frame.len, "\"seq\":3", 7));
	peer_close(&a);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_resumes_and_goes_live),
	T(test_left_and_resumed_again_in_one_turn),
	T(test_left_and_back_without_a_past_in_one_turn),
	T(test_answers_meanwhile_do_not_stop_it),
	T(test_subscriptions_of_one_connection_at_once),
	T(test_one_that_does_not_read_has_one_piece_queued),
	T(test_no_subscription_waits_for_the_end_of_another),
	T(test_more_replays_than_fit_into_a_turn),
	T(test_turns_are_bounded),
	T(test_present_replays_nothing),
	T(test_numbers_that_are_nobodys),
	T(test_earlier_life_of_a_slot),
	T(test_what_the_ring_has_no_more),
	T(test_overtaken_midway),
	T(test_worker_lapped_midway),
	T(test_joins_what_goes_on),
	T(test_cancelled_by_unsubscribe_and_by_close),
	T(test_begun_on_a_full_socket),
	T(test_records_longer_than_messages_are_now),
	T(test_own_messages_are_replayed),
};

SUITE_MAIN(tests);
