/* SPDX-License-Identifier: MIT */
/*
 * test_topics_repair.c - deaths while a topic's slot was made or recycled.
 *
 * The directory's stores of topics_open() are done here one by one, and after
 * each of them the next holder of the lock must find every other topic where
 * it was, the half-made one nowhere, and no number that comes back.
 */

#include "broker/ring.h"
#include "broker/topics.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOPICS 8u
#define NUMBER 5u /* the last that each topic has given */
#define SLOT   3u /* the one that is recycled */

struct bench {
	struct testseg t;
	struct ring ring;
	unsigned char *full; /* directory full: "0" .. "7" */
	unsigned char *part; /* one slot was never used */
};

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	char name[16];

	testseg_open(&b->t, 8192, TOPICS);
	ring_attach(&b->ring, &b->t.seg, 0);
	for (uint32_t i = 0; i < TOPICS; i++) {
		if (i == TOPICS - 1)
			b->part = testseg_save(&b->t);
		snprintf(name, sizeof(name), "%u", i);
		hand_topic(&b->ring, name);
		for (unsigned k = 0; k < NUMBER; k++)
			hand_publish(&b->ring, i, "1");
	}
	b->full = testseg_save(&b->t);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	free(b->part);
	free(b->full);
	ring_detach(&b->ring);
	testseg_close(&b->t);
	free(b);
	return 0;
}

static uint32_t
find(struct bench *b, const char *name)
{
	size_t len = strlen(name);

	return topics_find(
	    &b->t.seg, name, len, topics_hash(&b->t.seg, name, len));
}

/* Take a slot out of the chain that it is in. */
static void
unlink_slot(struct bench *b, uint32_t slot)
{
	struct segment *seg = &b->t.seg;
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
recycle(struct bench *b, enum recycling how)
{
	struct layout_header *h = b->t.seg.header;
	struct layout_topic *topic = &b->t.seg.topics[SLOT];
	uint32_t hash = topics_hash(&b->t.seg, "new", 3);

	h->making = SLOT + 1;
	if (how >= RECYCLE_FLOORED)
		h->floor = atomic_load(&topic->seq);
	if (how >= RECYCLE_UNLINKED)
		unlink_slot(b, SLOT);
	if (how >= RECYCLE_FREED)
		topic->state = TOPIC_FREE;
	if (how >= RECYCLE_HALF_NAMED) {
		topic->base = h->floor;
		atomic_store(&topic->last, 0);
		topic->hash = hash;
		topic->name_len = 3;
		b->t.seg.names[SLOT].name[0] = 'n';
	}
	if (how >= RECYCLE_NAMED)
		memcpy(b->t.seg.names[SLOT].name, "new", 3);
	if (how >= RECYCLE_LIVE)
		topic->state = TOPIC_LIVE;
	if (how >= RECYCLE_LINKED) {
		_Atomic uint32_t *bucket =
		    &b->t.seg.buckets[hash & (h->buckets - 1)];

		topic->next = atomic_load(bucket);
		atomic_store(bucket, SLOT + 1);
	}
}

/* After a repair: all but `slot' are as they were, and it is free. */
static void
check_repaired(struct bench *b, uint32_t slot)
{
	struct segment *seg = &b->t.seg;
	uint32_t used = atomic_load(&seg->header->used);
	char error[SEGMENT_ERROR_MAX];
	char name[16];

	assert_int_equal(seg->header->making, 0);
	assert_int_equal(find(b, "new"), TOPICS_NONE);
	for (uint32_t i = 0; i < used; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(find(b, name), i == slot ? TOPICS_NONE : i);
		if (i != slot)
			assert_int_equal(ring_topic_seq(seg, i), NUMBER);
	}
	if (!ring_verify(seg, error))
		fail_msg("%s", error);
}

static void
test_death_while_recycling_frees_the_slot(void **state)
{
	struct bench *b = *state;

	for (enum recycling how = 0; how <= RECYCLE_LINKED; how++) {
		char error[SEGMENT_ERROR_MAX];

		testseg_restore(&b->t, b->full);
		recycle(b, how);
		if (!ring_verify(&b->t.seg, error))
			fail_msg("after step %d: %s", how, error);
		hand_lock(&b->ring);
		check_repaired(b, SLOT);
		ring_unlock(&b->ring);
	}
}

static void
test_death_while_recycling_gives_no_number_twice(void **state)
{
	struct bench *b = *state;

	for (enum recycling how = 0; how <= RECYCLE_LINKED; how++) {
		uint32_t slot;

		testseg_restore(&b->t, b->full);
		for (unsigned i = 0; i < 3; i++) /* more than any other has */
			hand_publish(&b->ring, SLOT, "1");
		recycle(b, how);
		/* the name that SLOT had comes back, in another slot */
		b->t.seg.topics[0].touched = 0;
		slot = hand_topic(&b->ring, "3");
		assert_int_equal(slot, 0);
		assert_true(hand_publish(&b->ring, slot, "1") > NUMBER + 3);
		slot = hand_topic(&b->ring, "new");
		assert_true(hand_publish(&b->ring, slot, "1") > NUMBER);
	}
}

/* The stores of making the last slot, never used before, up to this one. */
enum making { MAKE_MARKED, MAKE_USED, MAKE_NAMED, MAKE_LIVE, MAKE_LINKED };

static void
make(struct bench *b, enum making how)
{
	struct layout_header *h = b->t.seg.header;
	struct layout_topic *topic = &b->t.seg.topics[TOPICS - 1];
	uint32_t hash = topics_hash(&b->t.seg, "new", 3);

	h->making = TOPICS;
	if (how >= MAKE_USED)
		atomic_store(&h->used, TOPICS);
	if (how >= MAKE_NAMED) {
		topic->hash = hash;
		topic->name_len = 3;
		memcpy(b->t.seg.names[TOPICS - 1].name, "new", 3);
	}
	if (how >= MAKE_LIVE)
		topic->state = TOPIC_LIVE;
	if (how >= MAKE_LINKED) {
		_Atomic uint32_t *bucket =
		    &b->t.seg.buckets[hash & (h->buckets - 1)];

		topic->next = atomic_load(bucket);
		atomic_store(bucket, TOPICS);
	}
}

static void
test_death_while_making_frees_the_slot(void **state)
{
	struct bench *b = *state;

	for (enum making how = 0; how <= MAKE_LINKED; how++) {
		testseg_restore(&b->t, b->part);
		make(b, how);
		hand_lock(&b->ring);
		check_repaired(b, TOPICS - 1);
		ring_unlock(&b->ring);
		/* and is handed out again */
		for (uint32_t i = 0; i < TOPICS - 1; i++)
			topics_subscribe(&b->t.seg, i, 1);
		assert_int_equal(hand_topic(&b->ring, "new"), TOPICS - 1);
		assert_int_equal(hand_publish(&b->ring, TOPICS - 1, "1"), 1);
	}
}

/* A repair that is half-way through the index, in whatever pieces. */
static void
test_death_within_the_repair_means_doing_it_again(void **state)
{
	struct bench *b = *state;

	for (uint32_t cleared = 0; cleared <= b->t.seg.header->buckets;
	     cleared++) {
		testseg_restore(&b->t, b->full);
		recycle(b, RECYCLE_UNLINKED);
		b->t.seg.topics[SLOT].state = TOPIC_FREE;
		for (uint32_t i = 0; i < cleared; i++)
			atomic_store(&b->t.seg.buckets[i], 0);
		hand_lock(&b->ring);
		check_repaired(b, SLOT);
		ring_unlock(&b->ring);
	}
}

static void
test_freed_slot_is_handed_out_again(void **state)
{
	struct bench *b = *state;

	testseg_restore(&b->t, b->full);
	recycle(b, RECYCLE_NAMED);
	hand_lock(&b->ring);
	ring_unlock(&b->ring);
	assert_int_equal(hand_topic(&b->ring, "new"), SLOT);
	assert_int_equal(find(b, "0"), 0);
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
