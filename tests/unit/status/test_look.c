/* SPDX-License-Identifier: MIT */
/*
 * test_look.c - what broker/status/look.h and broker/status/busiest.h promise,
 * of a segment in plain memory.
 *
 * Where a rate is asked for, the clock of the looks is set by hand.
 */

#include "broker/ring/store.h"
#include "broker/ring/topics.h"
#include "broker/status/busiest.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

#define TOPICS 4u
#define SECOND UINT64_C(1000000000)

struct looks {
	struct ringkit kit;
	struct look before, now;
	struct stats stats[2];
	struct busy_topic found[TOPICS];
};

static int
setup(void **state)
{
	struct looks *l = ringkit_new(sizeof(*l), 64u << 10, TOPICS);

	for (unsigned w = 0; w < 2; w++)
		l->stats[w].counters = l->kit.t.seg.workers[w].counters;
	look_init(&l->before);
	look_init(&l->now);
	*state = l;
	return 0;
}

static int
teardown(void **state)
{
	struct looks *l = *state;

	look_fini(&l->before);
	look_fini(&l->now);
	ringkit_free(l);
	return 0;
}

/* The two looks, two seconds apart. */
static void
take_before(struct looks *l)
{
	look_take(&l->before, &l->kit.t.seg);
	assert_true(l->before.at_ns > 0);
	l->before.at_ns = SECOND;
}

static void
take_now(struct looks *l)
{
	look_take(&l->now, &l->kit.t.seg);
	l->now.at_ns = 3 * SECOND;
}

static void
test_rate_is_the_growth_per_second(void **state)
{
	struct looks *l = *state;

	stats_add(&l->stats[0], STATS_MESSAGES_IN, 100);
	take_before(l);
	stats_add(&l->stats[0], STATS_MESSAGES_IN, 10);
	stats_add(&l->stats[1], STATS_MESSAGES_IN, 5);
	take_now(l);
	assert_true(
	    look_rate(&l->now, &l->before, LOOK_ALL, STATS_MESSAGES_IN) == 7.5);
	assert_true(
	    look_rate(&l->now, &l->before, 1, STATS_MESSAGES_IN) == 2.5);
	assert_int_equal(look_total(&l->now, LOOK_ALL, STATS_MESSAGES_IN), 115);
	assert_int_equal(look_total(&l->now, 0, STATS_MESSAGES_IN), 110);
}

static void
test_nothing_is_told_of_two_runs(void **state)
{
	struct looks *l = *state;

	assert_false(look_follows(&l->now, &l->before));
	take_before(l);
	store_begin_run(&l->kit.t.seg, TESTSEG_WORKERS, 1000);
	stats_add(&l->stats[0], STATS_MESSAGES_IN, 10);
	hand_publish(&l->kit.ring, hand_topic(&l->kit.ring, "a"), "1");
	take_now(l);
	assert_false(look_follows(&l->now, &l->before));
	assert_true(
	    look_rate(&l->now, &l->before, LOOK_ALL, STATS_MESSAGES_IN) == 0);
	assert_true(look_ring_rate(&l->now, &l->before) == 0);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, TOPICS),
	    0);
}

static void
test_nothing_is_told_of_two_rings(void **state)
{
	struct looks *l = *state;

	take_before(l);
	l->before.epoch[0] ^= 1;
	take_now(l);
	assert_false(look_follows(&l->now, &l->before));
}

static void
test_rate_of_the_ring_is_in_bytes(void **state)
{
	struct looks *l = *state;
	uint64_t head = ring_head(&l->kit.t.seg);

	take_before(l);
	hand_publish(&l->kit.ring, hand_topic(&l->kit.ring, "a"), "1");
	take_now(l);
	assert_true(look_ring_rate(&l->now, &l->before) ==
		    (double)(ring_head(&l->kit.t.seg) - head) / 2);
}

static void
test_delay_is_the_bound_below_which_so_many_were(void **state)
{
	struct looks *l = *state;
	struct stats_delays *delays = &l->kit.t.seg.workers[1].delays;

	stats_delay_add(delays, 1, 1000); /* before: counts for nothing */
	take_before(l);
	take_now(l);
	assert_int_equal(look_delay(&l->now, &l->before, 50), 0);
	stats_delay_add(delays, stats_delay_bounds_ns[2], 98);
	stats_delay_add(delays, stats_delay_bounds_ns[5], 1);
	stats_delay_add(delays, UINT64_MAX / 2, 1);
	take_now(l);
	assert_int_equal(
	    look_delay(&l->now, &l->before, 50), stats_delay_bounds_ns[2]);
	assert_int_equal(
	    look_delay(&l->now, &l->before, 98), stats_delay_bounds_ns[2]);
	assert_int_equal(
	    look_delay(&l->now, &l->before, 99), stats_delay_bounds_ns[5]);
	assert_int_equal(look_delay(&l->now, &l->before, 100), UINT64_MAX);
}

static void
expect_topic(const struct busy_topic *topic, const char *name,
    uint64_t messages, uint64_t seq)
{
	assert_int_equal(topic->name_len, strlen(name));
	assert_memory_equal(topic->name, name, strlen(name));
	assert_int_equal(topic->messages, messages);
	assert_int_equal(topic->seq, seq);
	assert_true(topic->rate == (double)messages / 2);
}

static void
publish(struct looks *l, const char *topic, unsigned count)
{
	uint32_t slot = hand_topic(&l->kit.ring, topic);

	while (count-- > 0)
		hand_publish(&l->kit.ring, slot, "1");
}

static void
test_busiest_come_first_and_silent_ones_not(void **state)
{
	struct looks *l = *state;

	publish(l, "silent", 50);
	publish(l, "room/calm", 1);
	take_before(l);
	publish(l, "room/calm", 2);
	publish(l, "room/new", 5);
	publish(l, "b", 3);
	take_now(l);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, TOPICS),
	    3);
	expect_topic(&l->found[0], "room/new", 5, 5);
	expect_topic(&l->found[1], "b", 3, 3);
	expect_topic(&l->found[2], "room/calm", 2, 3);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, 2), 2);
	expect_topic(&l->found[0], "room/new", 5, 5);
	expect_topic(&l->found[1], "b", 3, 3);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, 0), 0);
}

static void
test_busiest_knows_subscribers(void **state)
{
	struct looks *l = *state;
	uint32_t slot;

	take_before(l);
	publish(l, "a", 1);
	slot = hand_topic(&l->kit.ring, "a");
	hand_lock(&l->kit.ring);
	topics_subscribe(&l->kit.t.seg, slot, 0);
	topics_subscribe(&l->kit.t.seg, slot, 0);
	ring_unlock(&l->kit.ring);
	atomic_store(&l->kit.t.seg.workers[0].state, WORKER_READY);
	take_now(l);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, 1), 1);
	assert_int_equal(l->found[0].subscribers, 2);
}

static void
test_slot_of_another_topic_counts_only_its_own(void **state)
{
	struct looks *l = *state;

	publish(l, "much", 300);
	publish(l, "a", 1);
	publish(l, "b", 1);
	publish(l, "c", 1);
	take_before(l);
	/* All slots are taken: this one gets that of one that was silent, and
	 * numbers above all that were ever given. */
	publish(l, "other", 2);
	publish(l, "a", 3);
	publish(l, "another", 2);
	take_now(l);
	assert_true(busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found,
			TOPICS) >= 2);
	for (int i = 0; i < 2; i++)
		assert_true(l->found[i].messages <= 3);
}

static void
test_topic_without_a_record_is_left_out(void **state)
{
	struct looks *l = *state;
	uint32_t slot = hand_topic(&l->kit.ring, "a");

	take_before(l);
	publish(l, "a", 2);
	take_now(l);
	atomic_store(&l->kit.t.seg.topics[slot].last, 0);
	assert_int_equal(
	    busiest_find(&l->kit.t.seg, &l->now, &l->before, l->found, TOPICS),
	    0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_rate_is_the_growth_per_second),
	T(test_nothing_is_told_of_two_runs),
	T(test_nothing_is_told_of_two_rings),
	T(test_rate_of_the_ring_is_in_bytes),
	T(test_delay_is_the_bound_below_which_so_many_were),
	T(test_busiest_come_first_and_silent_ones_not),
	T(test_busiest_knows_subscribers),
	T(test_slot_of_another_topic_counts_only_its_own),
	T(test_topic_without_a_record_is_left_out),
};

SUITE_MAIN(tests);
