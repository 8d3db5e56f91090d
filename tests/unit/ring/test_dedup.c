/* SPDX-License-Identifier: MIT */
/*
 * test_dedup.c - what broker/ring/dedup.h promises: a key is known for its
 * window and no longer, a full table refuses and forgets nothing, and the
 * random walk at the end agrees with a list that does the same slowly.
 */

#include "broker/ring/dedup.h"
#include "broker/ring/ring.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

#define RING_SIZE 8192u
#define WINDOW    1000u /* ms */

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

static struct dedup_text
text(const char *word)
{
	return (struct dedup_text){ word, strlen(word) };
}

static struct dedup_key
numbered(uint64_t n)
{
	return (struct dedup_key){ { n * 64 + 1, n } }; /* all in one bucket */
}

/* Whether the key is known at that time; and its number. */
static uint64_t
look(struct segment *seg, uint64_t n, uint64_t now)
{
	struct dedup_key key = numbered(n);
	uint64_t seq = 0;

	return dedup_look(seg, &key, now, WINDOW, &seq) == DEDUP_KNOWN ? seq
	                                                               : 0;
}

static void
put(struct segment *seg, uint64_t n, uint64_t seq, uint64_t now)
{
	struct dedup_key key = numbered(n);

	dedup_put(seg, &key, seq, now);
}

static void
test_key_is_known_for_its_window(void **state)
{
	struct segment *seg = seg_of(state);

	assert_int_equal(look(seg, 1, 5), 0);
	put(seg, 1, 77, 5);
	assert_int_equal(look(seg, 1, 5), 77);
	assert_int_equal(look(seg, 1, 5 + WINDOW - 1), 77);
	assert_int_equal(look(seg, 2, 5), 0);
	assert_int_equal(look(seg, 1, 5 + WINDOW), 0);
	assert_int_equal(dedup_count(seg), 0);
}

static void
test_full_table_refuses_and_forgets_nothing(void **state)
{
	struct segment *seg = seg_of(state);
	struct dedup_key another = numbered(100);
	uint64_t seq;

	for (uint64_t n = 1; n <= TESTSEG_KEYS; n++) {
		assert_int_equal(look(seg, n, n), 0);
		put(seg, n, 10 + n, n);
	}
	assert_int_equal(
	    dedup_look(seg, &another, 50, WINDOW, &seq), DEDUP_FULL);
	for (uint64_t n = 1; n <= TESTSEG_KEYS; n++)
		assert_int_equal(look(seg, n, 50), 10 + n);
	/* The first one's time is over: there is room for one. */
	assert_int_equal(
	    dedup_look(seg, &another, 1 + WINDOW, WINDOW, &seq), DEDUP_NEW);
}

/* As a replay does. */
static void
test_put_twice_is_once(void **state)
{
	struct segment *seg = seg_of(state);

	put(seg, 1, 7, 5);
	put(seg, 1, 7, 6);
	assert_int_equal(dedup_count(seg), 1);
}

static void
test_texts_are_apart(void **state)
{
	struct segment *seg = seg_of(state);
	struct dedup_key keys[] = {
		dedup_hash(seg, text("ab"), text("c"), text("d")),
		dedup_hash(seg, text("a"), text("bc"), text("d")),
		dedup_hash(seg, text("ab"), text(""), text("cd")),
		dedup_hash(seg, text("ab"), text("c"), text("e")),
	};

	for (size_t i = 0; i < COUNT(keys); i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(
			    &keys[i], &keys[j], sizeof(keys[i]));
}

/* A publish with a key in the ring is one that is remembered. */
static void
test_publishing_remembers(void **state)
{
	struct ringkit *kit = *state;
	struct layout_extra extra = { .key = { 65, 1 } };
	uint32_t slot = hand_topic(&kit->ring, "t");
	struct ring_msg msg = hand_msg(slot, "1");

	msg.extra = &extra;
	hand_publish(&kit->ring, slot, "0");
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_OK);
	ring_unlock(&kit->ring);
	assert_int_equal(look(&kit->t.seg, 1, clock_monotonic_ms()), 2);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 2);
	assert_memory_equal(kit->reader.batch.records[1].body, "1", 1);
}

static void
test_damaged_table_is_not_believed(void **state)
{
	struct segment *seg = seg_of(state);
	char error[SEGMENT_ERROR_MAX];

	put(seg, 1, 7, 5);
	memset(seg->key_buckets, 0xff,
	    seg->key_bucket_count * sizeof(*seg->key_buckets));
	assert_true(ring_recover(seg, error)); /* no link is followed */
	assert_int_equal(look(seg, 1, 5), 7);
	seg->keys->next = seg->keys->first + TESTSEG_KEYS + 1;
	assert_false(ring_recover(seg, error));
	assert_non_null(strstr(error, "keys"));
}

/* The list that the random walk is compared with. */
static struct {
	uint64_t n, seq, at;
} list[4096];

static void
test_agrees_with_a_list(void **state)
{
	struct segment *seg = seg_of(state);
	struct dice dice = { 20261129 };
	size_t first = 0, next = 0;
	uint64_t now = 1;

	for (uint64_t step = 1; step < COUNT(list); step++) {
		uint64_t n = 1 + dice_below(&dice, 12), seq, known = 0;
		struct dedup_key key = numbered(n);
		enum dedup_status status;

		now += dice_below(&dice, 400);
		while (first < next && list[first].at + WINDOW <= now)
			first++;
		for (size_t i = first; i < next; i++)
			if (list[i].n == n)
				known = list[i].seq;
		if (dice_below(&dice, 8) == 0) /* as after a death */
			seg->keys->changing = 1;
		dedup_repair(seg);
		status = dedup_look(seg, &key, now, WINDOW, &seq);
		assert_int_equal(status, known != 0 ? DEDUP_KNOWN
					 : next - first == TESTSEG_KEYS
					     ? DEDUP_FULL
					     : DEDUP_NEW);
		if (known != 0)
			assert_int_equal(seq, known);
		if (status != DEDUP_NEW)
			continue;
		dedup_put(seg, &key, step, now);
		list[next].n = n;
		list[next].seq = step;
		list[next++].at = now;
	}
	assert_in_range(next, 500, COUNT(list));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_key_is_known_for_its_window),
	T(test_full_table_refuses_and_forgets_nothing),
	T(test_put_twice_is_once),
	T(test_texts_are_apart),
	T(test_publishing_remembers),
	T(test_damaged_table_is_not_believed),
	T(test_agrees_with_a_list),
};

SUITE_MAIN(tests);
