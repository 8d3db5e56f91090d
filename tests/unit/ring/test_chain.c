/* SPDX-License-Identifier: MIT */
/*
 * test_chain.c - what broker/ring/chain.h promises, one test per promise.
 *
 * Every message of a topic says its own number, among those of another topic.
 */

#include "broker/ring/chain.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RING 65536u

struct book {
	struct ringkit kit;
	uint32_t topic, other;
	alignas(8) unsigned char bytes[RING];
};

static int
setup(void **state)
{
	struct book *b = ringkit_new(sizeof(*b), RING, 2);

	b->topic = hand_topic(&b->kit.ring, "topic");
	b->other = hand_topic(&b->kit.ring, "other");
	*state = b;
	return 0;
}

/* Publish so many more of the topic, each with one of the other. */
static void
publish(struct book *b, unsigned count)
{
	char text[32];

	while (count-- > 0) {
		snprintf(text, sizeof(text), "%" PRIu64,
		    ring_topic_seq(&b->kit.t.seg, b->topic) + 1);
		hand_publish(&b->kit.ring, b->topic, text);
		hand_publish(&b->kit.ring, b->other, "null");
	}
}

static void
begin(struct chain *chain, struct book *b)
{
	const struct layout_topic *topic = &b->kit.t.seg.topics[b->topic];

	chain_init(chain, &b->kit.t.seg, b->topic, atomic_load(&topic->seq),
	    atomic_load(&topic->last));
}

static void
expect(struct chain *chain, struct book *b, uint64_t number)
{
	struct ring_record rec;
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64, number);

	assert_int_equal(
	    chain_read(chain, number, b->bytes, sizeof(b->bytes), &rec),
	    RING_OK);
	assert_int_equal(rec.seq, number);
	assert_int_equal(rec.body_len, n);
	assert_memory_equal(rec.body, text, (size_t)n);
}

static void
test_every_length_around_the_stride(void **state)
{
	struct book *b = *state;
	struct chain chain;

	for (uint64_t n = 0; n <= 3 * CHAIN_STRIDE + 1; n++) {
		begin(&chain, b);
		chain_walk(&chain, 1);
		assert_int_equal(chain.low, 1);
		assert_int_equal(chain.seq, n);
		for (uint64_t i = 1; i <= n; i++)
			expect(&chain, b, i);
		for (uint64_t i = n; i >= 1; i--)
			expect(&chain, b, i);
		chain_fini(&chain);
		publish(b, 1);
	}
}

static void
test_walks_no_further_than_asked(void **state)
{
	struct book *b = *state;
	struct chain chain;

	publish(b, 200);
	for (uint64_t first = 1; first <= 201; first++) {
		begin(&chain, b);
		chain_walk(&chain, first);
		assert_int_equal(chain.low, first);
		if (first <= 200)
			expect(&chain, b, first);
		chain_fini(&chain);
	}
}

static void
test_topic_without_records(void **state)
{
	struct book *b = *state;
	struct chain chain;

	begin(&chain, b);
	chain_walk(&chain, 1);
	assert_int_equal(chain.low, chain.seq + 1);
	chain_fini(&chain);
}

static void
test_walk_ends_where_the_ring_does(void **state)
{
	struct book *b = *state;
	struct chain chain;

	publish(b, 2000);
	begin(&chain, b);
	chain_walk(&chain, 1);
	assert_in_range(chain.low, 1450, 1550);
	for (uint64_t i = chain.low; i <= 2000; i++)
		expect(&chain, b, i);
	chain_fini(&chain);
}

/* Written over between the walk and the reading: what is gone is the lower
 * part, whole, and what is left can still be read. */
static void
test_overwritten_meanwhile(void **state)
{
	struct book *b = *state;
	struct ring_record rec;
	struct chain chain;
	uint64_t gone;

	publish(b, 400);
	begin(&chain, b);
	chain_walk(&chain, 1);
	expect(&chain, b, chain.low); /* its stretch is known by now */
	gone = chain.low;
	for (int round = 0; round < 80; round++) {
		publish(b, 7);
		while (
		    gone <= 400 && chain_read(&chain, gone, b->bytes,
				       sizeof(b->bytes), &rec) == RING_LAPPED)
			gone++;
		for (uint64_t i = gone; i <= 400; i++)
			expect(&chain, b, i);
		for (uint64_t i = chain.low; i < gone; i++)
			assert_int_equal(chain_read(&chain, i, b->bytes,
					     sizeof(b->bytes), &rec),
			    RING_LAPPED);
	}
	assert_int_equal(gone, 401);
	chain_fini(&chain);
}

/* Its slot was another topic's before: those records are not its own. */
static void
test_earlier_life_is_ignored(void **state)
{
	struct book *b = *state;
	struct chain chain;
	uint64_t base;

	publish(b, 100);
	b->topic = hand_topic(&b->kit.ring, "third");
	base = b->kit.t.seg.topics[b->topic].base;
	assert_true(base >= 100);
	begin(&chain, b);
	chain_walk(&chain, 1);
	assert_int_equal(chain.low, base + 1);
	chain_fini(&chain);
	hand_publish(&b->kit.ring, b->topic, "1");
	begin(&chain, b);
	chain_walk(&chain, 1);
	assert_int_equal(chain.low, base + 1);
	assert_int_equal(chain.seq, base + 1);
	chain_fini(&chain);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_every_length_around_the_stride),
	T(test_walks_no_further_than_asked),
	T(test_topic_without_records),
	T(test_walk_ends_where_the_ring_does),
	T(test_overwritten_meanwhile),
	T(test_earlier_life_is_ignored),
};

SUITE_MAIN(tests);
