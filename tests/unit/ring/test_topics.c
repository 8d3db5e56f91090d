/* SPDX-License-Identifier: MIT */
/* test_topics.c - what broker/ring/topics.h promises while nobody dies. */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "tests/support/dice.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define TOPICS 16u

static int
setup(void **state)
{
	*state = ringkit_new(sizeof(struct ringkit), 8192, TOPICS);
	return 0;
}

/* Open under the lock; unlike hand_topic(), "full" is an answer. */
static uint32_t
open_topic(struct ringkit *kit, const char *name)
{
	size_t len = strlen(name);
	uint32_t slot;

	hand_lock(&kit->ring);
	slot = topics_open(
	    &kit->t.seg, name, len, topics_hash(&kit->t.seg, name, len));
	ring_unlock(&kit->ring);
	return slot;
}

/* Fill the directory with "0", "1", ... */
static void
fill(struct ringkit *kit)
{
	char name[16];

	for (uint32_t i = 0; i < TOPICS; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(open_topic(kit, name), i);
	}
}

static void
test_unknown_name_has_no_slot(void **state)
{
	struct ringkit *kit = *state;

	assert_int_equal(hand_find(&kit->t.seg, "nobody"), TOPICS_NONE);
	open_topic(kit, "somebody");
	assert_int_equal(hand_find(&kit->t.seg, "nobody"), TOPICS_NONE);
	assert_int_equal(hand_find(&kit->t.seg, ""), TOPICS_NONE);
	assert_int_equal(hand_find(&kit->t.seg, "somebody "), TOPICS_NONE);
	assert_int_equal(hand_find(&kit->t.seg, "somebod"), TOPICS_NONE);
}

static void
test_slots_are_handed_out_densely_and_found(void **state)
{
	struct ringkit *kit = *state;
	char name[16];

	fill(kit);
	assert_int_equal(atomic_load(&kit->t.seg.header->used), TOPICS);
	for (uint32_t i = 0; i < TOPICS; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(hand_find(&kit->t.seg, name), i);
		assert_int_equal(open_topic(kit, name), i);
	}
}

static void
test_names_are_bytes_of_any_length(void **state)
{
	struct ringkit *kit = *state;
	char longest[LAYOUT_TOPIC_NAME_MAX];
	uint32_t slot;

	memset(longest, 'x', sizeof(longest));
	hand_lock(&kit->ring);
	slot = topics_open(
	    &kit->t.seg, longest, 255, topics_hash(&kit->t.seg, longest, 255));
	assert_int_not_equal(topics_open(&kit->t.seg, longest, 254,
				 topics_hash(&kit->t.seg, longest, 254)),
	    slot);
	assert_int_not_equal(topics_open(&kit->t.seg, "a\0b", 3,
				 topics_hash(&kit->t.seg, "a\0b", 3)),
	    topics_open(
		&kit->t.seg, "a\0c", 3, topics_hash(&kit->t.seg, "a\0c", 3)));
	ring_unlock(&kit->ring);
	assert_int_equal(topics_find(&kit->t.seg, longest, 255,
			     topics_hash(&kit->t.seg, longest, 255)),
	    slot);
}

/* The hash is an argument, so all may have the same. */
static void
test_names_of_one_hash_share_a_chain(void **state)
{
	struct ringkit *kit = *state;
	char name[2] = "a";

	hand_lock(&kit->ring);
	for (uint32_t i = 0; i < TOPICS; i++) {
		name[0] = (char)('a' + i);
		assert_int_equal(topics_open(&kit->t.seg, name, 1, 7), i);
	}
	/* "q" needs a slot: the hand's first is "a", the chain's last */
	assert_int_equal(topics_open(&kit->t.seg, "q", 1, 7), 0);
	assert_int_equal(topics_find(&kit->t.seg, "a", 1, 7), TOPICS_NONE);
	/* and "r" gets that of "b", in its midst by now */
	assert_int_equal(topics_open(&kit->t.seg, "r", 1, 7), 1);
	for (uint32_t i = 2; i < TOPICS; i++) {
		name[0] = (char)('a' + i);
		assert_int_equal(topics_find(&kit->t.seg, name, 1, 7), i);
	}
	assert_int_equal(topics_find(&kit->t.seg, "q", 1, 7), 0);
	assert_int_equal(topics_find(&kit->t.seg, "r", 1, 7), 1);
	ring_unlock(&kit->ring);
}

static void
test_longest_silent_is_recycled_first(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	assert_int_equal(open_topic(kit, "new"), 0); /* all marks cleared */
	hand_publish(&kit->ring, 1, "1");
	hand_publish(&kit->ring, 2, "1");
	hand_publish(&kit->ring, 5, "1");
	assert_int_equal(open_topic(kit, "newer"), 3);
	assert_int_equal(open_topic(kit, "newest"), 4);
	assert_int_equal(open_topic(kit, "and one"), 6);
	assert_int_equal(hand_find(&kit->t.seg, "1"), 1);
	assert_int_equal(hand_find(&kit->t.seg, "3"), TOPICS_NONE);
}

static void
test_topics_with_subscribers_are_never_recycled(void **state)
{
	struct ringkit *kit = *state;
	char name[16];

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		if (i != 9)
			topics_subscribe(&kit->t.seg, i, i % 8);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "new %d", i);
		assert_int_equal(open_topic(kit, name), 9);
	}
	assert_int_equal(hand_find(&kit->t.seg, "new 48"), TOPICS_NONE);
}

static void
test_full_when_every_slot_has_a_subscriber(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		topics_subscribe(&kit->t.seg, i, 1);
	assert_int_equal(open_topic(kit, "new"), TOPICS_NONE);
	assert_int_equal(open_topic(kit, "7"), 7);
	topics_unsubscribe(&kit->t.seg, 12, 1);
	assert_int_equal(open_topic(kit, "new"), 12);
	assert_int_equal(open_topic(kit, "newer"), 12);
}

/* Three names for each slot, in an order of no pattern. */
/* The busy bits are a hint: one that is missing costs a look, and comes back. */
static void
test_a_lost_busy_bit_gives_no_subscriber_away(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		topics_subscribe(&kit->t.seg, i, i % 3);
	assert_int_equal(kit->t.seg.busy[0], (1u << TOPICS) - 1);
	kit->t.seg.busy[0] = 0;
	assert_int_equal(open_topic(kit, "new"), TOPICS_NONE);
	assert_int_equal(kit->t.seg.busy[0], (1u << TOPICS) - 1);
	topics_unsubscribe(&kit->t.seg, 11, 11 % 3);
	assert_int_equal(
	    kit->t.seg.busy[0], ((1u << TOPICS) - 1) & ~(1u << 11));
	assert_int_equal(open_topic(kit, "new"), 11);
}

/* While one worker of several subscribes, the slot is busy. */
static void
test_the_last_worker_to_leave_makes_a_slot_idle(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		topics_subscribe(&kit->t.seg, i, 0);
	topics_subscribe(&kit->t.seg, 4, 63);
	topics_unsubscribe(&kit->t.seg, 4, 0);
	assert_int_equal(open_topic(kit, "new"), TOPICS_NONE);
	topics_unsubscribe(&kit->t.seg, 4, 63);
	assert_int_equal(open_topic(kit, "new"), 4);
}

/* A slot in a second word, and one that two workers use, counted once. */
static void
test_what_nobody_subscribes_to_is_free(void **state)
{
	enum { MANY = 70 };
	struct testseg t;
	char name[16];

	(void)state;
	testseg_open(&t, 8192, MANY);
	assert_int_equal(topics_free(&t.seg), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		size_t len =
		    (size_t)snprintf(name, sizeof(name), "topic %u", i);

		assert_int_equal(topics_open(&t.seg, name, len,
				     topics_hash(&t.seg, name, len)),
		    i);
	}
	assert_int_equal(topics_free(&t.seg), MANY);
	topics_subscribe(&t.seg, 3, 0);
	topics_subscribe(&t.seg, MANY - 1, 0);
	topics_subscribe(&t.seg, MANY - 1, 1);
	assert_int_equal(topics_free(&t.seg), MANY - 2);
	assert_true(topics_is_busy(&t.seg, 3));
	assert_false(topics_is_busy(&t.seg, 4));
	topics_unsubscribe(&t.seg, MANY - 1, 0);
	assert_int_equal(topics_free(&t.seg), MANY - 2);
	topics_unsubscribe(&t.seg, MANY - 1, 1);
	assert_int_equal(topics_free(&t.seg), MANY - 1);
	assert_false(topics_is_busy(&t.seg, MANY - 1));
	testseg_close(&t);
}

/* A worker died after its interest had gone, before the busy bit had. */
static void
test_the_successor_finds_a_slot_that_was_left_busy(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		topics_subscribe(&kit->t.seg, i, 1);
	atomic_store(&kit->t.seg.topics[3].interest, 0);
	assert_int_equal(open_topic(kit, "new"), TOPICS_NONE);
	topics_clear_worker(&kit->t.seg, 5);
	assert_int_equal(open_topic(kit, "new"), 3);
}

/* However many have been published to, the search for a silent one ends. */
static void
test_a_search_among_the_loud_is_bounded(void **state)
{
	enum { MANY = 5000 };
	struct testseg t;
	char name[16];
	uint32_t slot = 0;

	(void)state;
	testseg_open(&t, 8192, MANY);
	for (int i = 0; i <= MANY; i++) {
		size_t len = (size_t)snprintf(name, sizeof(name), "loud %d", i);

		slot = topics_open(
		    &t.seg, name, len, topics_hash(&t.seg, name, len));
	}
	/* The hand took off marks on its way there, and nothing behind. */
	assert_in_range(slot, 1, MANY / 2);
	assert_int_equal(t.seg.header->hand, slot + 1);
	assert_int_equal(t.seg.topics[slot - 1].touched, 0);
	assert_int_equal(t.seg.topics[slot + 1].touched, 1);
	testseg_close(&t);
}

/* A directory's size need be no multiple of a word's bits. */
static void
test_the_last_slot_of_an_odd_directory_is_found(void **state)
{
	enum { ODD = 64 + 3 };
	struct testseg t;

	(void)state;
	testseg_open(&t, 8192, ODD);
	for (uint32_t i = 0; i < ODD; i++) {
		char c = (char)i;
		uint32_t slot = topics_open(&t.seg, &c, 1, i);

		assert_int_equal(slot, i);
		topics_subscribe(&t.seg, slot, 0);
	}
	assert_int_equal(topics_open(&t.seg, "new", 3, 7), TOPICS_NONE);
	topics_unsubscribe(&t.seg, ODD - 1, 0);
	assert_int_equal(topics_open(&t.seg, "new", 3, 7), ODD - 1);
	testseg_close(&t);
}

static void
test_no_name_is_given_a_number_twice(void **state)
{
	struct ringkit *kit = *state;
	uint64_t given[3 * TOPICS] = { 0 };
	struct dice dice = { 4711 };
	char name[16];

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t n = dice_below(&dice, 3 * TOPICS);
		uint32_t slot;

		snprintf(name, sizeof(name), "%u", (unsigned)n);
		slot = open_topic(kit, name);
		for (uint64_t k = dice_below(&dice, 3); k > 0; k--) {
			uint64_t seq = hand_publish(&kit->ring, slot, "1");

			assert_true(seq > given[n]);
			assert_true(seq > kit->t.seg.topics[slot].base);
			given[n] = seq;
		}
	}
}

static void
test_new_life_starts_with_no_record_above_all_numbers(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (int i = 0; i < 5; i++)
		hand_publish(&kit->ring, 0, "1");
	for (uint32_t i = 0; i < TOPICS; i++)
		if (i != 0)
			topics_subscribe(&kit->t.seg, i, 1);
	assert_int_equal(open_topic(kit, "new"), 0);
	assert_int_equal(ring_topic_seq(&kit->t.seg, 0), 5);
	assert_int_equal(kit->t.seg.topics[0].base, 5);
	assert_int_equal(atomic_load(&kit->t.seg.topics[0].last), 0);
	assert_int_equal(hand_publish(&kit->ring, 0, "1"), 6);
}

static void
test_first_and_last_subscriber_of_a_worker_are_told(void **state)
{
	struct ringkit *kit = *state;
	_Atomic uint64_t *interest = &kit->t.seg.topics[0].interest;

	open_topic(kit, "t");
	assert_true(topics_subscribe(&kit->t.seg, 0, 3));
	assert_false(topics_subscribe(&kit->t.seg, 0, 3));
	assert_true(topics_subscribe(&kit->t.seg, 0, 63));
	assert_int_equal(
	    atomic_load(interest), UINT64_C(1) << 63 | UINT64_C(1) << 3);
	assert_false(topics_unsubscribe(&kit->t.seg, 0, 3));
	assert_int_equal(
	    atomic_load(interest), UINT64_C(1) << 63 | UINT64_C(1) << 3);
	assert_true(topics_unsubscribe(&kit->t.seg, 0, 3));
	assert_int_equal(atomic_load(interest), UINT64_C(1) << 63);
	assert_true(topics_subscribe(&kit->t.seg, 0, 3));
}

static void
test_clear_worker_clears_that_worker_alone(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	for (uint32_t i = 0; i < TOPICS; i++)
		for (unsigned w = 0; w < 4; w++)
			topics_subscribe(&kit->t.seg, i, w);
	topics_clear_worker(&kit->t.seg, 2);
	for (uint32_t i = 0; i < TOPICS; i++) {
		assert_int_equal(
		    atomic_load(&kit->t.seg.topics[i].interest), 0xb);
		assert_int_equal(topics_subscribers(&kit->t.seg, i), 3);
		assert_true(topics_subscribe(&kit->t.seg, i, 2));
	}
}

/* An upgrade: the counts of a worker become those of its successor. */
static void
test_successor_s_counts_replace_those_of_its_worker_alone(void **state)
{
	struct ringkit *kit = *state;
	uint32_t counts[TOPICS] = { [0] = 1, [1] = 2 };

	fill(kit);
	for (uint32_t i = 0; i < 3; i++)
		for (unsigned n = 0; n < 2; n++) {
			topics_subscribe(&kit->t.seg, i, 2);
			topics_subscribe(&kit->t.seg, i, 1);
		}
	topics_take_over(&kit->t.seg, 2, counts);
	assert_int_equal(topics_subscribers(&kit->t.seg, 0), 3);
	assert_int_equal(topics_subscribers(&kit->t.seg, 1), 4);
	assert_int_equal(topics_subscribers(&kit->t.seg, 2), 2);
	assert_int_equal(atomic_load(&kit->t.seg.topics[1].interest), 6);
	assert_int_equal(atomic_load(&kit->t.seg.topics[2].interest), 2);
	/* The last one to leave clears the interest, as ever. */
	assert_true(topics_unsubscribe(&kit->t.seg, 0, 2));
	assert_int_equal(atomic_load(&kit->t.seg.topics[0].interest), 2);
	assert_false(topics_unsubscribe(&kit->t.seg, 1, 2));
	assert_true(topics_unsubscribe(&kit->t.seg, 1, 2));
}

static void
test_interest_is_of_a_name_in_its_slot(void **state)
{
	struct ringkit *kit = *state;

	fill(kit);
	assert_false(topics_has_interest(&kit->t.seg, 3, 2, "3", 1));
	topics_subscribe(&kit->t.seg, 3, 2);
	assert_true(topics_has_interest(&kit->t.seg, 3, 2, "3", 1));
	assert_false(topics_has_interest(&kit->t.seg, 3, 1, "3", 1));
	assert_false(topics_has_interest(&kit->t.seg, 3, 2, "4", 1));
	assert_false(topics_has_interest(&kit->t.seg, 3, 2, "3", 0));
	assert_false(topics_has_interest(&kit->t.seg, 4, 2, "3", 1));
	assert_false(topics_has_interest(&kit->t.seg, TOPICS, 2, "3", 1));
	assert_false(topics_has_interest(&kit->t.seg, UINT32_MAX, 2, "3", 1));
}

/* One that starts has none yet: what is counted in its name is its dead
 * predecessor's, and was shown as present until the successor had cleared it. */
static void
test_subscribers_are_those_of_workers_that_serve(void **state)
{
	struct ringkit *kit = *state;

	open_topic(kit, "t");
	for (unsigned w = 0; w < TESTSEG_WORKERS; w++) {
		atomic_store(&kit->t.seg.workers[w].state, WORKER_READY);
		topics_subscribe(&kit->t.seg, 0, w);
		topics_subscribe(&kit->t.seg, 0, w);
	}
	assert_int_equal(
	    topics_subscribers(&kit->t.seg, 0), 2 * TESTSEG_WORKERS);
	atomic_store(&kit->t.seg.workers[3].state, WORKER_GONE);
	atomic_store(&kit->t.seg.workers[4].state, WORKER_STARTING);
	atomic_store(&kit->t.seg.workers[5].state, WORKER_STOPPED);
	assert_int_equal(
	    topics_subscribers(&kit->t.seg, 0), 2 * TESTSEG_WORKERS - 4);
}

/* Names that share a bucket in one ring need not in the next. */
static void
test_every_ring_hashes_in_its_own_way(void **state)
{
	struct ringkit *kit = *state;
	struct testseg other;

	testseg_open(&other, 8192, TOPICS);
	assert_memory_not_equal(&kit->t.seg.header->hash_key,
	    &other.seg.header->hash_key, sizeof(struct siphash_key));
	testseg_close(&other);
}

static void
test_hash_spreads_over_the_buckets(void **state)
{
	struct ringkit *kit = *state;
	unsigned hits[256] = { 0 };
	unsigned most = 0;
	char name[32];

	for (int i = 0; i < 256 * 16; i++) {
		unsigned *hit;
		int len = snprintf(name, sizeof(name), "room-%d", i);

		hit = &hits[topics_hash(&kit->t.seg, name, (size_t)len) % 256];
		if (++*hit > most)
			most = *hit;
	}
	assert_in_range(most, 16, 48); /* 16 on average */
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_unknown_name_has_no_slot),
	T(test_slots_are_handed_out_densely_and_found),
	T(test_names_are_bytes_of_any_length),
	T(test_names_of_one_hash_share_a_chain),
	T(test_longest_silent_is_recycled_first),
	T(test_topics_with_subscribers_are_never_recycled),
	T(test_full_when_every_slot_has_a_subscriber),
	T(test_a_lost_busy_bit_gives_no_subscriber_away),
	T(test_the_last_worker_to_leave_makes_a_slot_idle),
	T(test_what_nobody_subscribes_to_is_free),
	T(test_the_successor_finds_a_slot_that_was_left_busy),
	T(test_a_search_among_the_loud_is_bounded),
	T(test_the_last_slot_of_an_odd_directory_is_found),
	T(test_no_name_is_given_a_number_twice),
	T(test_new_life_starts_with_no_record_above_all_numbers),
	T(test_first_and_last_subscriber_of_a_worker_are_told),
	T(test_clear_worker_clears_that_worker_alone),
	T(test_successor_s_counts_replace_those_of_its_worker_alone),
	T(test_interest_is_of_a_name_in_its_slot),
	T(test_subscribers_are_those_of_workers_that_serve),
	T(test_every_ring_hashes_in_its_own_way),
	T(test_hash_spreads_over_the_buckets),
};

SUITE_MAIN(tests);
