/* SPDX-License-Identifier: MIT */
/*
 * test_intake_lock.c - what worker/requests/intake.h promises while somebody
 * else holds the ring's lock: a child takes it and stops itself, as a worker
 * does that is stopped from outside.
 */

#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "tests/unit/support/talk.h"

/* Let go of it, and let everybody do what had to wait. */
static void
lock_is_free(struct crew *crew, pid_t holder)
{
	crew_lock_is_free(holder);
	for (unsigned i = 0; i < crew->count; i++)
		CREW_UNTIL(crew, intake_empty(&crew->w[i].intake));
	crew_run(crew);
}

static void
test_without_the_lock_requests_wait(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 1, "?topic=room");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "x");
	crew_turns(crew, 0, 3);
	assert_false(intake_empty(&crew->w[0].intake));
	assert_true(crew_stat(crew, 0, STATS_LOCK_BUSY) > 0);
	peer_expect_nothing(b);
	lock_is_free(crew, holder);
	peer_expect(a, "x");
	peer_expect(b, "x");
	peer_close(&a);
	peer_close(&b);
}

static void
test_who_waits_for_the_lock_is_not_read(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint64_t bytes;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "1");
	crew_turn(crew, 0);
	bytes = crew_stat(crew, 0, STATS_BYTES_IN);
	peer_publish(a, "room", "2");
	crew_turns(crew, 0, 3);
	assert_int_equal(crew_stat(crew, 0, STATS_BYTES_IN), bytes);
	lock_is_free(crew, holder);
	peer_expect(a, "1");
	peer_expect(a, "2");
	peer_expect_nothing(a);
	peer_close(&a);
}

/* Otherwise the loop would find its socket readable all the time. */
static void
test_who_finds_the_intake_full_is_not_asked_again(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *asks, *events;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	asks = peer_connect(crew, 0, 0);
	events = peer_connect(crew, 0, 0);
	peer_send_string(
	    events, "GET /topics/e/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "a");
	crew_turn(crew, 0);
	crew->w[0].intake.used += INTAKE_BYTES_MAX;
	peer_publish(b, "room", "b");
	peer_send_string(
	    asks, "GET /topics/e HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_send_string(events, "what nobody looks at");
	crew_turn(crew, 0);
	assert_true(b->conn->paused & PAUSE_INTAKE);
	assert_true(asks->conn->paused & PAUSE_INTAKE);
	assert_int_equal(events->conn->paused, 0);
	crew->w[0].intake.used -= INTAKE_BYTES_MAX;
	lock_is_free(crew, holder);
	peer_expect(b, "a");
	peer_expect(b, "b");
	peer_expect_nothing(b);
	peer_expect_status(asks, 200);
	peer_close(&a);
	peer_close(&b);
	peer_close(&asks);
	peer_close(&events);
}

static void
test_handshake_with_topics_is_answered_when_subscribed(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	pid_t holder;

	crew_start(crew, 1);
	holder = crew_lock_is_held(crew);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, peer_handshake("?topic=room"));
	crew_turns(crew, 0, 3);
	peer_expect_nothing(a);
	lock_is_free(crew, holder);
	peer_receive(a);
	peer_expect_status(a, 101);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 1);
	peer_close(&a);
}

static void
test_others_go_on_without_the_lock(void **state)
{
	struct crew *crew = *state;
	struct peer *waits, *talks, *asks;
	struct peer_frame frame;
	pid_t holder;

	crew_start(crew, 1);
	waits = peer_open(crew, 0, "");
	talks = peer_open(crew, 0, "?topic=room");
	hand_publish(&crew->w[0].hub.ring,
	    hand_topic(&crew->w[0].hub.ring, "room"), "\"news\"");
	holder = crew_lock_is_held(crew);
	peer_publish(waits, "room", "x");
	peer_frame(talks, WS_PING, "?", 1);
	asks = peer_connect(crew, 0, 0);
	peer_send_string(
	    asks, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_turns(crew, 0, 3);
	assert_false(intake_empty(&crew->w[0].intake));
	assert_true(peer_next(talks, &frame));
	assert_int_equal(frame.opcode, WS_PONG);
	peer_expect(talks, "news");
	peer_expect_nothing(talks);
	peer_receive(asks);
	peer_expect_status(asks, 200);
	lock_is_free(crew, holder);
	peer_expect(talks, "x");
	peer_close(&waits);
	peer_close(&talks);
	peer_close(&asks);
}

static void
test_one_who_dies_waiting_for_the_lock(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 0, "?topic=room");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "last words");
	crew_turn(crew, 0);
	conn_abort(a->conn);
	crew_turns(crew, 0, 3);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 2);
	lock_is_free(crew, holder);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	peer_expect(b, "last words");
	peer_close(&a);
	peer_close(&b);
}

/* It leaves what it was told to do, but closes only when that is done. */
static void
test_one_who_is_closed_waiting_for_the_lock(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "x");
	peer_frame(a, WS_CLOSE, "\x03\xe8", 2);
	crew_turns(crew, 0, 3);
	peer_expect_nothing(a);
	lock_is_free(crew, holder);
	peer_expect(b, "x");
	peer_expect_close(a, 1000);
	assert_true(a->eof);
	peer_close(&a);
	peer_close(&b);
}

/* What was accepted goes out in a drain, also of one who has left since: it was
 * refused like a publish that had come too late. */
static void
test_one_who_dies_waiting_when_a_drain_begins(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start_for_drain(crew, 1, 10000);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "last words");
	crew_turn(crew, 0);
	crew_order(crew, RUN_DRAIN);
	conn_abort(a->conn);
	crew_turn(crew, 0);
	assert_true(crew->w[0].net.draining);
	lock_is_free(crew, holder);
	peer_expect(b, "last words");
	peer_close(&a);
	peer_close(&b);
}

/* Until it is had nothing is sealed, and who waits for it gets its answer. */
static void
test_a_drain_waits_for_the_lock(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	pid_t holder;

	crew_start_for_drain(crew, 1, 10000);
	a = talk_open(crew, 0, "", 0);
	holder = crew_lock_is_held(crew);
	talk(a, "{'type':'publish','id':1,'topic':'room','message':1}");
	crew_turn(crew, 0);
	crew_order(crew, RUN_DRAIN);
	crew_turns(crew, 0, 3);
	assert_int_equal(crew->w[0].drain.phase, DRAIN_STOP);
	lock_is_free(crew, holder);
	talk_expect_start(a, "{'type':'drain',");
	talk_expect_start(a, "{'type':'error','id':1,'code':'draining',");
	peer_close(&a);
}

/* A worker may be told to leave while another holds the lock. */
static void
test_leaving_with_requests_that_were_never_done(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 0, "?topic=room");
	holder = crew_lock_is_held(crew);
	peer_publish(a, "room", "x");
	peer_publish(b, "room", "y");
	crew_turn(crew, 0);
	conn_abort(a->conn);
	assert_int_equal(crew->w[0].intake.count, 2);
	mp_kill(holder);
	peer_close(&a);
	peer_close(&b);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, crew_mp_setup, crew_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_without_the_lock_requests_wait),
	T(test_who_waits_for_the_lock_is_not_read),
	T(test_who_finds_the_intake_full_is_not_asked_again),
	T(test_handshake_with_topics_is_answered_when_subscribed),
	T(test_others_go_on_without_the_lock),
	T(test_one_who_dies_waiting_for_the_lock),
	T(test_one_who_is_closed_waiting_for_the_lock),
	T(test_one_who_dies_waiting_when_a_drain_begins),
	T(test_a_drain_waits_for_the_lock),
	T(test_leaving_with_requests_that_were_never_done),
};

SUITE_MAIN(tests);
