/* SPDX-License-Identifier: MIT */
/* test_ring_interest.c - who is woken for a publish: ring_interest(). */

#include "broker/ring.h"
#include "broker/topics.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdlib.h>

#define RING_SIZE 8192u

struct bench {
	struct testseg t;
	struct ring ring;
	uint32_t one, two;
};

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	testseg_open(&b->t, RING_SIZE, 8);
	ring_attach(&b->ring, &b->t.seg, 0);
	b->one = hand_topic(&b->ring, "one");
	b->two = hand_topic(&b->ring, "two");
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(&b->t.seg.workers[w].cursor, ring_head(&b->t.seg));
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	ring_detach(&b->ring);
	testseg_close(&b->t);
	free(b);
	return 0;
}

/* Publish small records of 56 bytes until the head has moved this far. */
static void
publish_bytes(struct bench *b, uint64_t bytes)
{
	uint64_t start = ring_head(&b->t.seg);

	while (ring_head(&b->t.seg) - start < bytes)
		hand_publish(&b->ring, b->one, "1");
}

/* Whom a message in `one' would wake. */
static uint64_t
interest_now(struct bench *b)
{
	struct ring_msg msg = hand_msg(b->one, "1");

	return ring_interest(&b->ring, &msg, 1);
}

static void
test_subscribers_of_the_topics_published_and_no_others(void **state)
{
	struct bench *b = *state;
	struct ring_msg msgs[] = { hand_msg(b->one, "1"), hand_msg(b->two, "2"),
		hand_msg(b->one, "3") };

	topics_subscribe(&b->t.seg, b->one, 1);
	topics_subscribe(&b->t.seg, b->one, 5);
	topics_subscribe(&b->t.seg, b->two, 63);
	assert_int_equal(ring_interest(&b->ring, msgs, 1), 1u << 1 | 1u << 5);
	assert_int_equal(
	    ring_interest(&b->ring, msgs + 1, 1), UINT64_C(1) << 63);
	assert_int_equal(ring_interest(&b->ring, msgs, 3),
	    1u << 1 | 1u << 5 | UINT64_C(1) << 63);
	topics_unsubscribe(&b->t.seg, b->one, 5);
	assert_int_equal(ring_interest(&b->ring, msgs, 1), 1u << 1);
}

static void
test_nobody_for_nothing(void **state)
{
	struct bench *b = *state;

	topics_subscribe(&b->t.seg, b->one, 1);
	assert_int_equal(ring_interest(&b->ring, NULL, 0), 0);
}

static void
test_who_is_a_quarter_behind(void **state)
{
	struct bench *b = *state;
	_Atomic uint64_t *cursor = &b->t.seg.workers[2].cursor;
	uint64_t head;

	publish_bytes(b, RING_SIZE);
	head = ring_head(&b->t.seg);
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(&b->t.seg.workers[w].cursor, head);
	atomic_store(cursor, head - RING_SIZE / 4);
	assert_int_equal(interest_now(b), 0);

	publish_bytes(b, RING_SIZE / 16);
	assert_int_equal(interest_now(b), 1u << 2);
}

static void
test_laggards_are_looked_for_once_per_sixteenth(void **state)
{
	struct bench *b = *state;

	publish_bytes(b, RING_SIZE / 2);
	assert_int_not_equal(interest_now(b), 0);
	publish_bytes(b, RING_SIZE / 16 - 56);
	assert_int_equal(interest_now(b), 0);
	publish_bytes(b, 56);
	assert_int_not_equal(interest_now(b), 0);
}

static void
test_slots_that_the_run_does_not_have_are_no_laggards(void **state)
{
	struct bench *b = *state;

	publish_bytes(b, RING_SIZE / 2);
	assert_int_equal(interest_now(b), (1u << TESTSEG_WORKERS) - 1);
}

/*
 * Another worker may commit, and a third read that, between this publisher's
 * look at head and its look at the cursors: those are ahead of the head it
 * knows, and once counted as a whole number space behind.
 */
static void
test_who_has_read_further_than_we_know_is_no_laggard(void **state)
{
	struct bench *b = *state;
	uint64_t head;

	publish_bytes(b, RING_SIZE);
	head = ring_head(&b->t.seg);
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++)
		atomic_store(&b->t.seg.workers[w].cursor, head + 56);
	assert_int_equal(interest_now(b), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_subscribers_of_the_topics_published_and_no_others),
	T(test_nobody_for_nothing),
	T(test_who_is_a_quarter_behind),
	T(test_laggards_are_looked_for_once_per_sixteenth),
	T(test_slots_that_the_run_does_not_have_are_no_laggards),
	T(test_who_has_read_further_than_we_know_is_no_laggard),
};

SUITE_MAIN(tests);
