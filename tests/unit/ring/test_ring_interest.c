/* SPDX-License-Identifier: MIT */
/* test_ring_interest.c - who is woken for a publish: ring_interest(). */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#define RING_SIZE 8192u
#define ONE       0u /* slots of the topics */
#define TWO       1u

static int
setup(void **state)
{
	struct ringkit *kit = ringkit_new(sizeof(*kit), RING_SIZE, 8);

	assert_int_equal(hand_topic(&kit->ring, "one"), ONE);
	assert_int_equal(hand_topic(&kit->ring, "two"), TWO);
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(
		    &kit->t.seg.workers[w].cursor, ring_head(&kit->t.seg));
	*state = kit;
	return 0;
}

/* Publish small records of 56 bytes until the head has moved this far. */
static void
publish_bytes(struct ringkit *kit, uint64_t bytes)
{
	uint64_t start = ring_head(&kit->t.seg);

	while (ring_head(&kit->t.seg) - start < bytes)
		hand_publish(&kit->ring, ONE, "1");
}

/* Whom a message in `one' would wake. */
static uint64_t
interest_now(struct ringkit *kit)
{
	struct ring_msg msg = hand_msg(ONE, "1");

	return ring_interest(&kit->ring, &msg, 1);
}

static void
test_subscribers_of_the_topics_published_and_no_others(void **state)
{
	struct ringkit *kit = *state;
	struct ring_msg msgs[] = { hand_msg(ONE, "1"), hand_msg(TWO, "2"),
		hand_msg(ONE, "3") };

	topics_subscribe(&kit->t.seg, ONE, 1);
	topics_subscribe(&kit->t.seg, ONE, 5);
	topics_subscribe(&kit->t.seg, TWO, 63);
	assert_int_equal(ring_interest(&kit->ring, msgs, 1), 1u << 1 | 1u << 5);
	assert_int_equal(
	    ring_interest(&kit->ring, msgs + 1, 1), UINT64_C(1) << 63);
	assert_int_equal(ring_interest(&kit->ring, msgs, 3),
	    1u << 1 | 1u << 5 | UINT64_C(1) << 63);
	topics_unsubscribe(&kit->t.seg, ONE, 5);
	assert_int_equal(ring_interest(&kit->ring, msgs, 1), 1u << 1);
}

static void
test_nobody_for_nothing(void **state)
{
	struct ringkit *kit = *state;

	topics_subscribe(&kit->t.seg, ONE, 1);
	assert_int_equal(ring_interest(&kit->ring, NULL, 0), 0);
}

static void
test_who_is_a_quarter_behind(void **state)
{
	struct ringkit *kit = *state;
	_Atomic uint64_t *cursor = &kit->t.seg.workers[2].cursor;
	uint64_t head;

	publish_bytes(kit, RING_SIZE);
	head = ring_head(&kit->t.seg);
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(&kit->t.seg.workers[w].cursor, head);
	atomic_store(cursor, head - RING_SIZE / 4);
	assert_int_equal(interest_now(kit), 0);

	publish_bytes(kit, RING_SIZE / 16);
	assert_int_equal(interest_now(kit), 1u << 2);
}

static void
test_laggards_are_looked_for_once_per_sixteenth(void **state)
{
	struct ringkit *kit = *state;

	publish_bytes(kit, RING_SIZE / 2);
	assert_int_not_equal(interest_now(kit), 0);
	publish_bytes(kit, RING_SIZE / 16 - 56);
	assert_int_equal(interest_now(kit), 0);
	publish_bytes(kit, 56);
	assert_int_not_equal(interest_now(kit), 0);
}

static void
test_slots_that_the_run_does_not_have_are_no_laggards(void **state)
{
	struct ringkit *kit = *state;

	publish_bytes(kit, RING_SIZE / 2);
	assert_int_equal(interest_now(kit), (1u << TESTSEG_WORKERS) - 1);
}

/*
 * Another worker may commit, and a third read that, between this publisher's
 * look at head and its look at the cursors: those are ahead of the head it
 * knows, and once counted as a whole number space behind.
 */
static void
test_who_has_read_further_than_we_know_is_no_laggard(void **state)
{
	struct ringkit *kit = *state;
	uint64_t head;

	publish_bytes(kit, RING_SIZE);
	head = ring_head(&kit->t.seg);
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(&kit->t.seg.workers[w].cursor, head + 56);
	assert_int_equal(interest_now(kit), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_subscribers_of_the_topics_published_and_no_others),
	T(test_nobody_for_nothing),
	T(test_who_is_a_quarter_behind),
	T(test_laggards_are_looked_for_once_per_sixteenth),
	T(test_slots_that_the_run_does_not_have_are_no_laggards),
	T(test_who_has_read_further_than_we_know_is_no_laggard),
};

SUITE_MAIN(tests);
