/* SPDX-License-Identifier: MIT */
/*
 * test_death_topics.c - workers killed while they make or recycle a topic.
 *
 * Whoever takes the lock next finds the slot free, every other topic at its
 * place, and never gives a number that any of them has had.
 */

#include "broker/ring/ring.h"
#include "broker/shared/stop_point.h"
#include "broker/ring/topics.h"
#include "tests/support/mp.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

#define TOPICS 6u
#define NUMBER 4u /* the last that each topic has given */

static struct ringkit *kit; /* its writer is the test */

/* Topics "0", "1", ... until so many are used. */
static void
use_topics(unsigned n)
{
	for (char name[] = "0"; *name < '0' + (int)n; ++*name) {
		uint32_t slot = hand_topic(&kit->ring, name);

		for (unsigned i = 0; i < NUMBER; i++)
			hand_publish(&kit->ring, slot, "1");
	}
}

static int
setup(void **state)
{
	*state = kit = ringkit_new(sizeof(*kit), 8192, TOPICS);
	return mp_setup(NULL);
}

static int
open_new(void *arg)
{
	struct ring own;

	(void)arg;
	ring_attach(&own, &kit->t.seg, 1);
	hand_topic(&own, "new");
	return 0;
}

static void
die_at(enum stop_place place)
{
	pid_t pid;

	atomic_store(&kit->t.seg.header->stop_point_arm, place);
	pid = mp_spawn(open_new, NULL);
	mp_wait_stopped(pid);
	mp_kill(pid);
}

/* So many of the names can still be found, "new" cannot, and all can be used,
 * above the numbers they had. */
static void
check_names(unsigned used, unsigned left)
{
	char error[SEGMENT_ERROR_MAX];
	unsigned found = 0;

	hand_lock(&kit->ring);
	ring_unlock(&kit->ring);
	assert_int_equal(kit->t.seg.header->making, 0);
	if (!ring_verify(&kit->t.seg, error))
		fail_msg("%s", error);
	for (char name[] = "0"; *name < '0' + (int)used; ++*name)
		found += hand_find(&kit->t.seg, name) != TOPICS_NONE;
	assert_int_equal(found, left);
	assert_int_equal(hand_find(&kit->t.seg, "new"), TOPICS_NONE);
	for (char name[] = "0"; *name < '0' + (int)used; ++*name)
		assert_true(hand_publish(&kit->ring,
				hand_topic(&kit->ring, name), "1") > NUMBER);
}

static void
test_killed_while_making(void **state)
{
	(void)state;
	use_topics(TOPICS - 1);
	die_at(STOP_TOPIC_HALF_MADE);
	check_names(TOPICS - 1, TOPICS - 1);
	assert_int_equal(hand_topic(&kit->ring, "new"), TOPICS - 1);
}

static void
test_killed_while_recycling_for_another(void **state)
{
	(void)state;
	use_topics(TOPICS);
	die_at(STOP_TOPIC_HALF_MADE);
	check_names(TOPICS, TOPICS - 1);
}

static void
test_killed_while_retiring(void **state)
{
	(void)state;
	use_topics(TOPICS);
	die_at(STOP_TOPIC_RETIRED);
	check_names(TOPICS, TOPICS - 1);
}

/* The second finds the first's slot and dies with the index in pieces. */
static void
test_killed_while_repairing_the_index(void **state)
{
	(void)state;
	use_topics(TOPICS);
	die_at(STOP_TOPIC_RETIRED);
	die_at(STOP_INDEX_EMPTY);
	die_at(STOP_INDEX_EMPTY);
	die_at(STOP_REPAIRED);
	check_names(TOPICS, TOPICS - 1);
}

/* One slot after another lost to a death: each comes back. */
static void
test_slots_are_not_lost_by_deaths(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5 * TOPICS; i++)
		die_at(STOP_TOPIC_HALF_MADE);
	use_topics(TOPICS);
	for (uint32_t slot = 0; slot < TOPICS; slot++)
		assert_int_equal(kit->t.seg.topics[slot].state, TOPIC_LIVE);
}

/* Subscribed topics are not the hand's to take, dead holders or not. */
static void
test_full_directory_stays_full(void **state)
{
	(void)state;
	use_topics(TOPICS);
	for (uint32_t slot = 0; slot < TOPICS; slot++)
		if (slot != 2)
			topics_subscribe(&kit->t.seg, slot, 0);
	die_at(STOP_TOPIC_HALF_MADE);
	assert_int_equal(hand_topic(&kit->ring, "other"), 2);
	topics_subscribe(&kit->t.seg, 2, 0);
	hand_lock(&kit->ring);
	assert_int_equal(topics_open(&kit->t.seg, "new", 3,
			     topics_hash(&kit->t.seg, "new", 3)),
	    TOPICS_NONE);
	ring_unlock(&kit->ring);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, setup, ringkit_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_killed_while_making),
	T(test_killed_while_recycling_for_another),
	T(test_killed_while_retiring),
	T(test_killed_while_repairing_the_index),
	T(test_slots_are_not_lost_by_deaths),
	T(test_full_directory_stays_full),
};

SUITE_MAIN(tests);
