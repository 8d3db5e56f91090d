/* SPDX-License-Identifier: MIT */
/*
 * test_topics_repair.c - deaths while a topic's slot was made or recycled.
 *
 * The directory's stores of topics_open() are done here one by one, and after
 * each of them the next holder of the lock must find every other topic where
 * it was, the half-made one nowhere, and no number that comes back.
 */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPICS 8u
#define NUMBER 5u /* the last that each topic has given */
#define SLOT   3u /* the one that is recycled */

struct snapshots {
	struct ringkit kit;
	unsigned char *full; /* directory full: "0" .. "7" */
	unsigned char *part; /* one slot was never used */
};

static int
setup(void **state)
{
	struct snapshots *s = ringkit_new(sizeof(*s), 8192, TOPICS);
	char name[16];

	for (uint32_t i = 0; i < TOPICS; i++) {
		if (i == TOPICS - 1)
			s->part = testseg_save(&s->kit.t);
		snprintf(name, sizeof(name), "%u", i);
		hand_topic(&s->kit.ring, name);
		for (unsigned k = 0; k < NUMBER; k++)
			hand_publish(&s->kit.ring, i, "1");
	}
	s->full = testseg_save(&s->kit.t);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct snapshots *s = *state;

	free(s->part);
	free(s->full);
	ringkit_free(s);
	return 0;
}

/* Take a slot out of the chain that it is in. */
static void
unlink_slot(struct snapshots *s, uint32_t slot)
{
	struct segment *seg = &s->kit.t.seg;
	uint32_t next = seg->topics[slot].next;
	uint32_t bucket = seg->topics[slot].hash & (seg->header->buckets - 1);

	if (atomic_load(&seg->buckets[bucket]) == slot + 1)
		atomic_store(&seg->buckets[bucket], next);
	for (uint32_t i = 0; i < TOPICS; i++)
		if (seg->topics[i].next == slot + 1)
			seg->topics[i].next = next;
}

/* The stores of recycling SLOT for "new", up to this one. */
enum recycling {
	RECYCLE_MARKED,
	RECYCLE_FLOORED,
	RECYCLE_UNLINKED,
	RECYCLE_FREED,
	RECYCLE_HALF_NAMED,
	RECYCLE_NAMED,
	RECYCLE_LIVE,
	RECYCLE_LINKED,
};

static void
recycle(struct snapshots *s, enum recycling how)
{
	struct layout_header *h = s->kit.t.seg.header;
	struct layout_topic *topic = &s->kit.t.seg.topics[SLOT];
	uint32_t hash = topics_hash(&s->kit.t.seg, "new", 3);

	h->making = SLOT + 1;
	if (how >= RECYCLE_FLOORED)
		h->floor = atomic_load(&topic->seq);
	if (how >= RECYCLE_UNLINKED)
		unlink_slot(s, SLOT);
	if (how >= RECYCLE_FREED)
		topic->state = TOPIC_FREE;
	if (how >= RECYCLE_HALF_NAMED) {
		topic->base = h->floor;
		atomic_store(&topic->last, 0);
		topic->hash = hash;
		topic->name_len = 3;
		s->kit.t.seg.names[SLOT].name[0] = 'n';
	}
	if (how >= RECYCLE_NAMED)
		memcpy(s->kit.t.seg.names[SLOT].name, "new", 3);
	if (how >= RECYCLE_LIVE)
		topic->state = TOPIC_LIVE;
	if (how >= RECYCLE_LINKED) {
		_Atomic uint32_t *bucket =
		    &s->kit.t.seg.buckets[hash & (h->buckets - 1)];

		topic->next = atomic_load(bucket);
		atomic_store(bucket, SLOT + 1);
	}
}

/* After a repair: all but `slot' are as they were, and it is free. */
static void
check_repaired(struct snapshots *s, uint32_t slot)
{
	struct segment *seg = &s->kit.t.seg;
	uint32_t used = atomic_load(&seg->header->used);
	char error[SEGMENT_ERROR_MAX];
	char name[16];

	assert_int_equal(seg->header->making, 0);
	assert_int_equal(hand_find(seg, "new"), TOPICS_NONE);
	for (uint32_t i = 0; i < used; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(
		    hand_find(seg, name), i == slot ? TOPICS_NONE : i);
		if (i != slot)
			assert_int_equal(ring_topic_seq(seg, i), NUMBER);
	}
	if (!ring_verify(seg, error))
		fail_msg("%s", error);
}

static void
test_death_while_recycling_frees_the_slot(void **state)
{
	struct snapshots *s = *state;

	for (enum recycling how = 0; how <= RECYCLE_LINKED; how++) {
		char error[SEGMENT_ERROR_MAX];

		testseg_restore(&s->kit.t, s->full);
		recycle(s, how);
		if (!ring_recover(&s->kit.t.seg, error))
			fail_msg("after step %d: %s", how, error);
		check_repaired(s, SLOT);
		testseg_restore(&s->kit.t, s->full);
		recycle(s, how);
		hand_lock(&s->kit.ring);
		check_repaired(s, SLOT);
		ring_unlock(&s->kit.ring);
	}
}

static void
test_death_while_recycling_gives_no_number_twice(void **state)
{
	struct snapshots *s = *state;

	for (enum recycling how = 0; how <= RECYCLE_LINKED; how++) {
		uint32_t slot;

		testseg_restore(&s->kit.t, s->full);
		for (unsigned i = 0; i < 3; i++) /* more than any other has */
			hand_publish(&s->kit.ring, SLOT, "1");
		recycle(s, how);
		/* the name that SLOT had comes back, in another slot */
		s->kit.t.seg.topics[0].touched = 0;
		slot = hand_topic(&s->kit.ring, "3");
		assert_int_equal(slot, 0);
		assert_true(hand_publish(&s->kit.ring, slot, "1") > NUMBER + 3);
		slot = hand_topic(&s->kit.ring, "new");
		assert_true(hand_publish(&s->kit.ring, slot, "1") > NUMBER);
	}
}

/* The stores of making the last slot, never used before, up to this one. */
enum making { MAKE_MARKED, MAKE_USED, MAKE_NAMED, MAKE_LIVE, MAKE_LINKED };

static void
make(struct snapshots *s, enum making how)
{
	struct layout_header *h = s->kit.t.seg.header;
	struct layout_topic *topic = &s->kit.t.seg.topics[TOPICS - 1];
	uint32_t hash = topics_hash(&s->kit.t.seg, "new", 3);

	h->making = TOPICS;
	if (how >= MAKE_USED)
		atomic_store(&h->used, TOPICS);
	if (how >= MAKE_NAMED) {
		topic->hash = hash;
		topic->name_len = 3;
		memcpy(s->kit.t.seg.names[TOPICS - 1].name, "new", 3);
	}
	if (how >= MAKE_LIVE)
		topic->state = TOPIC_LIVE;
	if (how >= MAKE_LINKED) {
		_Atomic uint32_t *bucket =
		    &s->kit.t.seg.buckets[hash & (h->buckets - 1)];

		topic->next = atomic_load(bucket);
		atomic_store(bucket, TOPICS);
	}
}

static void
test_death_while_making_frees_the_slot(void **state)
{
	struct snapshots *s = *state;

	for (enum making how = 0; how <= MAKE_LINKED; how++) {
		testseg_restore(&s->kit.t, s->part);
		make(s, how);
		hand_lock(&s->kit.ring);
		check_repaired(s, TOPICS - 1);
		ring_unlock(&s->kit.ring);
		/* and is handed out again */
		for (uint32_t i = 0; i < TOPICS - 1; i++)
			topics_subscribe(&s->kit.t.seg, i, 1);
		assert_int_equal(hand_topic(&s->kit.ring, "new"), TOPICS - 1);
		assert_int_equal(
		    hand_publish(&s->kit.ring, TOPICS - 1, "1"), 1);
	}
}

/* A repair that is half-way through the index, in whatever pieces. */
static void
test_death_within_the_repair_means_doing_it_again(void **state)
{
	struct snapshots *s = *state;

	for (uint32_t cleared = 0; cleared <= s->kit.t.seg.header->buckets;
	     cleared++) {
		testseg_restore(&s->kit.t, s->full);
		recycle(s, RECYCLE_UNLINKED);
		s->kit.t.seg.topics[SLOT].state = TOPIC_FREE;
		for (uint32_t i = 0; i < cleared; i++)
			atomic_store(&s->kit.t.seg.buckets[i], 0);
		hand_lock(&s->kit.ring);
		check_repaired(s, SLOT);
		ring_unlock(&s->kit.ring);
	}
}

static void
test_freed_slot_is_handed_out_again(void **state)
{
	struct snapshots *s = *state;

	testseg_restore(&s->kit.t, s->full);
	recycle(s, RECYCLE_NAMED);
	hand_lock(&s->kit.ring);
	ring_unlock(&s->kit.ring);
	assert_int_equal(hand_topic(&s->kit.ring, "new"), SLOT);
	assert_int_equal(hand_find(&s->kit.t.seg, "0"), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_death_while_recycling_frees_the_slot),
	T(test_death_while_recycling_gives_no_number_twice),
	T(test_death_while_making_frees_the_slot),
	T(test_death_within_the_repair_means_doing_it_again),
	T(test_freed_slot_is_handed_out_again),
};

SUITE_MAIN(tests);
