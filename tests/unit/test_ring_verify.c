/* SPDX-License-Identifier: MIT */
/*
 * test_ring_verify.c - which segments a new supervisor may take over.
 *
 * Refusing a good one loses the history of a server that was merely killed, so
 * every state in which its writers may have died is good.  What is not good,
 * each kind by itself, is in test_ring_damage.c; here is noise.
 */

#include "broker/ring.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 8192u
#define TOPICS    8u
#define SILENT    5u /* slot of a topic with no message */
#define USED      6u

struct bench {
	struct testseg t;
	struct ring ring;
};

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	char name[16];

	testseg_open(&b->t, RING_SIZE, TOPICS);
	ring_attach(&b->ring, &b->t.seg, 0);
	for (uint32_t i = 0; i < USED; i++) {
		snprintf(name, sizeof(name), "%u", i);
		hand_topic(&b->ring, name);
	}
	for (unsigned i = 0; i < 40; i++)
		hand_publish(&b->ring, i % (USED - 1), "\"text\"");
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

static void
check_good(struct bench *b)
{
	char error[SEGMENT_ERROR_MAX];

	if (!ring_verify(&b->t.seg, error))
		fail_msg("%s", error);
}

static void
test_fresh_ring_is_good(void **state)
{
	struct testseg t;
	char error[SEGMENT_ERROR_MAX];

	(void)state;
	testseg_open(&t, RING_SIZE, 1);
	assert_true(ring_verify(&t.seg, error));
	testseg_close(&t);
}

static void
test_ring_in_use_is_good_at_any_length(void **state)
{
	struct bench *b = *state;
	struct dice dice = { 99 };
	char text[200] = "";

	for (unsigned i = 0; i < 1000; i++) {
		memset(text, 'x', i % sizeof(text));
		text[i % sizeof(text)] = '\0';
		hand_publish(&b->ring, (uint32_t)dice_below(&dice, USED), text);
		check_good(b);
	}
}

static void
test_recycled_slots_are_good(void **state)
{
	struct bench *b = *state;
	char name[16];

	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "new %u", i);
		hand_publish(&b->ring, hand_topic(&b->ring, name), "1");
		check_good(b);
	}
}

/* Committed, and the writer died before or while it told the directory. */
static void
test_dead_writer_leaves_a_good_ring(void **state)
{
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;
	struct layout_topic *topic = &b->t.seg.topics[0];
	uint64_t applied = ring_head(&b->t.seg);
	uint64_t seq = ring_topic_seq(&b->t.seg, 0);
	uint64_t last = atomic_load(&topic->last);

	hand_publish(&b->ring, 0, "1");
	hand_publish(&b->ring, 0, "2");
	atomic_store(&h->applied, applied);
	atomic_store(&h->reserve, ring_head(&b->t.seg) + RING_SIZE / 8);
	check_good(b);
	atomic_store(&topic->seq, seq);
	atomic_store(&topic->last, last);
	check_good(b);
	/* between the store of the number and that of the position */
	atomic_store(&topic->seq, seq + 2);
	check_good(b);
	assert_int_equal(hand_publish(&b->ring, 0, "3"), seq + 3);
	check_good(b);
}

/* The same with a topic's first message ever. */
static void
test_dead_writer_of_a_first_message_leaves_a_good_ring(void **state)
{
	struct bench *b = *state;
	uint64_t applied = ring_head(&b->t.seg);

	hand_publish(&b->ring, SILENT, "1");
	atomic_store(&b->t.seg.header->applied, applied);
	atomic_store(&b->t.seg.topics[SILENT].last, 0);
	check_good(b);
	assert_int_equal(hand_publish(&b->ring, SILENT, "2"), 2);
	check_good(b);
}

/* Noise anywhere is refused or harmless, but never leads astray. */
static void
test_noise_never_leads_beyond_the_segment(void **state)
{
	struct bench *b = *state;
	unsigned char *good = testseg_save(&b->t);
	struct dice dice = { UINT64_C(0x5eed0fbadb17e5) };
	const size_t words = b->t.seg.size / 8;
	const size_t header = sizeof(struct layout_header) / 8;
	const size_t fixed =
	    offsetof(struct layout_header, owner) / 8; /* attach checks those */

	print_message("seed %#llx\n", (unsigned long long)dice.state);
	for (unsigned i = 0; i < 3000; i++) {
		char error[SEGMENT_ERROR_MAX];

		testseg_restore(&b->t, good);
		for (unsigned k = 0; k < 200; k++) {
			size_t at = fixed + dice_below(&dice, words - fixed);

			if (at < header && k > 0)
				continue;
			((uint64_t *)b->t.seg.header)[at] =
			    dice_below(&dice, 2) != 0
				? dice_roll(&dice)
				: dice_below(&dice, 4 * RING_SIZE);
		}
		ring_verify(&b->t.seg, error);
	}
	free(good);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_fresh_ring_is_good),
	T(test_ring_in_use_is_good_at_any_length),
	T(test_recycled_slots_are_good),
	T(test_dead_writer_leaves_a_good_ring),
	T(test_dead_writer_of_a_first_message_leaves_a_good_ring),
	T(test_noise_never_leads_beyond_the_segment),
};

SUITE_MAIN(tests);
