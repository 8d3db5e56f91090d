/* SPDX-License-Identifier: MIT */
/*
 * test_past.c - however many ask for the whole ring at once, a turn walks over
 * it for one of them, and for whoever asks for little.
 */

#include "tests/support/suite.h"
#include "tests/unit/crew.h"
#include "tests/unit/talk.h"

#define ASKING 5     /* connections */
#define MANY   40000 /* messages: two walks are too much for one turn */

static void
open_all(struct crew *crew, struct client *a[ASKING])
{
	crew->ring_size = 8u << 20;
	crew_start(crew, 1);
	talk_publish(crew, "room", MANY, 0);
	for (int i = 0; i < ASKING; i++)
		a[i] = talk_open(crew, 0, "", 0);
}

/* All ask for all.  Which of them is first is the kernel's affair. */
static void
ask_for_all(struct crew *crew, struct client *a[ASKING])
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
	struct client *a[ASKING], *little;

	open_all(crew, a);
	little = talk_open(crew, 0, "", 0);
	ask_for_all(crew, a);
	intake = &crew->w[0].intake;
	for (unsigned left = ASKING - 1; left > 0; left--) {
		const struct conn *next = intake->ops[0].conn;
		const struct conn *last = intake->ops[intake->count - 1].conn;

		assert_int_equal(intake->count, left);
		assert_int_equal(next->ops, 1);
		talk(little,
		    "{'type':'history','id':2,'topic':'room','limit':2}");
		crew_turn(crew, 0);
		assert_int_equal(next->ops, 0);
		assert_int_equal(last->ops, left > 1);
		/* Of those that came later it did not wait for any. */
		client_receive(little);
		talk_expect_start(little, "{'type':'history','id':2,");
	}
	assert_true(intake_empty(intake));
	for (int i = 0; i < ASKING; i++) {
		CREW_UNTIL(
		    crew, (client_receive(a[i]), a[i]->len > a[i]->at + 100));
		talk_expect(a[i],
		    "{'type':'ack','id':1,'topic':'room','epoch':'$',"
		    "'seq':%d,'replayed':%d,'recovered':true}",
		    MANY, MANY);
		client_close(&a[i]);
	}
	client_close(&little);
}

static void
test_what_was_put_off_is_counted(void **state)
{
	struct crew *crew = *state;
	struct client *a[ASKING];

	open_all(crew, a);
	ask_for_all(crew, a);
	for (unsigned left = ASKING - 1; left > 0; left--)
		crew_turn(crew, 0);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_PAST_DEFERRED), 4 + 3 + 2 + 1);
	for (int i = 0; i < ASKING; i++)
		client_close(&a[i]);
}

/* Who goes while its look waits is forgotten like anybody else. */
static void
test_gone_while_its_look_waits(void **state)
{
	struct crew *crew = *state;
	struct client *a[ASKING];

	open_all(crew, a);
	ask_for_all(crew, a);
	for (int i = 0; i < ASKING; i++) {
		conn_lost(a[i]->conn);
		client_close(&a[i]);
	}
	crew_turn(crew, 0);
	assert_true(intake_empty(&crew->w[0].intake));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_one_after_another_in_the_order_they_came),
	T(test_what_was_put_off_is_counted),
	T(test_gone_while_its_look_waits),
};

SUITE_MAIN(tests);
