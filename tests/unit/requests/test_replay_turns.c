/* SPDX-License-Identifier: MIT */
/*
 * test_replay_turns.c - however many ask for the whole ring at once, a turn
 * walks over it for one of them, and for whoever asks for little.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "tests/unit/support/talk.h"

#define ASKING 5     /* connections */
#define MANY   40000 /* messages: two walks are too much for one turn */

static void
open_all(struct crew *crew, struct peer *a[ASKING])
{
	crew->ring_size = 8u << 20;
	crew_start(crew, 1);
	talk_publish(crew, "room", MANY, 0);
	for (int i = 0; i < ASKING; i++)
		a[i] = talk_open(crew, 0, "", 0);
}

/* All ask for all.  Which of them is first is the kernel's affair. */
static void
ask_for_all(struct crew *crew, struct peer *a[ASKING])
{
	for (int i = 0; i < ASKING; i++)
		talk(a[i], "{'type':'subscribe','id':1,'topic':'room','since':"
			   "{'epoch':'$','seq':0}}");
	crew_turn(crew, 0);
	assert_int_equal(crew->w[0].intake.count, ASKING - 1);
}

static void
test_one_after_another_in_the_order_they_came(void **state)
{
	struct crew *crew = *state;
	const struct intake *intake;
	struct peer *a[ASKING], *little;

	open_all(crew, a);
	little = talk_open(crew, 0, "", 0);
	ask_for_all(crew, a);
	intake = &crew->w[0].intake;
	for (unsigned left = ASKING - 1; left > 0; left--) {
		const struct conn *next = intake->ops[0].conn;
		const struct conn *last = intake->ops[intake->count - 1].conn;

		assert_int_equal(intake->count, left);
		assert_int_equal(next->requests_pending, 1);
		talk(little,
		    "{'type':'history','id':2,'topic':'room','limit':2}");
		crew_turn(crew, 0);
		assert_int_equal(next->requests_pending, 0);
		assert_int_equal(last->requests_pending, left > 1);
		/* Of those that came later it did not wait for any. */
		peer_receive(little);
		talk_expect_start(little, "{'type':'history','id':2,");
	}
	assert_true(intake_empty(intake));
	for (int i = 0; i < ASKING; i++) {
		CREW_UNTIL(
		    crew, (peer_receive(a[i]), a[i]->len > a[i]->at + 100));
		talk_expect(a[i],
		    "{'type':'ack','id':1,'topic':'room','epoch':'$',"
		    "'seq':%d,'replayed':%d,'recovered':true}",
		    MANY, MANY);
		peer_close(&a[i]);
	}
	peer_close(&little);
}

static void
test_what_was_put_off_is_counted(void **state)
{
	struct crew *crew = *state;
	struct peer *a[ASKING];

	open_all(crew, a);
	ask_for_all(crew, a);
	for (unsigned left = ASKING - 1; left > 0; left--)
		crew_turn(crew, 0);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_PAST_DEFERRED), 4 + 3 + 2 + 1);
	for (int i = 0; i < ASKING; i++)
		peer_close(&a[i]);
}

#define DEEP_LOOK \
	"{'type':'history','id':1,'topic':'room','before':2,'limit':1}"

/* With 64 of them the worker read nobody any more: it served one in a turn, and
 * whoever asked for nothing but a pong waited for all. */
static void
test_a_crowd_that_looks_back_keeps_nobody_waiting(void **state)
{
	enum { CROWD = 200 };
	struct crew *crew = *state;
	struct peer *a[CROWD], *little, *asks;

	crew->ring_size = 8u << 20;
	little = talk_begin(crew, "room", MANY, 0, 0);
	asks = peer_connect(crew, 0, 0);
	for (int i = 0; i < CROWD; i++)
		a[i] = talk_open(crew, 0, "", 0);
	for (int i = 0; i < CROWD; i++)
		talk(a[i], DEEP_LOOK);
	crew_turns(crew, 0, 10);
	assert_in_range(crew->w[0].intake.count, CROWD / 2, CROWD);
	talk(little, "{'type':'ping','id':2}");
	peer_send_string(
	    asks, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_turn(crew, 0);
	talk_expect(little, "{'type':'pong','id':2}");
	peer_expect_status(asks, 200);
	for (int i = 0; i < CROWD; i++)
		peer_close(&a[i]);
	peer_close(&little);
	peer_close(&asks);
}

static void
test_what_was_put_off_takes_nobody_s_room(void **state)
{
	const struct intake_request want = { .kind = INTAKE_HISTORY,
		.topic = "room",
		.topic_len = 4,
		.has_before = true,
		.before = 2,
		.limit = 1 };
	struct crew *crew = *state;
	struct peer *a;

	crew->ring_size = 8u << 20;
	a = talk_begin(crew, "room", MANY, 0, 0);
	for (uint32_t i = 0; i < INTAKE_OPS_MAX + 2; i++)
		intake_add(a->conn, &want);
	assert_true(intake_full(&crew->w[0].intake));
	crew_turn(crew, 0);
	assert_true(crew->w[0].intake.count > INTAKE_OPS_MAX);
	assert_false(intake_full(&crew->w[0].intake));
	peer_close(&a);
}

/* Who goes while its look waits is forgotten like anybody else. */
static void
test_gone_while_its_look_waits(void **state)
{
	struct crew *crew = *state;
	struct peer *a[ASKING];

	open_all(crew, a);
	ask_for_all(crew, a);
	for (int i = 0; i < ASKING; i++) {
		conn_abort(a[i]->conn);
		peer_close(&a[i]);
	}
	crew_turn(crew, 0);
	assert_true(intake_empty(&crew->w[0].intake));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_one_after_another_in_the_order_they_came),
	T(test_what_was_put_off_is_counted),
	T(test_a_crowd_that_looks_back_keeps_nobody_waiting),
	T(test_what_was_put_off_takes_nobody_s_room),
	T(test_gone_while_its_look_waits),
};

SUITE_MAIN(tests);
