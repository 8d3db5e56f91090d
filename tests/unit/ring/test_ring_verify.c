/* SPDX-License-Identifier: MIT */
/*
 * test_ring_verify.c - which segments a new supervisor may take over.
 *
 * Refusing a good one loses the history of a server that was merely killed, so
 * every state in which its writers may have died is good.  What is not good,
 * each kind by itself, is in test_ring_damage.c; here is noise.
 */

#include "broker/ring/ring.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/used_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
test_fresh_ring_is_good(void **state)
{
	struct testseg t;
	char error[SEGMENT_ERROR_MAX];

	(void)state;
	testseg_open(&t, USED_RING_SIZE, 1);
	assert_true(ring_verify(&t.seg, error));
	testseg_close(&t);
}

static void
test_ring_in_use_is_good_at_any_length(void **state)
{
	struct ringkit *kit = *state;
	struct dice dice = { 99 };
	char text[200] = "";

	for (unsigned i = 0; i < 1000; i++) {
		memset(text, 'x', i % sizeof(text));
		text[i % sizeof(text)] = '\0';
		hand_publish(&kit->ring,
		    (uint32_t)dice_below(&dice, USED_RING_TOPICS), text);
		used_ring_check_good(kit);
	}
}

static void
test_recycled_slots_are_good(void **state)
{
	struct ringkit *kit = *state;
	char name[16];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "new %u", i);
		hand_publish(&kit->ring, hand_topic(&kit->ring, name), "1");
		used_ring_check_good(kit);
	}
}

/* Committed, and the writer died before or while it told the directory. */
static void
test_dead_writer_leaves_a_good_ring(void **state)
{
	struct ringkit *kit = *state;
	struct layout_header *h = kit->t.seg.header;
	struct layout_topic *topic = &kit->t.seg.topics[0];
	uint64_t applied = ring_head(&kit->t.seg);
	uint64_t seq = ring_topic_seq(&kit->t.seg, 0);
	uint64_t last = atomic_load(&topic->last);

	hand_publish(&kit->ring, 0, "1");
	hand_publish(&kit->ring, 0, "2");
	atomic_store(&h->applied, applied);
	atomic_store(&h->reserve, ring_head(&kit->t.seg) + USED_RING_SIZE / 8);
	used_ring_check_good(kit);
	atomic_store(&topic->seq, seq);
	atomic_store(&topic->last, last);
	used_ring_check_good(kit);
	/* between the store of the number and that of the position */
	atomic_store(&topic->seq, seq + 2);
	used_ring_check_good(kit);
	assert_int_equal(hand_publish(&kit->ring, 0, "3"), seq + 3);
	used_ring_check_good(kit);
}

/* The same with a topic's first message ever. */
static void
test_dead_writer_of_a_first_message_leaves_a_good_ring(void **state)
{
	struct ringkit *kit = *state;
	uint64_t applied = ring_head(&kit->t.seg);

	hand_publish(&kit->ring, USED_RING_SILENT, "1");
	atomic_store(&kit->t.seg.header->applied, applied);
	atomic_store(&kit->t.seg.topics[USED_RING_SILENT].last, 0);
	used_ring_check_good(kit);
	assert_int_equal(hand_publish(&kit->ring, USED_RING_SILENT, "2"), 2);
	used_ring_check_good(kit);
}

/* Noise anywhere is refused or harmless, but never leads astray. */
static void
test_noise_never_leads_beyond_the_segment(void **state)
{
	struct ringkit *kit = *state;
	unsigned char *good = testseg_save(&kit->t);
	struct dice dice = { UINT64_C(0x5eed0fbadb17e5) };
	const size_t words = kit->t.seg.size / 8;
	const size_t header = sizeof(struct layout_header) / 8;
	const size_t fixed =
	    offsetof(struct layout_header, owner) / 8; /* attach checks those */

	print_message("seed %#llx\n", (unsigned long long)dice.state);
	for (unsigned i = 0; i < 3000; i++) {
		char error[SEGMENT_ERROR_MAX];

		testseg_restore(&kit->t, good);
		for (unsigned k = 0; k < 200; k++) {
			size_t at = fixed + dice_below(&dice, words - fixed);

			if (at < header && k > 0)
				continue;
			((uint64_t *)kit->t.seg.header)[at] =
			    dice_below(&dice, 2) != 0
				? dice_roll(&dice)
				: dice_below(&dice, 4 * USED_RING_SIZE);
		}
		ring_verify(&kit->t.seg, error);
	}
	free(good);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, used_ring_setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_fresh_ring_is_good),
	T(test_ring_in_use_is_good_at_any_length),
	T(test_recycled_slots_are_good),
	T(test_dead_writer_leaves_a_good_ring),
	T(test_dead_writer_of_a_first_message_leaves_a_good_ring),
	T(test_noise_never_leads_beyond_the_segment),
};

SUITE_MAIN(tests);
