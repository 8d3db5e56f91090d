/* SPDX-License-Identifier: MIT */
/* test_tail.c - what worker/delivery/tail.h promises, one test per promise. */

#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Put messages "first" to "last" of this length into the ring. */
static void
publish_numbers(
    struct crew *crew, const char *topic, int first, int last, int len)
{
	struct ring *ring = &crew->w[0].hub.ring;
	uint32_t slot = hand_topic(ring, topic);
	char *json = xmalloc((size_t)len + 3);

	for (int i = first; i <= last; i++) {
		snprintf(json, (size_t)len + 3, "\"%0*d\"", len, i);
		hand_publish(ring, slot, json);
	}
	free(json);
}

/* Take in all that has come, numbers that grow by one from first on.  Returns
 * the one that would come next. */
static int
expect_numbers(struct peer *client, int first)
{
	struct peer_frame frame;

	while (peer_next(client, &frame)) {
		char text[32] = { 0 };
		size_t tail = frame.len < 8 ? frame.len : 8;

		memcpy(text, frame.data + frame.len - tail, tail);
		assert_int_equal(strtol(text, NULL, 10), first);
		first++;
	}
	return first;
}

static void
test_starts_at_the_head(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "?topic=room");
	publish_numbers(crew, "room", 1, 5, 10);
	b = peer_open(crew, 1, "?topic=room");
	publish_numbers(crew, "room", 6, 7, 10);
	crew_run(crew);
	assert_int_equal(expect_numbers(a, 1), 8);
	assert_int_equal(expect_numbers(b, 6), 8);
	peer_close(&a);
	peer_close(&b);
}

/* While nobody here wants anything, what is published is not even looked at,
 * and cannot lap. */
static void
test_without_subscribers_nothing_is_missed(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	publish_numbers(crew, "room", 1, 9000, 100); /* three rings full */
	b = peer_open(crew, 1, "?topic=room");
	publish_numbers(crew, "room", 9001, 9002, 10);
	crew_run(crew);
	assert_int_equal(expect_numbers(b, 9001), 9003);
	assert_int_equal(crew_stat(crew, 1, STATS_LAPS), 0);
	peer_close(&a);
	peer_close(&b);
}

static void
test_a_turn_takes_so_many_records(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	int next;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	publish_numbers(crew, "room", 0, 2499, 10);
	crew_turn(crew, 0);
	next = expect_numbers(a, 0);
	assert_int_equal(next, TAIL_TURN_RECORDS);
	assert_true(crew_is_rung(crew, 0)); /* there is more */
	crew_turn(crew, 0);
	next = expect_numbers(a, next);
	assert_int_equal(next, 2 * TAIL_TURN_RECORDS);
	crew_run(crew);
	assert_int_equal(expect_numbers(a, next), 2500);
	assert_false(crew_is_rung(crew, 0));
	peer_close(&a);
}

static void
test_a_turn_takes_so_many_bytes(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->ring_size = 2u << 20;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room&buffer=1000");
	publish_numbers(crew, "room", 0, 299, 4000);
	crew_turn(crew, 0);
	assert_in_range(
	    crew_stat(crew, 0, STATS_MESSAGES_OUT) + a->conn->out->messages,
	    100, TAIL_TURN_BYTES / 4000);
	CREW_UNTIL(crew,
	    (peer_receive(a), crew_stat(crew, 0, STATS_MESSAGES_OUT) == 300));
	crew_run(crew);
	assert_int_equal(expect_numbers(a, 0), 300);
	peer_close(&a);
}

static void
test_a_record_larger_than_a_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	int next = 1;

	crew->config.max_message = TAIL_TURN_BYTES + 100000;
	crew->ring_size = 16u << 20;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	for (int i = 1; i <= 3; i++) {
		publish_numbers(crew, "room", i, i, TAIL_TURN_BYTES + 50000);
		CREW_UNTIL(crew, (next = expect_numbers(a, next)) == i + 1);
	}
	peer_close(&a);
}

static void
test_lapped_worker_counts_and_goes_on(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *idle;
	uint64_t missed;

	crew_start(crew, 2);
	a = peer_open(crew, 1, "?topic=room");
	b = peer_open(crew, 1, "?topic=room&topic=other");
	idle = peer_open(crew, 1, "?topic=third");
	publish_numbers(crew, "room", 1, 3, 10);
	crew_run(crew);
	assert_int_equal(expect_numbers(a, 1), 4);
	assert_int_equal(expect_numbers(b, 1), 4);

	publish_numbers(crew, "room", 4, 9000, 100);
	publish_numbers(crew, "other", 1, 5, 100);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 1, STATS_LAPS), 1);
	missed = crew_stat(crew, 1, STATS_MISSED);
	assert_int_equal(missed, 2 * (9000 - 3) + 5);
	peer_expect_nothing(a);
	peer_expect_nothing(b);

	publish_numbers(crew, "room", 9001, 9003, 10);
	crew_run(crew);
	assert_int_equal(expect_numbers(a, 9001), 9004);
	assert_int_equal(expect_numbers(b, 9001), 9004);
	peer_expect_nothing(idle);
	assert_int_equal(crew_stat(crew, 1, STATS_LAPS), 1);
	peer_close(&a);
	peer_close(&b);
	peer_close(&idle);
}

/* A slot's former life is still in the ring when its next one begins. */
static void
test_recycled_topic_brings_nothing_of_its_former_life(void **state)
{
	struct crew *crew = *state;
	struct peer *keeps, *old, *new;

	crew->config.max_topics = 2;
	crew_start(crew, 2);
	keeps = peer_open(crew, 1, "?topic=keep");
	old = peer_open(crew, 0, "?topic=old");
	publish_numbers(crew, "old", 1, 50, 10);
	publish_numbers(crew, "keep", 1, 2, 10);
	peer_close(&old);
	crew_turn(crew, 0);
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);

	/* Worker 1 has read none of it when its client takes the slot. */
	new = peer_connect(crew, 1, 0);
	peer_send_string(new, peer_handshake("?topic=new"));
	crew_run(crew);
	peer_receive(new);
	peer_expect_status(new, 101);
	peer_expect_nothing(new);
	assert_int_equal(expect_numbers(keeps, 1), 3);
	publish_numbers(crew, "new", 1, 3, 10);
	crew_run(crew);
	assert_int_equal(expect_numbers(new, 1), 4);
	peer_close(&keeps);
	peer_close(&new);
}

#define TOPICS   5
#define TALKERS  8
#define MESSAGES 3000

/* What one client got: message numbers per topic. */
struct record {
	int got[TOPICS][MESSAGES];
	int count[TOPICS];
};

static void
take_notes(struct peer *client, struct record *record)
{
	struct peer_frame frame;

	while (peer_next(client, &frame)) {
		char text[32] = { 0 };
		int topic, number;

		assert_true(frame.len < sizeof(text));
		memcpy(text, frame.data, frame.len);
		assert_int_equal(sscanf(text, "%d:%d", &topic, &number), 2);
		record->got[topic][record->count[topic]++] = number;
	}
}

/* Who joined with a message of its own has that and all that followed it. */
static void
assert_suffix(const struct record *all, const struct record *one)
{
	for (int t = 0; t < TOPICS; t++) {
		int skipped = all->count[t] - one->count[t];

		assert_true(skipped >= 0);
		assert_memory_equal(all->got[t] + skipped, one->got[t],
		    (size_t)one->count[t] * sizeof(int));
	}
}

/* Talkers on two workers, turning in no order, join topics one by one. */
static void
test_everybody_sees_one_order_from_where_he_joined(void **state)
{
	struct crew *crew = *state;
	struct record *all = xcalloc(2 + TALKERS, sizeof(*all));
	struct peer *clients[2 + TALKERS];
	struct dice dice = { 7 };
	char topic[16], text[32];

	crew_start(crew, 2);
	for (unsigned i = 0; i < 2 + TALKERS; i++)
		clients[i] = peer_open(crew, i % 2,
		    i < 2 ? "?buffer=5000&topic=t0&topic=t1&topic=t2&topic=t3"
			    "&topic=t4"
			  : "?buffer=5000");
	for (int n = 0; n < MESSAGES; n++) {
		/* the later, the more talkers and topics */
		size_t i = 2 + dice_below(&dice, 1 + (size_t)n * 7 / MESSAGES);
		int t = (int)dice_below(&dice, 1 + (size_t)n * 4 / MESSAGES);

		snprintf(topic, sizeof(topic), "t%d", t);
		snprintf(text, sizeof(text), "%d:%d", t, n);
		peer_publish(clients[i], topic, text);
		if (dice_below(&dice, 4) == 0)
			crew_turn(crew, (unsigned)dice_below(&dice, 2));
		for (int c = 0; n % 50 == 0 && c < 2 + TALKERS; c++)
			take_notes(clients[c], &all[c]);
	}
	crew_run(crew);
	for (int i = 0; i < 2 + TALKERS; i++) {
		CREW_UNTIL(crew, (take_notes(clients[i], &all[i]),
				     clients[i]->conn->out == NULL));
		take_notes(clients[i], &all[i]);
	}
	for (int t = 0; t < TOPICS; t++)
		assert_int_equal(all[0].count[t], all[1].count[t]);
	for (int i = 1; i < 2 + TALKERS; i++)
		assert_suffix(&all[0], &all[i]);
	assert_int_equal(all[0].count[0] + all[0].count[1] + all[0].count[2] +
			     all[0].count[3] + all[0].count[4],
	    MESSAGES);
	for (int i = 0; i < 2 + TALKERS; i++)
		peer_close(&clients[i]);
	free(all);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_starts_at_the_head),
	T(test_without_subscribers_nothing_is_missed),
	T(test_a_turn_takes_so_many_records),
	T(test_a_turn_takes_so_many_bytes),
	T(test_a_record_larger_than_a_turn),
	T(test_lapped_worker_counts_and_goes_on),
	T(test_recycled_topic_brings_nothing_of_its_former_life),
	T(test_everybody_sees_one_order_from_where_he_joined),
};

SUITE_MAIN(tests);
