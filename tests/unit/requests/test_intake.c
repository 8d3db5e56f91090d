/* SPDX-License-Identifier: MIT */
/* test_intake.c - what worker/requests/intake.h promises, one test per promise.
 */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the protocol would do for a message. */
static void
publish(struct client *client, const char *topic, const char *json)
{
	struct worker *w = &client->crew->w[client->worker];
	const struct intake_request want = { .kind = INTAKE_PLAIN,
		.topic = topic,
		.topic_len = (uint8_t)strlen(topic),
		.body = json,
		.body_len = (uint32_t)strlen(json) };

	intake_add(w, client->conn, &want);
}

static void
subscribe(struct client *client, const char *topic)
{
	const struct intake_request want = { .kind = INTAKE_SUBSCRIBE,
		.topic = topic,
		.topic_len = (uint8_t)strlen(topic) };

	intake_add(&client->crew->w[client->worker], client->conn, &want);
}

static void
test_publisher_is_subscribed_first(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	client_publish(a, "room", "hello");
	crew_run(crew);
	client_expect(a, "hello");
	client_expect_nothing(a);
	client_close(&a);
}

static void
test_what_came_in_goes_out_in_the_same_turn(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	client_publish(a, "room", "hello");
	crew_turn(crew, 0);
	client_expect(a, "hello");
	client_close(&a);
}

static void
test_empty_topic_and_message(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic="); /* the first request of all */
	b = client_open(crew, 0, "");
	client_frame(b, WS_TEXT, "{}", 2);
	crew_run(crew);
	client_expect(a, "");
	client_expect(b, "");
	client_close(&a);
	client_close(&b);
}

static void
test_requests_are_done_in_the_order_they_came(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	b = client_open(crew, 0, "?topic=room");
	publish(b, "room", "\"1\"");
	publish(a, "room", "\"2\""); /* subscribes, too */
	publish(b, "room", "\"3\"");
	publish(b, "other", "\"4\"");
	publish(a, "room", "\"5\"");
	crew_run(crew);
	client_expect(b, "1");
	client_expect(b, "2");
	client_expect(b, "3");
	client_expect(b, "5");
	client_expect(b, "4"); /* of another topic: in any place */
	client_expect_nothing(b);
	client_expect(a, "2");
	client_expect(a, "3");
	client_expect(a, "5");
	client_expect_nothing(a);
	client_close(&a);
	client_close(&b);
}

static void
test_subscriber_joins_between_two_messages(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b, *c;

	crew_start(crew, 2);
	a = client_open(crew, 0, "");
	b = client_open(crew, 0, "");
	c = client_open(crew, 1, "?topic=room");
	publish(a, "room", "\"before\"");
	subscribe(b, "room");
	publish(a, "room", "\"after\"");
	crew_run(crew);
	client_expect(a, "before");
	client_expect(a, "after");
	client_expect(b, "after");
	client_expect_nothing(b);
	client_expect(c, "before");
	client_expect(c, "after");
	client_close(&a);
	client_close(&b);
	client_close(&c);
}

static void
test_workers_see_one_order(void **state)
{
	struct crew *crew = *state;
	struct client *clients[4];
	struct client_frame frame;
	char text[16], order[4][4096] = { "" };

	crew_start(crew, 2);
	for (unsigned i = 0; i < 4; i++)
		clients[i] = client_open(crew, i % 2, "?topic=room");
	for (int n = 0; n < 50; n++) {
		for (int i = 0; i < 4; i++) {
			snprintf(text, sizeof(text), "c%dn%d", i, n);
			client_publish(clients[i], "room", text);
		}
		crew_turn(crew, n % 3 == 0);
	}
	crew_run(crew);
	for (int i = 0; i < 4; i++) {
		int count = 0;

		while (client_next(clients[i], &frame)) {
			strncat(order[i], frame.data, frame.len);
			strcat(order[i], " ");
			count++;
		}
		assert_int_equal(count, 200);
		assert_string_equal(order[i], order[0]);
		client_close(&clients[i]);
	}
}

static void
test_only_workers_with_a_subscriber_are_woken(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew_start(crew, 2);
	a = client_open(crew, 0, "");
	b = client_open(crew, 1, "?topic=room");
	client_publish(a, "other", "x");
	crew_turn(crew, 0);
	assert_false(crew_is_rung(crew, 1));
	client_publish(a, "room", "x");
	crew_turn(crew, 0);
	assert_true(crew_is_rung(crew, 1));
	crew_run(crew);
	client_expect(b, "x");
	client_close(&a);
	client_close(&b);
}

static void
test_publish_of_one_who_died_meanwhile_goes_out(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	b = client_open(crew, 0, "?topic=room");
	publish(a, "room", "\"last words\"");
	publish(a, "nobody's", "\"more\"");
	publish(a, "room", "\"the end\"");
	conn_abort(a->conn);
	crew_run(crew);
	client_expect(b, "last words");
	client_expect(b, "the end");
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	client_close(&a);
	client_close(&b);
}

static void
test_publish_before_a_bad_message_goes_out(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	b = client_open(crew, 0, "?topic=room");
	client_publish(a, "room", "good");
	client_frame(a, WS_TEXT, "bad", 3);
	client_publish(a, "room", "not looked at");
	crew_run(crew);
	client_expect(b, "good");
	client_expect_nothing(b);
	client_expect_close(a, WS_CODE_POLICY);
	client_close(&a);
	client_close(&b);
}

/* Who leaves before it could be subscribed needs no slot of the directory. */
static void
test_subscribe_of_one_who_died_makes_no_topic(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	subscribe(a, "room");
	conn_abort(a->conn);
	crew_run(crew);
	assert_int_equal(atomic_load(&crew->t.seg.header->used), 0);
	client_close(&a);
}

static void
test_too_many_topics_close_the_connection(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;
	char topic[16];

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	b = client_open(crew, 0, "?topic=t7&topic=t8");
	for (unsigned i = 0; i < crew->config.max_topics_per_conn + 2; i++) {
		snprintf(topic, sizeof(topic), "t%u", i);
		client_publish(a, topic, topic);
	}
	crew_run(crew);
	client_expect(b, "t7");
	client_expect_nothing(b); /* neither t8, nor anything after it */
	client_expect_close(a, WS_CODE_POLICY);
	client_close(&a);
	client_close(&b);
}

static void
test_directory_full_closes_the_connection(void **state)
{
	struct crew *crew = *state;
	struct client *a, *b;

	crew->config.max_topics = 2;
	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=a&topic=b");
	b = client_open(crew, 0, "");
	client_publish(b, "c", "x");
	crew_run(crew);
	client_expect_close(b, WS_CODE_POLICY);
	client_publish(a, "b", "still here");
	crew_run(crew);
	client_expect(a, "still here");
	client_close(&a);
	client_close(&b);
}

static void
test_sealed_ring_takes_nothing(void **state)
{
	struct crew *crew = *state;
	struct client *a;

	crew_start(crew, 1);
	a = client_open(crew, 0, "?topic=room");
	hand_lock(&crew->w[0].ring);
	ring_seal(&crew->w[0].ring);
	ring_unlock(&crew->w[0].ring);
	client_publish(a, "room", "too late");
	crew_run(crew);
	client_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 0);
	assert_true(intake_empty(&crew->w[0].intake));
	client_close(&a);
}

/*
 * All requests of a turn are done before the first is answered.  The answer to
 * the first subscription found the second, and began to replay for it; the
 * answer to the second did so again, and the worker died of its own CHECK():
 * three frames of one client took down everybody's.
 */
static void
test_subscribing_twice_with_history_in_one_turn(void **state)
{
	static const char *const requests[] = {
		"{\"type\":\"subscribe\",\"topic\":\"room\",\"history\":5}",
		"{\"type\":\"unsubscribe\",\"topic\":\"room\"}",
		"{\"type\":\"subscribe\",\"topic\":\"room\",\"history\":5}",
	};
	struct crew *crew = *state;
	struct client *a, *b;
	struct client_frame frame;
	int count = 0;

	crew_start(crew, 1);
	a = client_open(crew, 0, "");
	client_publish(a, "room", "one");
	client_publish(a, "room", "two");
	crew_run(crew);
	b = client_open_v1(crew, 0, "");
	client_hold(b);
	for (int i = 0; i < 3; i++)
		client_frame(b, WS_TEXT, requests[i], strlen(requests[i]));
	client_release(b);
	crew_run(crew);
	while (client_next(b, &frame)) {
		assert_non_null(memmem(frame.data, frame.len,
		    count % 2 == 0 ? "\"one\"" : "\"two\"", 5));
		count++;
	}
	assert_int_equal(count, 4); /* each life has its own */
	client_close(&a);
	client_close(&b);
}

/* {} in as many frames as fit into what is read at once, after a handshake. */
static struct client *
open_with_burst(struct crew *crew, size_t frames)
{
	struct client *client = client_connect(crew, 0, 0);
	const char *head = client_handshake("");
	size_t head_len = strlen(head), len = head_len + frames * 8;
	char *data = malloc(len);

	assert_non_null(data);
	assert_true(len <= WORKER_READ_MAX);
	memcpy(data, head, head_len);
	for (size_t i = 0; i < frames; i++)
		memcpy(data + head_len + i * 8, "\x81\x82\0\0\0\0{}", 8);
	client_send(client, data, len);
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
	struct client *clients[6];
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
		client_close(&clients[i]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_publisher_is_subscribed_first),
	T(test_what_came_in_goes_out_in_the_same_turn),
	T(test_empty_topic_and_message),
	T(test_requests_are_done_in_the_order_they_came),
	T(test_subscriber_joins_between_two_messages),
	T(test_workers_see_one_order),
	T(test_only_workers_with_a_subscriber_are_woken),
	T(test_publish_of_one_who_died_meanwhile_goes_out),
	T(test_publish_before_a_bad_message_goes_out),
	T(test_subscribe_of_one_who_died_makes_no_topic),
	T(test_too_many_topics_close_the_connection),
	T(test_directory_full_closes_the_connection),
	T(test_sealed_ring_takes_nothing),
	T(test_subscribing_twice_with_history_in_one_turn),
	T(test_who_brings_more_than_a_turn_takes_waits),
};

SUITE_MAIN(tests);
