/* SPDX-License-Identifier: MIT */
/*
 * test_ring_verify.c - which segments a new supervisor may take over.
 *
 * Refusing a good one loses the history of a server that was merely killed, so
 * every state in which its writers may have died is good.  What is not good,
 * each kind by itself, is in test_ring_damage.c; here is noise.
 */

#include "broker/ring/chain.h"
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

/* How far the directory knows of a batch: the number and the position of which
 * of its records; 0: of what was there before it. */
struct told {
	unsigned seq, last;
};

/* After which stores a writer of three records may have died, and at which
 * places a repair that followed it. */
static const struct told by_writer[] = { { 0, 0 }, { 3, 0 }, { 3, 3 } };
static const struct told by_repair[] = { { 1, 0 }, { 1, 1 }, { 2, 1 }, { 2, 2 },
	{ 3, 2 }, { 3, 3 } };

/* A topic, three records of which are committed. */
struct batch {
	struct ringkit *kit;
	uint32_t topic;
	uint64_t applied;         /* before it */
	uint64_t seq[4], last[4]; /* after so many of them */
};

static struct batch
commit_three(struct ringkit *kit, uint32_t topic)
{
	struct batch b = {
		.kit = kit, .topic = topic, .applied = ring_head(&kit->t.seg)
	};

	for (unsigned i = 0; i <= 3; i++) {
		b.seq[i] = ring_topic_seq(&kit->t.seg, topic);
		b.last[i] = atomic_load(&kit->t.seg.topics[topic].last);
		if (i < 3)
			hand_publish(&kit->ring, topic, "1");
	}
	return b;
}

/* The directory knows so much of the batch: the ring is good, and the repair
 * tells it the rest. */
static void
check_told(const struct batch *b, unsigned seq, unsigned last)
{
	struct layout_topic *topic = &b->kit->t.seg.topics[b->topic];

	atomic_store(&b->kit->t.seg.header->applied, b->applied);
	atomic_store(&topic->seq, b->seq[seq]);
	atomic_store(&topic->last, b->last[last]);
	used_ring_check_good(b->kit);
	assert_int_equal(atomic_load(&topic->seq), b->seq[3]);
	assert_int_equal(atomic_load(&topic->last), b->last[3]);
}

/*
 * The writer dies at each of its stores, and then who repairs dies at each of
 * his: of the two stores for a record, the second may never have been done, and
 * then the position is still the one that was there before.
 */
static void
check_deaths(struct ringkit *kit, uint32_t topic)
{
	struct batch b = commit_three(kit, topic);

	for (size_t i = 0; i < COUNT(by_writer); i++) {
		unsigned last = by_writer[i].last;

		check_told(&b, by_writer[i].seq, last);
		check_told(&b, 1, last);
		for (size_t k = 1; k < COUNT(by_repair); k++)
			check_told(&b, by_repair[k].seq, by_repair[k].last);
	}
	assert_int_equal(hand_publish(&kit->ring, topic, "2"), b.seq[3] + 1);
	used_ring_check_good(kit);
}

static void
test_two_deaths_leave_a_good_ring(void **state)
{
	struct ringkit *kit = *state;

	check_deaths(kit, 0);
	atomic_store(&kit->t.seg.header->reserve,
	    ring_head(&kit->t.seg) + USED_RING_SIZE / 8);
	used_ring_check_good(kit);
}

/* The same with a topic's first messages ever. */
static void
test_two_deaths_at_a_first_message_leave_a_good_ring(void **state)
{
	check_deaths(*state, USED_RING_SILENT);
}

/*
 * More records than a take-over looks at: it believes what it has not seen, and
 * who reads back finds the damage.
 */
static void
test_old_records_are_looked_at_when_they_are_read(void **state)
{
	const unsigned many = (1u << 20) + 1000;
	struct ringkit *kit = ringkit_new(sizeof(*kit), 96u << 20, 1);
	struct segment *seg = &kit->t.seg;
	uint32_t topic = hand_topic(&kit->ring, "x");
	uint64_t first = ring_head(seg);
	struct layout_record *rec;
	struct chain chain;

	(void)state;
	for (unsigned i = 0; i < many; i++)
		hand_publish(&kit->ring, topic, "1");
	rec = (struct layout_record *)(void *)(seg->ring +
					       first % seg->ring_size);
	rec->length = 4; /* of no record */
	used_ring_check_good(kit);
	chain_init(
	    &chain, seg, topic, many, atomic_load(&seg->topics[topic].last));
	chain_walk(&chain, 1);
	assert_int_equal(chain.low, 2);
	chain_fini(&chain);
	ringkit_free(kit);
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
		ring_recover(&kit->t.seg, error);
	}
	free(good);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, used_ring_setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_fresh_ring_is_good),
	T(test_ring_in_use_is_good_at_any_length),
	T(test_recycled_slots_are_good),
	T(test_two_deaths_leave_a_good_ring),
	T(test_two_deaths_at_a_first_message_leave_a_good_ring),
	cmocka_unit_test(test_old_records_are_looked_at_when_they_are_read),
	T(test_noise_never_leads_beyond_the_segment),
};

SUITE_MAIN(tests);
