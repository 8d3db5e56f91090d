/* SPDX-License-Identifier: MIT */
/*
 * test_floods.c - many small things sent at once cost their sender its own
 * rate: all are served in the end, and whoever else is there is served
 * meanwhile.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <stdio.h>
#include <string.h>

#define TICKS_OF_A_SECOND (1000u / WHEEL_TICK_MS)

/* Somebody else's message goes round in one turn. */
static void
bystander_is_served(struct crew *crew, struct peer *bystander)
{
	peer_publish(bystander, "elsewhere", "served");
	crew_turn(crew, 0);
	peer_receive(bystander);
	peer_expect(bystander, "served");
}

/* Take pongs until there are no more.  Returns how many. */
static unsigned
count_pongs(struct peer *client)
{
	struct peer_frame frame;
	unsigned count = 0;

	peer_receive(client);
	while (peer_next(client, &frame)) {
		assert_int_equal(frame.opcode, WS_PONG);
		count++;
	}
	return count;
}

static void
test_pings_have_a_rate_of_their_own(void **state)
{
	struct crew *crew = *state;
	struct peer *flood, *bystander;
	unsigned pongs;

	crew->config.control_rate = 40;
	crew_start(crew, 1);
	bystander = peer_open(crew, 0, "");
	flood = peer_open(crew, 0, "");
	peer_hold(flood);
	for (int i = 0; i < 120; i++)
		peer_frame(flood, WS_PING, "", 0);
	peer_release(flood);
	crew_run(crew);
	assert_int_equal(flood->conn->paused, PAUSE_RATE);
	assert_int_equal(crew_stat(crew, 0, STATS_CONTROL_PAUSES), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_RATE_PAUSES), 0);
	pongs = count_pongs(flood);
	assert_in_range(pongs, 40, 41);
	for (unsigned tick = 0; tick < TICKS_OF_A_SECOND; tick++) {
		bystander_is_served(crew, bystander);
		crew_ticks(crew, 0, 1);
	}
	pongs += count_pongs(flood);
	assert_in_range(pongs, 80, 90);
	crew_ticks(crew, 0, 2 * TICKS_OF_A_SECOND);
	pongs += count_pongs(flood);
	assert_int_equal(pongs, 120);
	crew_ticks(crew, 0, 2);
	assert_int_equal(flood->conn->paused, 0);
	peer_close(&flood);
	peer_close(&bystander);
}

/* Unasked pongs bring nothing back, but are no cheaper to read. */
static void
test_pongs_count_like_pings(void **state)
{
	struct crew *crew = *state;
	struct peer *flood;

	crew->config.control_rate = 40;
	crew_start(crew, 1);
	flood = peer_open(crew, 0, "");
	for (int i = 0; i < 50; i++)
		peer_frame(flood, WS_PONG, "", 0);
	crew_run(crew);
	assert_int_equal(flood->conn->paused, PAUSE_RATE);
	peer_close(&flood);
}

/* What a talkative library sends between its messages. */
static void
test_a_few_pings_cost_no_messages(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.rate = 10;
	crew->config.control_rate = 10;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	for (int i = 0; i < 9; i++) {
		peer_frame(a, WS_PING, "", 0);
		peer_publish(a, "room", "x");
	}
	crew_run(crew);
	assert_int_equal(a->conn->paused, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 9);
	peer_close(&a);
}

static void
test_empty_fragments_count_as_messages(void **state)
{
	struct crew *crew = *state;
	struct peer *flood, *bystander;
	const char start[] = "\x01\x80\0\0\0", more[] = "\0\x80\0\0\0";

	crew->config.rate = 40;
	crew_start(crew, 1);
	bystander = peer_open(crew, 0, "");
	flood = peer_open(crew, 0, "?topic=room");
	peer_hold(flood);
	peer_send(flood, start, 6);
	for (int i = 0; i < 118; i++)
		peer_send(flood, more, 6);
	/* The message is nothing but its last fragment: {} */
	peer_send(flood, "\x80\x82\0\0\0\0{}", 8);
	peer_release(flood);
	crew_run(crew);
	assert_int_equal(flood->conn->paused, PAUSE_RATE);
	assert_int_equal(crew_stat(crew, 0, STATS_RATE_PAUSES), 1);
	for (unsigned tick = 0; tick < TICKS_OF_A_SECOND; tick++) {
		bystander_is_served(crew, bystander);
		crew_ticks(crew, 0, 1);
	}
	assert_int_equal(
	    crew_stat(crew, 0, STATS_MESSAGES_IN), TICKS_OF_A_SECOND);
	crew_ticks(crew, 0, 2 * TICKS_OF_A_SECOND);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_MESSAGES_IN), TICKS_OF_A_SECOND + 1);
	peer_close(&flood);
	peer_close(&bystander);
}

/* Skip the responses that have come.  Returns how many. */
static unsigned
count_responses(struct peer *client)
{
	unsigned count = 0;

	peer_receive(client);
	while (client->at < client->len) {
		peer_expect_status(client, 200);
		assert_memory_equal(client->got + client->at, "ok\n", 3);
		client->at += 3;
		count++;
	}
	return count;
}

static void
ask_health(struct peer *client, unsigned times)
{
	peer_hold(client);
	for (unsigned i = 0; i < times; i++)
		peer_send_string(
		    client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	peer_release(client);
}

static void
test_pipelined_requests_take_turns(void **state)
{
	struct crew *crew = *state;
	struct peer *flood, *bystander;

	crew->config.max_pipelined = 4;
	crew_start(crew, 1);
	bystander = peer_open(crew, 0, "");
	flood = peer_connect(crew, 0, 0);
	ask_health(flood, 19);
	for (unsigned turn = 0; turn < 4; turn++) {
		bystander_is_served(crew, bystander);
		assert_int_equal(count_responses(flood), 4);
	}
	crew_turn(crew, 0);
	assert_int_equal(count_responses(flood), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_PIPELINE_WAITS), 4);
	crew_run(crew);
	peer_expect_nothing(flood);
	peer_close(&flood);
	peer_close(&bystander);
}

/* Forget what has come.  Returns how many refusals that were. */
static unsigned
count_refusals(struct peer *client)
{
	static const char head[] = "HTTP/1.1 400 ";
	unsigned count = 0;
	const char *at;

	peer_receive(client);
	while ((at = memmem(client->got + client->at, client->len - client->at,
		    head, sizeof(head) - 1)) != NULL) {
		client->at = (size_t)(at + sizeof(head) - 1 - client->got);
		count++;
	}
	client->at = client->len;
	return count;
}

/* Each body began a count of its own: of requests that are refused for theirs
 * any number was answered in a turn. */
static void
test_pipelined_bodies_take_turns(void **state)
{
	struct crew *crew = *state;
	struct peer *flood;

	crew->config.max_pipelined = 4;
	crew_start(crew, 1);
	flood = peer_connect(crew, 0, 0);
	peer_hold(flood);
	for (unsigned i = 0; i < 9; i++)
		peer_send_string(flood,
		    "POST /topics/x HTTP/1.1\r\nHost: localhost\r\n"
		    "Content-Type: application/json\r\n"
		    "Content-Length: 3\r\n\r\n{a}");
	peer_release(flood);
	for (unsigned turn = 0; turn < 2; turn++) {
		crew_turn(crew, 0);
		assert_int_equal(count_refusals(flood), 4);
	}
	crew_turn(crew, 0);
	assert_int_equal(count_refusals(flood), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_PIPELINE_WAITS), 2);
	peer_close(&flood);
}

static void
test_requests_count_as_messages(void **state)
{
	struct crew *crew = *state;
	struct peer *flood;
	unsigned served;

	crew->config.rate = 20;
	crew_start(crew, 1);
	flood = peer_connect(crew, 0, 0);
	ask_health(flood, 50);
	crew_run(crew);
	served = count_responses(flood);
	assert_int_equal(served, 20);
	assert_int_equal(crew_stat(crew, 0, STATS_RATE_PAUSES), 1);
	crew_ticks(crew, 0, TICKS_OF_A_SECOND);
	served += count_responses(flood);
	assert_int_equal(served, 40);
	crew_ticks(crew, 0, 2 * TICKS_OF_A_SECOND);
	served += count_responses(flood);
	assert_int_equal(served, 50);
	/* It is idle then, not late: the pause has left it its time. */
	crew_ticks(crew, 0, 60 * TICKS_OF_A_SECOND);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	ask_health(flood, 1);
	crew_run(crew);
	assert_int_equal(count_responses(flood), 1);
	peer_close(&flood);
}

/* Half a head that came with what was over the rate has its time, too, and no
 * more than that. */
static void
test_a_pause_gives_half_a_head_its_time(void **state)
{
	struct crew *crew = *state;
	struct peer *flood;

	crew->config.rate = 2;
	crew_start(crew, 1);
	flood = peer_connect(crew, 0, 0);
	ask_health(flood, 3);
	peer_send_string(flood, "GET /hea");
	crew_run(crew);
	crew_ticks(crew, 0, 5 * TICKS_OF_A_SECOND);
	assert_int_equal(count_responses(flood), 3);
	assert_false(flood->eof);
	crew_ticks(crew, 0, 6 * TICKS_OF_A_SECOND);
	peer_receive(flood);
	peer_expect_status(flood, 408);
	peer_close(&flood);
}

/* The operator's requests are not counted. */
static void
test_the_operator_has_no_rate(void **state)
{
	struct crew *crew = *state;
	struct peer *operator;

	crew->config.rate = 2;
	crew_start(crew, 1);
	operator= peer_connect_admin(crew, 0);
	ask_health(operator, 10);
	crew_run(crew);
	assert_int_equal(count_responses(operator), 10);
	peer_close(&operator);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_pings_have_a_rate_of_their_own),
	T(test_pongs_count_like_pings),
	T(test_a_few_pings_cost_no_messages),
	T(test_empty_fragments_count_as_messages),
	T(test_pipelined_requests_take_turns),
	T(test_pipelined_bodies_take_turns),
	T(test_requests_count_as_messages),
	T(test_a_pause_gives_half_a_head_its_time),
	T(test_the_operator_has_no_rate),
};

SUITE_MAIN(tests);
