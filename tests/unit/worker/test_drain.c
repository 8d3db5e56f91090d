/* SPDX-License-Identifier: MIT */
/* test_drain.c - what worker/drain.h promises, one test per promise. */

#include "common/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/drain.h"
#include "tests/unit/support/talk.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t
worker_state(const struct crew *crew, unsigned worker)
{
	return atomic_load(&crew->t.seg.workers[worker].state);
}

static enum drain_phase
phase(const struct crew *crew, unsigned worker)
{
	return crew->w[worker].drain.phase;
}

static bool
all_are_out(const struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		if (phase(crew, i) != DRAIN_OUT)
			return false;
	return true;
}

/* Wait for the worker to end the connection, as a client that then closes. */
static void
read_to_the_end(struct peer *client)
{
	CREW_UNTIL(client->crew, (peer_receive(client), client->eof));
	assert_int_equal(shutdown(client->fd, SHUT_WR), 0);
}

static void
test_nothing_is_drained_without_an_order(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	crew_run(crew);
	assert_false(crew->w[0].net.draining);
	assert_int_equal(worker_state(crew, 0), WORKER_READY);
	peer_close(&a);
}

static void
test_accepted_messages_come_before_the_close_frame(void **state)
{
	struct crew *crew = *state;
	struct peer *clients[4];
	char text[16];

	crew_start_for_drain(crew, 2, 10000);
	for (unsigned i = 0; i < 4; i++)
		clients[i] = peer_open(crew, i % 2, "?topic=room");
	for (int n = 0; n < 50; n++) {
		snprintf(text, sizeof(text), "m%d", n);
		peer_publish(clients[0], "room", text);
	}
	/* read, and not yet in the ring, when the order comes */
	ev_run(crew->w[0].net.loop, EVRUN_NOWAIT);
	assert_int_equal(crew->w[0].intake.count, 50);
	crew_order(crew, RUN_DRAIN);
	for (int i = 0; i < 4; i++)
		read_to_the_end(clients[i]);
	for (int i = 0; i < 4; i++) {
		for (int n = 0; n < 50; n++) {
			snprintf(text, sizeof(text), "m%d", n);
			peer_expect(clients[i], text);
		}
		peer_expect_close(clients[i], WS_CODE_GOING_AWAY);
	}
	CREW_UNTIL(crew, all_are_out(crew));
	assert_int_equal(crew_stat(crew, 0, STATS_CLOSED_CLEANLY), 2);
	assert_int_equal(crew_stat(crew, 1, STATS_CLOSED_CLEANLY), 2);
	assert_int_equal(crew_stat(crew, 0, STATS_CUT), 0);
	for (int i = 0; i < 4; i++)
		peer_close(&clients[i]);
}

static void
test_what_comes_after_the_order_is_not_taken(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start_for_drain(crew, 2, 10000);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 1, "?topic=room");
	crew_order(crew, RUN_DRAIN);
	crew_turn(crew, 0);
	peer_publish(a, "room", "too late");
	read_to_the_end(a);
	read_to_the_end(b);
	peer_expect_close(a, WS_CODE_GOING_AWAY);
	peer_expect_close(b, WS_CODE_GOING_AWAY);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 0);
	peer_close(&a);
	peer_close(&b);
}

/* The code that clients of both protocols see at a restart. */
static void
expect_restart_codes(struct crew *crew, unsigned plain, unsigned v1)
{
	struct peer *a, *b;
	struct peer_frame told;

	crew_start_for_drain(crew, 1, 10000);
	a = peer_open(crew, 0, "");
	b = peer_open_v1(crew, 0, "");
	crew_order(crew, RUN_DRAIN_RESTART);
	read_to_the_end(a);
	read_to_the_end(b);
	peer_expect_close(a, plain);
	assert_true(peer_next(b, &told)); /* when to come back */
	assert_int_equal(told.opcode, WS_TEXT);
	peer_expect_close(b, v1);
	peer_close(&a);
	peer_close(&b);
}

/* Several libraries take 1012 for a protocol error, so only who is known to
 * know it gets it. */
static void
test_restart_has_a_code_for_who_knows_it(void **state)
{
	expect_restart_codes(*state, WS_CODE_GOING_AWAY, WS_CODE_RESTART);
}

static void
test_restart_code_is_an_option(void **state)
{
	struct crew *crew = *state;

	crew->config.restart_code = WS_CODE_RESTART;
	expect_restart_codes(crew, WS_CODE_RESTART, WS_CODE_RESTART);
}

static void
test_sealed_when_all_have_stopped(void **state)
{
	struct crew *crew = *state;

	crew_start_for_drain(crew, 2, 10000);
	crew_order(crew, RUN_DRAIN);
	crew_turns(crew, 0, 5);
	assert_int_equal(worker_state(crew, 0), WORKER_STOPPED);
	assert_int_equal(worker_state(crew, 1), WORKER_READY);
	assert_int_equal(atomic_load(&crew->t.seg.header->sealed), 0);
	crew_turn(crew, 1);
	assert_true(crew_is_rung(crew, 0));
	crew_turn(crew, 0);
	assert_int_equal(atomic_load(&crew->t.seg.header->sealed), 1);
	CREW_UNTIL(crew, all_are_out(crew));
}

/* A worker that has been stopped from outside turns no more. */
static void
test_sealed_at_half_time_whoever_has_not_stopped(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint64_t until = crew_patience();

	crew_start_for_drain(crew, 2, 400);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 1, "?topic=room");
	peer_publish(b, "room", "too late");
	ev_run(crew->w[1].net.loop, EVRUN_NOWAIT);
	assert_int_equal(crew->w[1].intake.count, 1);
	crew_order(crew, RUN_DRAIN);
	while (peer_receive(a) == 0 && clock_monotonic_ms() < until)
		crew_turn(crew, 0);
	assert_in_range(clock_monotonic_ms(), crew->w[0].drain.began_ms + 200,
	    crew->w[0].drain.until_ms);
	peer_expect_close(a, WS_CODE_GOING_AWAY);

	/* It wakes up again: what it has, it may not publish any more. */
	CREW_UNTIL(crew, all_are_out(crew));
	assert_int_equal(crew_stat(crew, 1, STATS_MESSAGES_IN), 0);
	peer_close(&a);
	peer_close(&b);
}

static void
test_a_dead_worker_counts_as_stopped(void **state)
{
	struct crew *crew = *state;

	crew_start_for_drain(crew, 2, 10000);
	atomic_store(&crew->t.seg.workers[1].state, WORKER_GONE);
	crew_order(crew, RUN_DRAIN);
	crew_turns(crew, 0, 3);
	assert_int_equal(atomic_load(&crew->t.seg.header->sealed), 1);
}

static void
test_slow_subscribers_get_all_that_waits_for_them(void **state)
{
	struct crew *crew = *state;
	struct peer *slow, *b;
	struct peer_frame frame;
	char text[3000];
	int count = 0;

	crew_start_for_drain(crew, 1, 10000);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	slow = peer_open_slow(crew, 0, "?topic=room", 1);
	b = peer_open(crew, 0, "");
	for (int i = 0; i < 30; i++)
		peer_publish(b, "room", text);
	crew_run(crew);
	assert_true(slow->conn->blocked);
	crew_order(crew, RUN_DRAIN);
	peer_close(&b);
	read_to_the_end(slow);
	while (peer_next(slow, &frame) && frame.opcode == WS_TEXT)
		count++;
	assert_int_equal(count, 30);
	assert_int_equal(frame.opcode, WS_CLOSE);
	peer_close(&slow);
}

/* Each answer lets the next question in: the drain waited for a turn's end at
 * which there was none, until its time was over and all were cut. */
static void
test_questions_without_end_hold_nobody_up(void **state)
{
	struct crew *crew = *state;
	struct peer *asks, *says, *b;
	struct peer_frame frame;

	crew->config.drain_ms = 60000;
	asks = talk_begin(crew, "room", 1, 0, 0);
	says = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	peer_hold(asks);
	for (int i = 0; i < 500; i++)
		talk(asks, "{'type':'history','topic':'room','limit':1}");
	peer_release(asks);
	crew_turn(crew, 0);
	peer_publish(says, "room", "last");
	ev_run(crew->w[0].net.loop, EVRUN_NOWAIT); /* read, and not done */
	crew_order(crew, RUN_DRAIN);
	crew_turns(crew, 0, 10);
	peer_expect(b, "last");
	peer_expect_close(b, WS_CODE_GOING_AWAY);
	while (peer_next(asks, &frame) && frame.opcode != WS_CLOSE)
		;
	assert_int_equal(frame.opcode, WS_CLOSE);
	peer_close(&asks);
	peer_close(&says);
	peer_close(&b);
}

/* A file on its way is in the outbox in every turn; the drain waited for a turn
 * in which nothing was, until its time was over and all were cut. */
static void
test_a_download_holds_nobody_up(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *loads;

	crew_start_for_drain(crew, 1, 10000);
	crew_file(crew, "big", (size_t)1 << 40);
	loads = peer_connect(crew, 0, 0);
	peer_send_string(loads, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	a = peer_open(crew, 0, "?topic=room");
	crew_order(crew, RUN_DRAIN);
	for (int i = 0; i < 200 && peer_receive(a) == 0; i++) {
		peer_receive(loads);
		crew_turn(crew, 0);
	}
	peer_expect_close(a, WS_CODE_GOING_AWAY);
	assert_int_equal(loads->conn->state, CONN_OPEN);
	crew_order(crew, RUN_QUIT);
	peer_close(&a);
	peer_close(&loads);
}

/* Skip a body of so many bytes. */
static void
skip_body(struct peer *client, size_t size)
{
	CREW_UNTIL(client->crew,
	    (peer_receive(client), client->len - client->at >= size));
	client->at += size;
}

/* It was thrown away with the connection, which the file's end closed. */
static void
test_a_request_behind_a_download_is_answered(void **state)
{
	enum { SIZE = 1000000 };
	struct crew *crew = *state;
	struct peer *loads;

	crew->config.drain_ms = 10000;
	crew_start(crew, 1);
	crew_file(crew, "big", SIZE);
	loads = peer_connect(crew, 0, 0);
	for (int i = 0; i < 2; i++)
		peer_send_string(
		    loads, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew); /* as much of the first as its socket takes */
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	crew->w[0].drain.closing_ms -= DRAIN_ASK_MS;
	crew_turn(crew, 0);
	peer_expect_status(loads, 200);
	skip_body(loads, SIZE);
	peer_expect_status(loads, 200);
	skip_body(loads, SIZE);
	CREW_UNTIL(crew, (peer_receive(loads), loads->eof));
	assert_int_equal(loads->at, loads->len);
	peer_close(&loads);
}

/* What a request gets while a drain is on: it is the last of its connection. */
static void
expect_answer(struct crew *crew, const char *request, int status)
{
	struct peer *client = peer_connect(crew, 0, 0);

	peer_send_string(client, request);
	for (int i = 0; i < 10; i++) {
		crew_turn(crew, 0); /* the others are held up, maybe */
		peer_receive(client);
	}
	assert_true(client->eof);
	assert_non_null(
	    memmem(client->got, client->len, "\r\nConnection: close\r\n", 21));
	if (status == 503)
		assert_non_null(
		    memmem(client->got, client->len, "\r\nRetry-After: ", 15));
	peer_expect_status(client, status);
	peer_close(&client);
}

#define HTTP_1_1 " HTTP/1.1\r\nHost: localhost\r\n"
#define A_BODY   "Content-Length: 2\r\n\r\nhi"

/* Whatever needs nothing that a drain takes away is answered.  ready: what
 * /readyz gets. */
static void
expect_answers(struct crew *crew, int ready)
{
	expect_answer(crew, "GET /healthz" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "GET /readyz" HTTP_1_1 "\r\n", ready);
	expect_answer(crew, "GET /file" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "GET /topics" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "GET /topics/room" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "GET /topics/room/history" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "GET /topics/none" HTTP_1_1 "\r\n", 404);
	expect_answer(crew, "GET /topics/room/events" HTTP_1_1 "\r\n", 200);
	expect_answer(crew, "POST /topics/room" HTTP_1_1 A_BODY, 503);
	expect_answer(crew, peer_handshake(""), 503);
}

/* The same before and after connections begin to be closed, which the end of a
 * client that holds the drain up must not come before.  Who only wanted the page
 * was told 503 for as long as that took. */
static void
expect_answers_throughout(struct crew *crew, enum run_order order, int ready)
{
	struct peer *holder;

	crew_start_for_drain(crew, 2, 60000);
	crew_file(crew, "file", 10);
	holder = peer_open(crew, 0, "?topic=room");
	crew_order(crew, order);
	crew_turn(crew, 0); /* the other is held up */
	crew_turn(crew, 0);
	assert_int_equal(phase(crew, 0), DRAIN_SETTLE);
	expect_answers(crew, ready);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	expect_answers(crew, ready);
	assert_int_equal(phase(crew, 0), DRAIN_CLOSE);
	peer_close(&holder);
}

static void
test_requests_while_the_server_stops(void **state)
{
	expect_answers_throughout(*state, RUN_DRAIN, 503);
}

/* Its successor is ready at once: nobody needs to look for another server. */
static void
test_requests_while_it_restarts(void **state)
{
	expect_answers_throughout(*state, RUN_DRAIN_RESTART, 200);
}

/* It had been read, and waits for the ring's lock; it was told 503. */
static void
test_a_read_that_waits_is_answered(void **state)
{
	static const char *const reads[] = { "GET /topics" HTTP_1_1 "\r\n",
		"GET /topics/room/history" HTTP_1_1 "\r\n" };
	enum { COUNT = sizeof(reads) / sizeof(reads[0]) };
	struct crew *crew = *state;
	struct peer *clients[COUNT], *holder;
	pid_t locks;

	crew_start_for_drain(crew, 1, 60000);
	holder = peer_open(crew, 0, "?topic=room");
	crew_order(crew, RUN_DRAIN_RESTART);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	locks = crew_lock_is_held(crew);
	for (int i = 0; i < COUNT; i++) {
		clients[i] = peer_connect(crew, 0, 0);
		peer_send_string(clients[i], reads[i]);
	}
	crew->w[0].drain.closing_ms = 0;
	crew_turns(crew, 0, 3);
	crew_lock_is_free(locks);
	for (int i = 0; i < COUNT; i++) {
		CREW_UNTIL(crew, (peer_receive(clients[i]), clients[i]->eof));
		peer_expect_status(clients[i], 200);
		peer_close(&clients[i]);
	}
	peer_close(&holder);
}

static const char get_health[] =
    "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* None of these closes its end, as a shell with an open socket does not: they
 * were waited for until the time was over. */
static void
test_who_asks_nothing_is_not_waited_for(void **state)
{
	struct crew *crew = *state;
	struct peer *clients[3];

	crew_start_for_drain(crew, 1, 60000);
	for (int i = 0; i < 3; i++)
		clients[i] = peer_connect(crew, 0, 0);
	peer_send(clients[1], get_health, 10);
	peer_send_string(clients[2], get_health);
	crew_ticks(crew, 0, wheel_ticks(DRAIN_ASK_MS));
	peer_receive(clients[2]);
	peer_expect_status(clients[2], 200);
	crew_order(crew, RUN_DRAIN);
	crew_turn(crew, 0);
	CREW_UNTIL(crew, all_are_out(crew));
	assert_int_equal(crew_stat(crew, 0, STATS_CLOSED_CLEANLY), 3);
	for (int i = 0; i < 3; i++) {
		peer_receive(clients[i]);
		assert_true(clients[i]->eof && !clients[i]->reset);
		peer_close(&clients[i]);
	}
}

/* It has its answer, and was told that it is the last. */
static void
test_who_keeps_its_end_open_is_not_waited_for(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start_for_drain(crew, 2, 60000);
	crew_order(crew, RUN_DRAIN);
	crew_turn(crew, 0);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_turn(crew, 0);
	peer_expect_status(a, 503);
	crew_turn(crew, 0);
	assert_int_equal(a->conn->state, CONN_LINGER);
	crew_ticks(crew, 0, wheel_ticks(DRAIN_ASK_MS));
	CREW_UNTIL(crew, all_are_out(crew));
	assert_int_equal(crew_stat(crew, 0, STATS_CLOSED_CLEANLY), 1);
	peer_close(&a);
}

/* Its request had come, and was lost with the connection. */
static void
test_who_asks_in_the_last_moment_is_answered(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start_for_drain(crew, 1, 10000);
	a = peer_connect(crew, 0, 0);
	crew_ticks(crew, 0, wheel_ticks(DRAIN_ASK_MS));
	crew_order(crew, RUN_DRAIN);
	/* It comes when the sockets of this turn have been read. */
	ev_io_stop(crew->w[0].net.loop, &a->conn->io);
	peer_send_string(a, get_health);
	crew_turn(crew, 0);
	CREW_UNTIL(crew, peer_receive(a) > 0);
	peer_expect_status(a, 200);
	peer_close(&a);
}

static void
test_who_has_just_come_may_ask(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *half;

	crew_start_for_drain(crew, 1, 10000);
	a = peer_connect(crew, 0, 0);
	half = peer_connect(crew, 0, 0);
	peer_send(half, get_health, 10);
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	crew_turns(crew, 0, 3);
	peer_send_string(half, get_health + 10);
	peer_send_string(a, peer_handshake(""));
	crew_turn(crew, 0);
	peer_expect_status(half, 200);
	peer_expect_status(a, 503);
	peer_close(&half);
	peer_close(&a);
}

/* It was taken for one that may ask, having begun right before. */
static void
test_who_follows_events_has_nothing_to_ask(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew->config.drain_ms = 60000;
	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	b = peer_connect(crew, 0, 0);
	peer_send_string(
	    a, "GET /topics/x/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_expect_status(a, 200);
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	crew->w[0].drain.closing_ms = UINT64_MAX - DRAIN_ASK_MS; /* no end */
	CREW_UNTIL(crew, (peer_receive(a), a->eof));
	assert_int_equal(b->conn->state, CONN_OPEN); /* this one may */
	crew_order(crew, RUN_QUIT);
	peer_close(&a);
	peer_close(&b);
}

static void
test_a_head_without_end_holds_nobody_up(void **state)
{
	struct crew *crew = *state;
	struct peer *old, *newcomer;
	uint64_t until = crew_patience(), said_ms = 0;

	crew_start_for_drain(crew, 1, 60000);
	old = peer_connect(crew, 0, 0);
	crew_order(crew, RUN_DRAIN);
	crew_turn(crew, 0);
	newcomer = peer_connect(crew, 0, 0);
	peer_send(old, get_health, sizeof(get_health) - 3);
	peer_send(newcomer, get_health, sizeof(get_health) - 3);
	while (!all_are_out(crew)) {
		assert_true(clock_monotonic_ms() < until);
		if (clock_monotonic_ms() > said_ms) {
			(void)send(old->fd, "x", 1, MSG_NOSIGNAL);
			(void)send(newcomer->fd, "x", 1, MSG_NOSIGNAL);
		}
		said_ms = clock_monotonic_ms();
		crew_turn(crew, 0);
	}
	peer_close(&old);
	peer_close(&newcomer);
}

static void
test_at_the_deadline_the_rest_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *stays, *leaves;

	crew_start_for_drain(crew, 1, 300);
	stays = peer_open(crew, 0, "");
	leaves = peer_open(crew, 0, "");
	crew_order(crew, RUN_DRAIN);
	read_to_the_end(leaves);
	CREW_UNTIL(crew, all_are_out(crew));
	assert_true(clock_monotonic_ms() >= crew->w[0].drain.until_ms);
	assert_int_equal(crew_stat(crew, 0, STATS_CLOSED_CLEANLY), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_CUT), 1);
	peer_expect_close(stays, WS_CODE_GOING_AWAY);
	peer_close(&stays);
	peer_close(&leaves);
}

static void
test_quit_waits_for_nobody(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start_for_drain(crew, 2, 10000);
	a = peer_open(crew, 0, "");
	crew_order(crew, RUN_DRAIN);
	crew_turn(crew, 0);
	assert_int_not_equal(phase(crew, 0), DRAIN_OUT);
	crew_order(crew, RUN_QUIT);
	crew_turn(crew, 0);
	assert_int_equal(phase(crew, 0), DRAIN_OUT);
	peer_close(&a);
}

static void
test_orphans_drain_by_themselves(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start_for_drain(crew, 2, 10000);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 1, "?topic=room");
	peer_publish(a, "room", "hello");
	ev_run(crew->w[0].net.loop, EVRUN_NOWAIT); /* it has been read */
	close(crew->supervisor[1]);
	crew->supervisor[1] = -1;
	read_to_the_end(a);
	read_to_the_end(b);
	peer_expect(a, "hello");
	peer_expect_close(a, WS_CODE_GOING_AWAY);
	peer_expect(b, "hello");
	peer_expect_close(b, WS_CODE_GOING_AWAY);
	CREW_UNTIL(crew, all_are_out(crew));
	peer_close(&a);
	peer_close(&b);
}

/* Turns come as often as they like; the pace is one of time. */
static void
test_close_frames_at_a_pace(void **state)
{
	enum { COUNT = 400 };
	struct crew *crew = *state;
	struct peer *clients[COUNT];
	uint64_t began, took;

	crew_start_for_drain(crew, 1, 10000);
	for (int i = 0; i < COUNT; i++)
		clients[i] = peer_open(crew, 0, "");
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, phase(crew, 0) == DRAIN_CLOSE);
	began = clock_monotonic_ms();
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_WEBSOCKETS) == 0);
	took = clock_monotonic_ms() - began;
	assert_true(took + 2 >= COUNT / DRAIN_CLOSES_PER_MS);
	for (int i = 0; i < COUNT; i++) {
		peer_receive(clients[i]);
		peer_expect_close(clients[i], WS_CODE_GOING_AWAY);
		peer_close(&clients[i]);
	}
}

static void
test_short_of_time_the_pace_is_faster(void **state)
{
	enum { COUNT = 400 };
	struct crew *crew = *state;
	struct peer *clients[COUNT];

	crew_start_for_drain(crew, 1, 20);
	for (int i = 0; i < COUNT; i++)
		clients[i] = peer_open(crew, 0, "");
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, all_are_out(crew));
	for (int i = 0; i < COUNT; i++) {
		peer_receive(clients[i]);
		peer_expect_close(clients[i], WS_CODE_GOING_AWAY);
		peer_close(&clients[i]);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_nothing_is_drained_without_an_order),
	T(test_accepted_messages_come_before_the_close_frame),
	T(test_what_comes_after_the_order_is_not_taken),
	T(test_restart_has_a_code_for_who_knows_it),
	T(test_restart_code_is_an_option),
	T(test_sealed_when_all_have_stopped),
	T(test_sealed_at_half_time_whoever_has_not_stopped),
	T(test_a_dead_worker_counts_as_stopped),
	T(test_slow_subscribers_get_all_that_waits_for_them),
	T(test_questions_without_end_hold_nobody_up),
	T(test_a_download_holds_nobody_up),
	T(test_a_request_behind_a_download_is_answered),
	T(test_requests_while_the_server_stops),
	T(test_requests_while_it_restarts),
	cmocka_unit_test_setup_teardown(test_a_read_that_waits_is_answered,
	    crew_mp_setup, crew_mp_teardown),
	T(test_who_asks_nothing_is_not_waited_for),
	T(test_who_keeps_its_end_open_is_not_waited_for),
	T(test_who_asks_in_the_last_moment_is_answered),
	T(test_who_has_just_come_may_ask),
	T(test_who_follows_events_has_nothing_to_ask),
	T(test_a_head_without_end_holds_nobody_up),
	T(test_at_the_deadline_the_rest_is_cut),
	T(test_quit_waits_for_nobody),
	T(test_orphans_drain_by_themselves),
	T(test_close_frames_at_a_pace),
	T(test_short_of_time_the_pace_is_faster),
};

SUITE_MAIN(tests);
