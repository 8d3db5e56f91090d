/* SPDX-License-Identifier: MIT */
/*
 * test_retention.c - what a host has published it keeps until another one has it,
 * and what a ring that was given up still held reaches the others by the next one's
 * log.
 */

#include "tests/support/hosts.h"
#include "tests/support/suite.h"

#include "broker/ring/topics.h"

#include <stdlib.h>
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
	sender_init(&a.sender, &a.t.seg);
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
	sender_init(&a.sender, &a.t.seg);
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

/* The texts of a topic's messages on a host, a letter each. */
static void
check_says(struct host *host, const char *topic, const char *expected)
{
	uint32_t slot = hand_find(&host->t.seg, topic);
	uint64_t pos = slot == TOPICS_NONE
	                   ? 0
	                   : atomic_load(&host->t.seg.topics[slot].last);
	unsigned char bytes[1024];
	char says[65] = "";
	size_t n = sizeof(says) - 1;
	struct ring_record rec;

	for (; pos != 0 && n > 0; pos = rec.prev) {
		assert_int_equal(
		    ring_fetch(&host->t.seg, pos, bytes, sizeof(bytes), &rec),
		    RING_OK);
		says[--n] = rec.body[1];
	}
	assert_string_equal(says + n, expected);
}

/* What a's ring, which was given up, still had goes into this log, read by b. */
static void
send_aside(struct stream *log)
{
	uint64_t self = words(&a)->self;
	struct sender sender;
	const struct buf *batch;

	sender_init_aside(&sender, &a.t.seg, ring_origin_last(&b.t.seg, self));
	for (unsigned i = 0; i < 2; i++) { /* all of it a second time */
		assert_true(sender_fill(&sender));
		while ((batch = sender_next(&sender)) != NULL)
			stream_add(log, batch->at, batch->len);
		sender_go_back(&sender);
	}
	host_catch_up(&b, log);
	sender_came_back(&sender, ring_origin_last(&b.t.seg, self));
	assert_true(sender_fill(&sender));
	sender_go_back(&sender);
	assert_null(sender_next(&sender));
	assert_int_equal(ring_origin_last(&b.t.seg, self), words(&a)->out);
	sender_confirm(&sender, UINT64_MAX, words(&a)->out);
	assert_int_equal(words(&a)->confirmed, words(&a)->out);
	assert_int_equal(sender_waits_from(&sender), 0);
	sender_fini(&sender);
}

/* The log is begun anew, and knows nothing of the ring: what was confirmed other
 * hosts have had, and the rest comes. */
static void
test_another_log_gets_what_was_not_confirmed(void **state)
{
	static struct stream other;
	struct log_head head;

	(void)state;
	for (const char *text = "abcde"; *text != '\0'; text++) {
		const char json[] = { '"', *text, '"', '\0' };

		host_accept(&a, "t", json);
	}
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	sender_confirm(&a.sender, 3, 5);
	host_accept(&a, "t", "\"f\""); /* not sent */
	host_publish(&a, "t", "\"g\"");
	send_aside(&other);
	check_says(&b, "t", "defg");
	assert_true(
	    log_read(other.messages[1].at, other.messages[1].len, &head));
	assert_int_equal(head.kind, LOG_LOST);
	assert_int_equal(head.prev, 0);
	assert_int_equal(head.count, 3);
	stream_close(&other);
}

static void
test_another_log_gets_all_if_none_was_confirmed(void **state)
{
	static struct stream other;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_accept(&a, "t", "\"b\"");
	send_aside(&other);
	check_says(&b, "t", "ab");
	assert_int_equal(words(&b)->lost, 0);
	stream_close(&other);
}

/* The log has lost its end, or another host had another one: it goes on where the log
 * has the ring, even if somebody has said to have more. */
static void
test_the_log_goes_on_where_it_has_the_ring(void **state)
{
	static struct stream other;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	stream_add(&other, stream.messages[1].at, stream.messages[1].len);
	host_accept(&a, "t", "\"b\"");
	host_accept(&a, "t", "\"c\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	sender_confirm(&a.sender, 2, 3);
	host_accept(&a, "t", "\"d\"");
	host_catch_up(&b, &other);
	check_says(&b, "t", "a");
	send_aside(&other);
	check_says(&b, "t", "abcd");
	assert_int_equal(words(&b)->lost, 0);
	stream_close(&other);
}

/* What had been sent by the ring itself arrives late. */
static void
test_what_arrives_late_comes_once(void **state)
{
	static struct stream other;
	struct sender sender;
	const struct buf *batch;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &other);
	host_accept(&a, "t", "\"c\"");
	sender_init_aside(&sender, &a.t.seg, 0);
	assert_true(sender_fill(&sender));
	batch = sender_next(&sender); /* abc */
	stream_add(&other, batch->at, batch->len);
	host_catch_up(&b, &other);
	check_says(&b, "t", "ab");
	sender_came_back(&sender, ring_origin_last(&b.t.seg, words(&a)->self));
	sender_go_back(&sender);
	batch = sender_next(&sender);
	stream_add(&other, batch->at, batch->len);
	host_catch_up(&b, &other);
	check_says(&b, "t", "abc");
	sender_fini(&sender);
	stream_close(&other);
}

/* What waited only could not be given up while the ring was served. */
static void
test_what_was_overwritten_is_said_to_be_lost(void **state)
{
	static struct stream other;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	make_noise(&a);
	host_accept(&a, "t", "\"c\"");
	send_aside(&other);
	check_says(&b, "t", "c");
	assert_int_not_equal(words(&b)->lost, 0);
	stream_close(&other);
}

/* More wait than may be on their way, and the log has more of them than are in
 * batches: an earlier bridge had sent those. */
static void
test_what_is_not_packed_yet_is_not_let_go(void **state)
{
	const uint64_t n = SENDER_BATCHES * LOG_RECORDS_MAX + 100;
	struct host many;
	struct sender *s = &many.sender;

	(void)state;
	host_open(&many, 4u << 20, 8);
	for (uint64_t i = 0; i < n; i++)
		host_accept(&many, "t", "\"a\"");
	assert_true(sender_fill(s));
	assert_true(s->packed < n - 1);
	sender_confirm(s, n - 1, n - 1);
	assert_int_equal(words(&many)->confirmed, n - 1);
	sender_came_back(s, n - 1);
	assert_true(sender_fill(s));
	assert_int_equal(s->packed, n);
	sender_came_back(s, n - 1);
	assert_int_equal(s->count, 1);
	sender_came_back(s, n);
	sender_confirm(s, n, n);
	assert_int_equal(sender_waits_from(s), 0);
	host_close(&many);
}

/* The newest record of a's outbox, where it is. */
static struct layout_record *
newest(void)
{
	return (void *)(a.t.seg.ring + words(&a)->outbox % a.t.seg.ring_size);
}

static void
damage_number(void)
{
	newest()->seq = UINT64_C(1) << 40;
}

/* It leads to itself. */
static void
damage_number_and_link(void)
{
	newest()->seq = UINT64_C(1) << 40;
	newest()->prev = words(&a)->outbox;
}

/* It leads past one. */
static void
damage_link(void)
{
	const struct layout_record *before =
	    (void *)(a.t.seg.ring + newest()->prev % a.t.seg.ring_size);

	newest()->prev = before->prev;
}

static void
damage_length(void)
{
	newest()->length = 1;
}

static void
damage_kind(void)
{
	newest()->flags &= (uint8_t)~RECORD_OUTBOX;
}

static void
damage_outbox_word(void)
{
	atomic_store(&words(&a)->outbox, newest()->prev);
}

static void
damage_out_word(void)
{
	atomic_store(&words(&a)->out, UINT64_C(1) << 40);
}

/* One that is read as it stands sends for ever, or what nobody has published. */
static void
test_damaged_outbox_is_told_apart(void **state)
{
	void (*const damages[])(void) = { damage_number, damage_number_and_link,
		damage_link, damage_length, damage_kind, damage_outbox_word,
		damage_out_word };
	unsigned char *saved;
	struct sender sender;

	(void)state;
	for (const char *text = "abcd"; *text != '\0'; text++)
		host_accept(&a, "t", "\"a\"");
	saved = testseg_save(&a.t);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		damages[i]();
		sender_init_aside(&sender, &a.t.seg, 0);
		if (sender_fill(&sender))
			fail_msg("damage %zu is not seen", i);
		sender_fini(&sender);
		testseg_restore(&a.t, saved);
	}
	sender_init_aside(&sender, &a.t.seg, 0);
	assert_true(sender_fill(&sender));
	assert_non_null(sender_next(&sender));
	sender_fini(&sender);
	free(saved);
}

static void
damage_origin(void)
{
	words(&a)->self = 0;
}

static void
damage_confirmed(void)
{
	atomic_store(&words(&a)->confirmed, words(&a)->out + 1);
}

static void
damage_head(void)
{
	atomic_store(&a.t.seg.header->head, UINT64_C(1) << 40);
}

static void
damage_reserve(void)
{
	atomic_store(&a.t.seg.header->reserve, UINT64_C(1) << 40);
}

static void
damage_both_words(void)
{
	damage_out_word();
	atomic_store(&words(&a)->outbox, 8);
}

static void
test_words_of_an_outbox_are_told_apart(void **state)
{
	void (*const damages[])(void) = { damage_origin, damage_confirmed,
		damage_head, damage_reserve, damage_both_words, damage_number,
		damage_length, damage_outbox_word, damage_out_word };
	unsigned char *saved;

	(void)state;
	assert_false(ring_outbox_sound(&a.t.seg)); /* there is nothing */
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	saved = testseg_save(&a.t);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		damages[i]();
		if (ring_outbox_sound(&a.t.seg))
			fail_msg("damage %zu is not seen", i);
		testseg_restore(&a.t, saved);
	}
	free(saved);
	assert_true(ring_outbox_sound(&a.t.seg));
	sender_confirm(&a.sender, 2, 2);
	assert_true(ring_outbox_sound(&a.t.seg));
	make_noise(&a);
	assert_true(ring_outbox_sound(&a.t.seg));
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
	TEST(test_another_log_gets_what_was_not_confirmed),
	TEST(test_another_log_gets_all_if_none_was_confirmed),
	TEST(test_the_log_goes_on_where_it_has_the_ring),
	TEST(test_what_arrives_late_comes_once),
	TEST(test_what_was_overwritten_is_said_to_be_lost),
	TEST(test_what_is_not_packed_yet_is_not_let_go),
	TEST(test_damaged_outbox_is_told_apart),
	TEST(test_words_of_an_outbox_are_told_apart),
};

SUITE_MAIN(tests);
