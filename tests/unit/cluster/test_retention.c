/* SPDX-License-Identifier: MIT */
/*
 * test_retention.c - what a host has published it keeps until another one has it,
 * and what a ring that was given up still held reaches the others by the next one's
 * log.
 */

#include "tests/support/hosts.h"
#include "tests/support/suite.h"

#include "broker/ring/topics.h"

#include <string.h>

#define RING_SIZE 65536u

static struct host a, b;
static struct stream stream;

static int
setup(void **state)
{
	(void)state;
	host_open(&a, RING_SIZE, 8);
	host_open(&b, 3 * RING_SIZE, 8);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	stream_close(&stream);
	host_close(&a);
	host_close(&b);
	return 0;
}

static struct layout_cluster *
words(const struct host *host)
{
	return &host->t.seg.header->cluster;
}

static uint64_t
waits_from(void)
{
	assert_true(sender_fill(&a.sender));
	return sender_waits_from(&a.sender);
}

static void
make_noise(struct host *host)
{
	uint32_t slot = hand_topic(&host->ring, "noise");

	for (unsigned i = 0; i < RING_SIZE / 48; i++)
		hand_publish(&host->ring, slot, "0");
}

static void
test_what_came_back_waits_until_another_has_it(void **state)
{
	uint64_t first;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	first = waits_from();
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	assert_false(sender_is_waiting(&a.sender));
	assert_int_equal(words(&a)->returned, 1);
	assert_int_equal(words(&a)->confirmed, 0);
	assert_int_equal(waits_from(), first);
	host_checkpoint(&b, &stream); /* b has not read it */
	host_catch_up(&a, &stream);
	assert_int_equal(waits_from(), first);
	host_catch_up(&b, &stream);
	host_checkpoint(&b, &stream);
	host_accept(&a, "t", "\"b\"");
	host_catch_up(&a, &stream);
	assert_int_equal(words(&a)->confirmed, 1);
	assert_true(waits_from() > first);
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_catch_up(&b, &stream);
	host_checkpoint(&b, &stream);
	host_catch_up(&a, &stream);
	assert_int_equal(words(&a)->confirmed, 2);
	assert_int_equal(waits_from(), 0);
}

/* It is killed, or has not found the log yet: the outbox was never full, and the
 * ring overwrote what nobody had sent. */
static void
test_without_a_bridge_the_outbox_fills_as_well(void **state)
{
	uint64_t first;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	first = atomic_load(&words(&a)->outbox);
	assert_int_equal(words(&a)->waits_from, first);
	while (!ring_outbox_full(&a.ring, 25)) {
		host_accept(&a, "t", "\"a\"");
		assert_true(words(&a)->out < RING_SIZE);
	}
	assert_int_equal(words(&a)->waits_from, first);
	assert_int_equal(waits_from(), first);
}

static void
test_own_checkpoint_confirms_nothing(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_checkpoint(&a, &stream);
	host_catch_up(&a, &stream);
	assert_int_equal(words(&a)->confirmed, 0);
	assert_int_not_equal(waits_from(), 0);
}

/* hosts.h says when a host is alone. */
static void
test_alone_coming_back_is_enough(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	sender_confirm(&a.sender, UINT64_MAX, 0); /* nothing has yet */
	assert_int_not_equal(waits_from(), 0);
	host_catch_up(&a, &stream);
	sender_confirm(&a.sender, UINT64_MAX, 1);
	assert_int_equal(words(&a)->confirmed, 1);
	assert_int_equal(waits_from(), 0);
}

/* Another host may be further than this one, and than its own ring will be if the
 * log is another one: what has not come back is kept all the same. */
static void
test_what_is_not_back_is_not_let_go(void **state)
{
	uint64_t first;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	first = waits_from();
	sender_confirm(&a.sender, 2, 0);
	assert_int_equal(words(&a)->confirmed, 0);
	assert_int_equal(waits_from(), first);
	sender_confirm(&a.sender, 2, 1);
	assert_int_equal(words(&a)->confirmed, 1);
	sender_confirm(&a.sender, 1, 2); /* of before */
	sender_confirm(&a.sender, 0, 2);
	assert_int_equal(words(&a)->confirmed, 1);
}

static void
test_next_bridge_keeps_what_is_not_confirmed(void **state)
{
	uint64_t first;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	sender_confirm(&a.sender, 1, 2);
	first = waits_from();
	assert_int_not_equal(first, 0);
	host_accept(&a, "t", "\"c\"");
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg, HOSTS_BODY_MAX);
	assert_int_equal(waits_from(), first);
	host_send(&a, &stream); /* c alone */
	assert_int_equal(stream.last, 2);
	host_catch_up(&a, &stream);
	sender_confirm(&a.sender, 2, 3);
	assert_true(waits_from() > first);
	sender_confirm(&a.sender, 3, 3);
	assert_int_equal(waits_from(), 0);
}

/* What has come back is in the log: that it is overwritten ends nothing, not for the
 * next bridge either. */
static void
test_what_came_back_may_be_overwritten(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	make_noise(&a);
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg, HOSTS_BODY_MAX);
	assert_true(sender_fill(&a.sender));
	assert_null(sender_next(&a.sender));
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	assert_int_equal(stream.last, 2);
	host_catch_up(&a, &stream);
	assert_int_equal(words(&a)->returned, 2);
}

/* Many, let go bit by bit: as many positions are remembered as wait. */
static void
test_many_are_let_go_bit_by_bit(void **state)
{
	uint64_t before = 0, from;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		host_accept(&a, "t", "\"a\"");
		host_send(&a, &stream);
		host_catch_up(&a, &stream);
		if (i < 100)
			continue;
		sender_confirm(&a.sender, i - 99, i + 1);
		from = waits_from();
		assert_true(from > before);
		before = from;
		assert_true(a.sender.gathered.max < 600);
	}
	assert_int_equal(words(&a)->confirmed, 1900);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_what_came_back_waits_until_another_has_it),
	TEST(test_without_a_bridge_the_outbox_fills_as_well),
	TEST(test_own_checkpoint_confirms_nothing),
	TEST(test_alone_coming_back_is_enough),
	TEST(test_what_is_not_back_is_not_let_go),
	TEST(test_next_bridge_keeps_what_is_not_confirmed),
	TEST(test_what_came_back_may_be_overwritten),
	TEST(test_many_are_let_go_bit_by_bit),
};

SUITE_MAIN(tests);
