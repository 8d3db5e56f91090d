/* SPDX-License-Identifier: MIT */
/* test_subs.c - what worker/delivery/subs.h promises, one test per promise. */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/delivery/subscribe.h"

#include <stdio.h>
#include <string.h>

/* subscribe_begin() under the lock. */
static enum subs_status
add(struct crew *crew, unsigned worker, struct conn *c, const char *name,
    uint32_t *slot)
{
	struct worker *w = &crew->w[worker];
	struct subs_start start = { .slot = *slot };
	enum subs_status status;

	assert_int_equal(ring_lock(&w->hub.ring), RING_OK);
	status =
	    subscribe_begin(&w->hub, client_of(c), name, (uint8_t)strlen(name),
		topics_hash(w->hub.seg, name, strlen(name)), &start);
	ring_unlock(&w->hub.ring);
	*slot = start.slot;
	return status;
}

static struct sub_topic *
find(struct crew *crew, unsigned worker, const char *name)
{
	return subs_find(&crew->w[worker].hub.subs, name, strlen(name),
	    topics_hash(&crew->t.seg, name, strlen(name)));
}

static void
test_topic_is_known_while_it_has_a_subscriber(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint32_t slot = 0, again = 0;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	assert_null(find(crew, 0, "room"));
	assert_int_equal(add(crew, 0, a->conn, "room", &slot), SUBS_OK);
	assert_int_equal(add(crew, 0, b->conn, "room", &again), SUBS_OK);
	assert_int_equal(again, slot);
	assert_non_null(find(crew, 0, "room"));
	assert_ptr_equal(
	    crew->w[0].hub.subs.by_slot[slot], find(crew, 0, "room"));
	assert_null(find(crew, 0, "roo"));
	assert_null(find(crew, 0, ""));

	subscribe_end_all(a->conn);
	assert_non_null(find(crew, 0, "room"));
	subscribe_end_all(b->conn);
	assert_null(find(crew, 0, "room"));
	assert_null(crew->w[0].hub.subs.by_slot[slot]);
	peer_close(&a);
	peer_close(&b);
}

static void
test_empty_name_is_a_topic(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t slot = 0;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	assert_int_equal(add(crew, 0, a->conn, "", &slot), SUBS_OK);
	assert_non_null(find(crew, 0, ""));
	assert_non_null(
	    subs_find_of_client(&client_of(a->conn)->subs, find(crew, 0, "")));
	peer_close(&a);
}

static void
test_subscribing_again_is_told(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t slot = 0, again = 99;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	assert_int_equal(add(crew, 0, a->conn, "room", &slot), SUBS_OK);
	assert_int_equal(add(crew, 0, a->conn, "room", &again), SUBS_ALREADY);
	assert_int_equal(again, slot);
	assert_int_equal(crew->w[0].hub.subs.count, 1);
	assert_int_equal(topics_subscribers(&crew->t.seg, slot), 1);
	peer_close(&a);
}

static void
test_directory_knows_who_is_interested(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *c;
	uint32_t slot = 0;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 1, "");
	c = peer_open(crew, 1, "");
	assert_int_equal(add(crew, 0, a->conn, "room", &slot), SUBS_OK);
	assert_int_equal(add(crew, 1, b->conn, "room", &slot), SUBS_OK);
	assert_int_equal(add(crew, 1, c->conn, "room", &slot), SUBS_OK);
	assert_int_equal(topics_subscribers(&crew->t.seg, slot), 3);
	assert_int_equal(atomic_load(&crew->t.seg.topics[slot].interest), 3);

	subscribe_end_all(b->conn);
	assert_int_equal(atomic_load(&crew->t.seg.topics[slot].interest), 3);
	subscribe_end_all(c->conn);
	assert_int_equal(atomic_load(&crew->t.seg.topics[slot].interest), 1);
	assert_int_equal(topics_subscribers(&crew->t.seg, slot), 1);
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}

static void
test_at_most_so_many_topics_per_connection(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t slot = 0, used;
	char name[16];

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	for (unsigned i = 0; i < crew->config.max_topics_per_conn; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(add(crew, 0, a->conn, name, &slot), SUBS_OK);
	}
	used = atomic_load(&crew->t.seg.header->used);
	assert_int_equal(
	    add(crew, 0, a->conn, "one more", &slot), SUBS_TOO_MANY);
	assert_int_equal(atomic_load(&crew->t.seg.header->used), used);
	assert_int_equal(add(crew, 0, a->conn, "t3", &slot), SUBS_ALREADY);
	subscribe_end_all(a->conn);
	assert_int_equal(add(crew, 0, a->conn, "one more", &slot), SUBS_OK);
	peer_close(&a);
}

static void
test_directory_full_of_subscribers(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t slot = 0;
	char name[16];

	crew->config.max_topics = 4;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(add(crew, 0, a->conn, name, &slot), SUBS_OK);
	}
	assert_int_equal(
	    add(crew, 0, a->conn, "fifth", &slot), SUBS_DIRECTORY_FULL);
	assert_int_equal(crew_stat(crew, 0, STATS_DIRECTORY_FULL), 1);
	subscribe_end_all(a->conn);
	assert_int_equal(add(crew, 0, a->conn, "fifth", &slot), SUBS_OK);
	peer_close(&a);
}

static void
test_live_from_the_present_number_on(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	struct sub *sub;
	uint32_t slot = 0;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	assert_int_equal(add(crew, 0, a->conn, "room", &slot), SUBS_OK);
	for (int i = 0; i < 3; i++)
		hand_publish(&crew->w[0].hub.ring, slot, "\"x\"");
	assert_int_equal(add(crew, 0, b->conn, "room", &slot), SUBS_OK);
	sub = subs_find_of_client(
	    &client_of(b->conn)->subs, find(crew, 0, "room"));
	assert_int_equal(sub->seen, 3);
	crew_run(crew);
	for (int i = 0; i < 3; i++)
		peer_expect(a, "x");
	peer_expect_nothing(b);
	peer_close(&a);
	peer_close(&b);
}

/* Ten subscribers leave in an order of their own; each time exactly those who
 * stay get the next message. */
static void
test_leaving_leaves_the_others(void **state)
{
	static const int leaves[] = { 3, 9, 0, 8, 1, 7, 2, 6, 5, 4 };
	struct crew *crew = *state;
	struct peer *clients[10];
	char text[16];

	crew_start(crew, 1);
	for (int i = 0; i < 10; i++)
		clients[i] = peer_open(crew, 0, "?topic=room&topic=other");
	for (int n = 0; n < 9; n++) {
		peer_close(&clients[leaves[n]]);
		snprintf(text, sizeof(text), "m%d", n);
		peer_publish(clients[4], "room", text);
		crew_run(crew);
		for (int i = 0; i < 10; i++) {
			if (clients[i] == NULL)
				continue;
			peer_expect(clients[i], text);
			peer_expect_nothing(clients[i]);
		}
		assert_int_equal(
		    crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 2 * (9 - n));
	}
	peer_close(&clients[4]);
}

static void
test_lapped_counts_what_each_subscription_missed(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint32_t room, other;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	assert_int_equal(add(crew, 0, a->conn, "room", &room), SUBS_OK);
	hand_publish(&crew->w[0].hub.ring, room, "\"x\"");
	assert_int_equal(add(crew, 0, b->conn, "room", &room), SUBS_OK);
	assert_int_equal(add(crew, 0, b->conn, "other", &other), SUBS_OK);
	for (int i = 0; i < 4; i++)
		hand_publish(&crew->w[0].hub.ring, room, "\"x\"");
	hand_publish(&crew->w[0].hub.ring, other, "\"x\"");

	/* a: 5 of room; b: 4 of room, 1 of other */
	assert_int_equal(tail_skip_lap(&crew->w[0].hub), 10);
	assert_int_equal(tail_skip_lap(&crew->w[0].hub), 0);
	peer_close(&a);
	peer_close(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_topic_is_known_while_it_has_a_subscriber),
	T(test_empty_name_is_a_topic),
	T(test_subscribing_again_is_told),
	T(test_directory_knows_who_is_interested),
	T(test_at_most_so_many_topics_per_connection),
	T(test_directory_full_of_subscribers),
	T(test_live_from_the_present_number_on),
	T(test_leaving_leaves_the_others),
	T(test_lapped_counts_what_each_subscription_missed),
};

SUITE_MAIN(tests);
