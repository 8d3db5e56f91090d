/* SPDX-License-Identifier: MIT */
/* test_intake.c - what worker/requests/intake.h promises, one test per promise.
 */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "tests/unit/support/talk.h"
#include "worker/net/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the protocol would do for a message. */
static void
publish(struct peer *client, const char *topic, const char *json)
{
	const struct intake_request want = { .kind = INTAKE_PLAIN,
		.topic = topic,
		.topic_len = (uint8_t)strlen(topic),
		.body = json,
		.body_len = (uint32_t)strlen(json) };

	intake_add(client->conn, &want);
}

static void
subscribe(struct peer *client, const char *topic)
{
	const struct intake_request want = { .kind = INTAKE_SUBSCRIBE,
		.topic = topic,
		.topic_len = (uint8_t)strlen(topic) };

	intake_add(client->conn, &want);
}

static void
test_publisher_is_subscribed_first(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_publish(a, "room", "hello");
	crew_run(crew);
	peer_expect(a, "hello");
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_what_came_in_goes_out_in_the_same_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	peer_publish(a, "room", "hello");
	crew_turn(crew, 0);
	peer_expect(a, "hello");
	peer_close(&a);
}

static void
test_empty_topic_and_message(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic="); /* the first request of all */
	b = peer_open(crew, 0, "");
	peer_frame(b, WS_TEXT, "{}", 2);
	crew_run(crew);
	peer_expect(a, "");
	peer_expect(b, "");
	peer_close(&a);
	peer_close(&b);
}

static void
test_requests_are_done_in_the_order_they_came(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	publish(b, "room", "\"1\"");
	publish(a, "room", "\"2\""); /* subscribes, too */
	publish(b, "room", "\"3\"");
	publish(b, "other", "\"4\"");
	publish(a, "room", "\"5\"");
	crew_run(crew);
	peer_expect(b, "1");
	peer_expect(b, "2");
	peer_expect(b, "3");
	peer_expect(b, "5");
	peer_expect(b, "4"); /* of another topic: in any place */
	peer_expect_nothing(b);
	peer_expect(a, "2");
	peer_expect(a, "3");
	peer_expect(a, "5");
	peer_expect_nothing(a);
	peer_close(&a);
	peer_close(&b);
}

/* What was found out for a message holds for the next one of the same client to
 * the same topic, and for no other. */
static void
test_messages_by_turns_go_where_they_belong(void **state)
{
	static const char *const sent[][3] = { { "a", "room", "1" },
		{ "a", "room", "2" }, { "b", "room", "3" },
		{ "b", "hall", "4" }, { "a", "hall", "5" },
		{ "a", "hall", "6" }, { "a", "room", "7" },
		{ "a", "room", "8" }, { "b", "roof", "9" } };
	struct crew *crew = *state;
	struct peer *a, *b, *room, *hall;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	room = peer_open(crew, 0, "?topic=room");
	hall = peer_open(crew, 0, "?topic=hall");
	for (size_t i = 0; i < COUNT(sent); i++) {
		char json[8];

		snprintf(json, sizeof(json), "\"%s\"", sent[i][2]);
		publish(sent[i][0][0] == 'a' ? a : b, sent[i][1], json);
	}
	crew_run(crew);
	peer_receive(room);
	peer_receive(hall);
	for (size_t i = 0; i < COUNT(sent); i++)
		if (strcmp(sent[i][1], "roof") != 0)
			peer_expect(
			    strcmp(sent[i][1], "room") == 0 ? room : hall,
			    sent[i][2]);
	peer_expect_nothing(room);
	peer_expect_nothing(hall);
	peer_close(&a);
	peer_close(&b);
	peer_close(&room);
	peer_close(&hall);
}

/* Between two plain messages the client has left the topic: the second one
 * subscribes it again. */
static void
test_a_plain_message_subscribes_again(void **state)
{
	const struct intake_request leave = {
		.kind = INTAKE_UNSUBSCRIBE, .topic = "room", .topic_len = 4
	};
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	publish(a, "room", "\"1\"");
	publish(a, "room", "\"2\"");
	intake_add(a->conn, &leave);
	publish(a, "room", "\"3\"");
	crew_run(crew);
	peer_receive(a);
	peer_expect(a, "3");
	peer_expect_nothing(a);
	assert_int_equal(crew->w[0].hub.subs.count, 1);
	peer_close(&a);
}

static void
test_subscriber_joins_between_two_messages(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *c;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	c = peer_open(crew, 1, "?topic=room");
	publish(a, "room", "\"before\"");
	subscribe(b, "room");
	publish(a, "room", "\"after\"");
	crew_run(crew);
	peer_expect(a, "before");
	peer_expect(a, "after");
	peer_expect(b, "after");
	peer_expect_nothing(b);
	peer_expect(c, "before");
	peer_expect(c, "after");
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}

static void
test_workers_see_one_order(void **state)
{
	struct crew *crew = *state;
	struct peer *clients[4];
	struct peer_frame frame;
	char text[16], order[4][4096] = { "" };

	crew_start(crew, 2);
	for (unsigned i = 0; i < 4; i++)
		clients[i] = peer_open(crew, i % 2, "?topic=room");
	for (int n = 0; n < 50; n++) {
		for (int i = 0; i < 4; i++) {
			snprintf(text, sizeof(text), "c%dn%d", i, n);
			peer_publish(clients[i], "room", text);
		}
		crew_turn(crew, n % 3 == 0);
	}
	crew_run(crew);
	for (int i = 0; i < 4; i++) {
		int count = 0;

		while (peer_next(clients[i], &frame)) {
			strncat(order[i], frame.data, frame.len);
			strcat(order[i], " ");
			count++;
		}
		assert_int_equal(count, 200);
		assert_string_equal(order[i], order[0]);
		peer_close(&clients[i]);
	}
}

static void
test_only_workers_with_a_subscriber_are_woken(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 1, "?topic=room");
	peer_publish(a, "other", "x");
	crew_turn(crew, 0);
	assert_false(crew_is_rung(crew, 1));
	peer_publish(a, "room", "x");
	crew_turn(crew, 0);
	assert_true(crew_is_rung(crew, 1));
	crew_run(crew);
	peer_expect(b, "x");
	peer_close(&a);
	peer_close(&b);
}

static void
test_publish_of_one_who_died_meanwhile_goes_out(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_open(crew, 0, "?topic=room");
	publish(a, "room", "\"last words\"");
	publish(a, "nobody's", "\"more\"");
	publish(a, "room", "\"the end\"");
	conn_abort(a->conn);
	crew_run(crew);
	peer_expect(b, "last words");
	peer_expect(b, "the end");
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	peer_close(&a);
	peer_close(&b);
}

static void
test_publish_before_a_bad_message_goes_out(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=room");
	peer_publish(a, "room", "good");
	peer_frame(a, WS_TEXT, "bad", 3);
	peer_publish(a, "room", "not looked at");
	crew_run(crew);
	peer_expect(b, "good");
	peer_expect_nothing(b);
	peer_expect_close(a, WS_CODE_POLICY);
	peer_close(&a);
	peer_close(&b);
}

/* Who leaves before it could be subscribed needs no slot of the directory. */
static void
test_subscribe_of_one_who_died_makes_no_topic(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	subscribe(a, "room");
	conn_abort(a->conn);
	crew_run(crew);
	assert_int_equal(atomic_load(&crew->t.seg.header->used), 0);
	peer_close(&a);
}

static void
test_too_many_topics_close_the_connection(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	char topic[16];

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "?topic=t7&topic=t8");
	for (unsigned i = 0; i < crew->config.max_topics_per_conn + 2; i++) {
		snprintf(topic, sizeof(topic), "t%u", i);
		peer_publish(a, topic, topic);
	}
	crew_run(crew);
	peer_expect(b, "t7");
	peer_expect_nothing(b); /* neither t8, nor anything after it */
	peer_expect_close(a, WS_CODE_POLICY);
	peer_close(&a);
	peer_close(&b);
}

static void
test_directory_full_closes_the_connection(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew->config.max_topics = 2;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=a&topic=b");
	b = peer_open(crew, 0, "");
	peer_publish(b, "c", "x");
	crew_run(crew);
	peer_expect_close(b, WS_CODE_POLICY);
	peer_publish(a, "b", "still here");
	crew_run(crew);
	peer_expect(a, "still here");
	peer_close(&a);
	peer_close(&b);
}

static void
test_sealed_ring_takes_nothing(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	hand_lock(&crew->w[0].hub.ring);
	ring_seal(&crew->w[0].hub.ring);
	ring_unlock(&crew->w[0].hub.ring);
	peer_publish(a, "room", "too late");
	crew_run(crew);
	peer_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 0);
	assert_true(intake_empty(&crew->w[0].intake));
	peer_close(&a);
}

/*
 * All requests of a turn are done before the first is answered.  The answer to
 * the first subscription found the second, and began to replay for it; the
 * answer to the second did so again, and the worker died of its own CHECK():
 * three frames of one client took down everybody's.
 */
/* Each answer let the next question in, and as long as there was one more the
 * 101 was held back, and with it all that was answered. */
static void
test_handshake_does_not_wait_for_what_is_behind_it(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	peer_hold(a);
	talk_handshake(a, "?topic=room");
	for (int i = 0; i < 3; i++)
		talk(a, "{'type':'history','id':%d,'topic':'room'}", i);
	peer_release(a);
	crew_turn(crew, 0);
	peer_expect_status(a, 101);
	for (int i = 0; i < 3; i++)
		crew_turn(crew, 0);
	talk_expect_start(a, "{'type':'welcome',");
	for (int i = 0; i < 3; i++)
		talk_expect_start(a, "{'type':'history','id':%d,", i);
	peer_close(&a);
}

static void
test_subscribing_twice_with_history_in_one_turn(void **state)
{
	static const char *const requests[] = {
		"{\"type\":\"subscribe\",\"topic\":\"room\",\"history\":5}",
		"{\"type\":\"unsubscribe\",\"topic\":\"room\"}",
		"{\"type\":\"subscribe\",\"topic\":\"room\",\"history\":5}",
	};
	struct crew *crew = *state;
	struct peer *a, *b;
	struct peer_frame frame;
	int count = 0;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_publish(a, "room", "one");
	peer_publish(a, "room", "two");
	crew_run(crew);
	b = peer_open_v1(crew, 0, "");
	peer_hold(b);
	for (int i = 0; i < 3; i++)
		peer_frame(b, WS_TEXT, requests[i], strlen(requests[i]));
	peer_release(b);
	crew_run(crew);
	while (peer_next(b, &frame)) {
		assert_non_null(memmem(frame.data, frame.len,
		    count % 2 == 0 ? "\"one\"" : "\"two\"", 5));
		count++;
	}
	assert_int_equal(count, 4); /* each life has its own */
	peer_close(&a);
	peer_close(&b);
}

/* {} in as many frames as fit into what is read at once, after a handshake. */
static struct peer *
open_with_burst(struct crew *crew, size_t frames)
{
	struct peer *client = peer_connect(crew, 0, 0);
	const char *head = peer_handshake("");
	size_t head_len = strlen(head), len = head_len + frames * 8;
	char *data = malloc(len);

	assert_non_null(data);
	assert_true(len <= IO_READ_MAX);
	memcpy(data, head, head_len);
	for (size_t i = 0; i < frames; i++)
		memcpy(data + head_len + i * 8, "\x81\x82\0\0\0\0{}", 8);
	peer_send(client, data, len);
	free(data);
	return client;
}

/* What wslay has read ahead when it is paused is told all the same. */
#define READ_AHEAD (4096u / 8)

/*
 * Whoever had asked for more than one thing was read on once for each, so that
 * it emptied what it had kept into an intake that was full.
 */
static void
test_who_brings_more_than_a_turn_takes_waits(void **state)
{
	struct crew *crew = *state;
	struct peer *clients[6];
	uint64_t total = 0;

	crew_start(crew, 1);
	for (int i = 0; i < 6; i++)
		clients[i] = open_with_burst(crew, 8000);
	for (int turn = 0; turn < 100; turn++) {
		crew_turn(crew, 0);
		assert_true(
		    crew->w[0].intake.count <= INTAKE_OPS_MAX + 6 * READ_AHEAD);
	}
	crew_run(crew);
	total = crew_stat(crew, 0, STATS_MESSAGES_IN);
	assert_int_equal(total, 6 * 8000);
	for (int i = 0; i < 6; i++)
		peer_close(&clients[i]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_publisher_is_subscribed_first),
	T(test_what_came_in_goes_out_in_the_same_turn),
	T(test_empty_topic_and_message),
	T(test_requests_are_done_in_the_order_they_came),
	T(test_messages_by_turns_go_where_they_belong),
	T(test_a_plain_message_subscribes_again),
	T(test_subscriber_joins_between_two_messages),
	T(test_workers_see_one_order),
	T(test_only_workers_with_a_subscriber_are_woken),
	T(test_publish_of_one_who_died_meanwhile_goes_out),
	T(test_publish_before_a_bad_message_goes_out),
	T(test_subscribe_of_one_who_died_makes_no_topic),
	T(test_too_many_topics_close_the_connection),
	T(test_directory_full_closes_the_connection),
	T(test_sealed_ring_takes_nothing),
	T(test_handshake_does_not_wait_for_what_is_behind_it),
	T(test_subscribing_twice_with_history_in_one_turn),
	T(test_who_brings_more_than_a_turn_takes_waits),
};

SUITE_MAIN(tests);
