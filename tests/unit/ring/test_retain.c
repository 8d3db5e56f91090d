/* SPDX-License-Identifier: MIT */
/*
 * test_retain.c - what broker/ring/retain.h promises: a topic's last value comes
 * back whole, whatever its length; a full slab refuses and keeps what it has;
 * and the random walk at the end agrees with a table that does the same simply.
 */

#include "broker/ring/retain.h"
#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE (64u * 1024)
#define TEXT_MAX  4096u

static int
setup(void **state)
{
	*state = ringkit_new(sizeof(struct ringkit), RING_SIZE, 8);
	return 0;
}

static struct segment *
seg_of(void **state)
{
	return &((struct ringkit *)*state)->t.seg;
}

static struct retain_name
named(const struct segment *seg, const char *name)
{
	size_t len = strlen(name);

	return (struct retain_name){ .at = name,
		.len = (uint8_t)len,
		.hash = topics_hash(seg, name, len) };
}

/* A text of this length that no other length or letter has. */
static const char *
text_of(char letter, uint32_t len)
{
	static char text[TEXT_MAX];

	for (uint32_t i = 0; i < len; i++)
		text[i] = (char)(letter + i % 13);
	return text;
}

static void
put(struct segment *seg, const char *name, char letter, uint32_t len,
    uint64_t seq)
{
	const struct retain_name topic = named(seg, name);
	const struct retain_value value = { .body = text_of(letter, len),
		.body_len = len,
		.seq = seq,
		.time_ms = 7 };

	retain_put(seg, &topic, &value);
}

static void
clear(struct segment *seg, const char *name, uint64_t seq)
{
	const struct retain_name topic = named(seg, name);
	const struct retain_value value = {
		.body = "\"\"", .body_len = 2, .seq = seq
	};

	retain_put(seg, &topic, &value);
}

static bool
has_room(struct segment *seg, const char *name, uint32_t len)
{
	const struct retain_name topic = named(seg, name);

	return retain_has_room(seg, &topic, len, clock_monotonic_ms());
}

/* The topic's value is this one; seq 0: it has none. */
static void
check(const struct segment *seg, const char *name, char letter, uint32_t len,
    uint64_t seq)
{
	const struct retain_name topic = named(seg, name);
	const struct layout_chunk *head = retain_find(seg, &topic);
	char text[TEXT_MAX];

	if (seq == 0) {
		assert_null(head);
		return;
	}
	assert_non_null(head);
	assert_int_equal(head->head.seq, seq);
	assert_int_equal(head->head.body_len, len);
	retain_copy(seg, head, text);
	assert_memory_equal(text, text_of(letter, len), len);
}

/* Most bytes that have room in that many chunks beside a name of one letter. */
static uint32_t
most(uint32_t chunks)
{
	return LAYOUT_CHUNK_HEAD_ROOM + (chunks - 1) * LAYOUT_CHUNK_ROOM - 1;
}

static void
test_any_length_comes_back_whole(void **state)
{
	struct segment *seg = seg_of(state);

	for (uint32_t len = 1; len <= most(TESTSEG_CHUNKS); len++) {
		assert_true(has_room(seg, "t", len));
		put(seg, "t", 'a', len, len);
		check(seg, "t", 'a', len, len);
	}
	assert_false(has_room(seg, "t", most(TESTSEG_CHUNKS) + 1));
	assert_int_equal(seg->retain->values, 1);
}

static void
test_names_are_told_apart(void **state)
{
	struct segment *seg = seg_of(state);
	char longest[LAYOUT_TOPIC_NAME_MAX + 1];

	memset(longest, 'n', LAYOUT_TOPIC_NAME_MAX);
	longest[LAYOUT_TOPIC_NAME_MAX] = '\0';
	put(seg, longest, 'a', 300, 1);
	put(seg, longest + 1, 'b', 5, 2);
	put(seg, "n", 'c', 5, 3);
	put(seg, "", 'd', 5, 4);
	check(seg, longest, 'a', 300, 1);
	check(seg, longest + 1, 'b', 5, 2);
	check(seg, "n", 'c', 5, 3);
	check(seg, "", 'd', 5, 4);
	check(seg, "m", 'd', 5, 0);
}

static void
test_empty_text_clears(void **state)
{
	struct segment *seg = seg_of(state);

	put(seg, "t", 'a', 500, 1);
	clear(seg, "t", 2);
	check(seg, "t", 'a', 0, 0);
	assert_int_equal(seg->retain->taken, 0);
	clear(seg, "t", 3);
	assert_true(has_room(seg, "u", most(TESTSEG_CHUNKS)));
}

/* The value that is replaced makes room for its own successor alone. */
static void
test_full_slab_keeps_what_it_has(void **state)
{
	struct segment *seg = seg_of(state);

	put(seg, "a", 'a', most(TESTSEG_CHUNKS - 1), 1);
	put(seg, "b", 'b', most(1), 2);
	assert_false(has_room(seg, "c", 1));
	assert_false(has_room(seg, "b", most(1) + 1));
	assert_true(has_room(seg, "b", most(1)));
	assert_true(has_room(seg, "a", most(TESTSEG_CHUNKS - 1)));
	check(seg, "a", 'a', most(TESTSEG_CHUNKS - 1), 1);
	check(seg, "b", 'b', most(1), 2);
}

static void
test_value_whose_time_is_over_is_none_and_makes_room(void **state)
{
	struct segment *seg = seg_of(state);
	const struct retain_name old = named(seg, "old");
	const struct retain_value value = { .body = text_of('a', 1100),
		.body_len = 1100,
		.seq = 1,
		.expires_ms = 1 };
	const struct retain_name later = named(seg, "later");
	const struct retain_value good = {
		.body = "1", .body_len = 1, .seq = 1, .expires_ms = UINT64_MAX
	};

	retain_put(seg, &old, &value);
	retain_put(seg, &later, &good);
	check(seg, "old", 'a', 0, 0);
	assert_non_null(retain_find(seg, &later));
	assert_true(has_room(seg, "n", most(TESTSEG_CHUNKS - 1)));
	assert_int_equal(seg->retain->values, 1);
	assert_true(seg->retain->soonest_ms == UINT64_MAX);
}

/* What is published to be retained outlives the ring's turn-over. */
static void
test_publishing_puts_and_outlives_the_ring(void **state)
{
	struct ringkit *kit = *state;
	const struct layout_extra extra = { .retain = 1 };
	uint32_t slot = hand_topic(&kit->ring, "t");
	struct ring_msg msg = hand_msg(slot, "abcdef");

	msg.extra = &extra;
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_OK);
	ring_unlock(&kit->ring);
	for (unsigned i = 0; i < 2000; i++)
		hand_publish(&kit->ring, slot, "other");
	assert_true(ring_head(&kit->t.seg) > 2 * RING_SIZE);
	check(&kit->t.seg, "t", 'a', 6, 1);
}

static void
test_damaged_slab_is_not_believed(void **state)
{
	struct segment *seg = seg_of(state);
	char error[SEGMENT_ERROR_MAX];
	unsigned char *sound;

	put(seg, "a", 'a', 500, 1);
	put(seg, "b", 'b', 500, 2);
	assert_true(ring_recover(seg, error));
	check(seg, "a", 'a', 500, 1);
	check(seg, "b", 'b', 500, 2);
	sound = testseg_save(&((struct ringkit *)*state)->t);
	for (unsigned i = 0; i < 6; i++) {
		struct layout_chunk *head = &seg->chunks[0];

		switch (i) {
		case 0:
			head->next = 0;
			break;
		case 1:
			head->next = TESTSEG_CHUNKS + 1;
			break;
		case 2:
			head->next = seg->chunks[5].next; /* another's */
			break;
		case 3:
			head->head.body_len = UINT32_MAX;
			break;
		case 4:
			head->next = 1; /* itself */
			break;
		case 5:
			seg->retain->used = TESTSEG_CHUNKS + 1;
			break;
		}
		assert_false(ring_recover(seg, error));
		assert_non_null(strstr(error, "last values"));
		testseg_restore(&((struct ringkit *)*state)->t, sound);
	}
	free(sound);
}

#define NAMES 6u

/* As a death leaves it: no link and no count can be believed. */
static void
spoil(struct segment *seg, struct dice *dice)
{
	seg->retain->changing = 1;
	seg->retain->values = (uint32_t)dice_roll(dice);
	seg->retain->taken = (uint32_t)dice_roll(dice);
	seg->retain->free = (uint32_t)dice_roll(dice);
	for (uint32_t i = 0; i < seg->value_bucket_count; i++)
		seg->value_buckets[i] = (uint32_t)dice_roll(dice);
	for (uint32_t i = 0; i < seg->retain->used; i++)
		if (seg->chunks[i].kind == CHUNK_HEAD)
			seg->chunks[i].head.link = (uint32_t)dice_roll(dice);
	retain_repair(seg);
}

static void
test_agrees_with_a_table(void **state)
{
	static const char *const names[NAMES] = { "a", "b", "c", "d", "e",
		"f" };
	struct segment *seg = seg_of(state);
	struct dice dice = { 15 };
	struct {
		uint32_t len, chunks;
		uint64_t seq;
		char letter;
	} table[NAMES] = { 0 };

	for (uint64_t seq = 1; seq <= 20000; seq++) {
		unsigned n = (unsigned)dice_below(&dice, NAMES);
		uint32_t len = 1 + (uint32_t)dice_below(&dice, 500);
		char letter = (char)('a' + dice_below(&dice, 13));
		uint32_t free = TESTSEG_CHUNKS, needs = retain_chunks(1, len);

		for (unsigned i = 0; i < NAMES; i++)
			free -= i != n ? table[i].chunks : 0;
		assert_int_equal(has_room(seg, names[n], len), needs <= free);
		if (dice_below(&dice, 5) == 0) {
			clear(seg, names[n], seq);
			memset(&table[n], 0, sizeof(table[n]));
		} else if (needs <= free) {
			put(seg, names[n], letter, len, seq);
			table[n].len = len;
			table[n].chunks = needs;
			table[n].seq = seq;
			table[n].letter = letter;
		}
		if (dice_below(&dice, 16) == 0)
			spoil(seg, &dice);
		for (unsigned i = 0; i < NAMES; i++)
			check(seg, names[i], table[i].letter, table[i].len,
			    table[i].seq);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_any_length_comes_back_whole),
	T(test_names_are_told_apart),
	T(test_empty_text_clears),
	T(test_full_slab_keeps_what_it_has),
	T(test_value_whose_time_is_over_is_none_and_makes_room),
	T(test_publishing_puts_and_outlives_the_ring),
	T(test_damaged_slab_is_not_believed),
	T(test_agrees_with_a_table),
};

SUITE_MAIN(tests);
