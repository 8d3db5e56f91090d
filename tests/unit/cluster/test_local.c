/* SPDX-License-Identifier: MIT */
/*
 * test_local.c - local mode: what is published is a message on its own host at once,
 * and once; the others have it when it has been to the log, or are told.
 */

#include "tests/support/hosts.h"
#include "tests/support/suite.h"

#include "broker/ring/chain.h"
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
	host_open(&b, 2 * RING_SIZE, 8);
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

static const struct layout_cluster *
words(const struct host *host)
{
	return &host->t.seg.header->cluster;
}

/* Both have the same log, and rings that can be believed. */
static void
check_same(void)
{
	struct ring_log_state states[2];
	char error[SEGMENT_ERROR_MAX];

	host_catch_up(&a, &stream);
	host_catch_up(&b, &stream);
	ring_log_state(&a.t.seg, &states[0]);
	ring_log_state(&b.t.seg, &states[1]);
	assert_int_equal(states[0].pos, states[1].pos);
	assert_int_equal(states[0].hash, states[1].hash);
	assert_memory_equal(
	    states[0].origins, states[1].origins, sizeof(states[0].origins));
	if (!ring_verify(&a.t.seg, error) || !ring_verify(&b.t.seg, error))
		fail_msg("%s", error);
}

/* The texts of a topic's messages on a host, a letter each; those with a place as
 * capitals. */
static void
check_says(struct host *host, const char *topic, const char *expected)
{
	uint32_t slot = hand_find(&host->t.seg, topic);
	uint64_t pos = slot == TOPICS_NONE
	                   ? 0
	                   : atomic_load(&host->t.seg.topics[slot].last);
	unsigned char bytes[1024];
	struct ring_record rec;
	char says[65] = "";
	size_t n = sizeof(says) - 1;

	for (; pos != 0 && n > 0; pos = rec.prev) {
		assert_int_equal(
		    ring_fetch(&host->t.seg, pos, bytes, sizeof(bytes), &rec),
		    RING_OK);
		assert_non_null(rec.mark);
		says[--n] = layout_mark_is_local(rec.mark)
		                ? rec.body[1]
		                : (char)(rec.body[1] - 'a' + 'A');
	}
	assert_string_equal(says + n, expected);
	if (slot != TOPICS_NONE)
		assert_int_equal(
		    ring_topic_seq(&host->t.seg, slot), strlen(expected));
}

static void
make_noise(struct host *host)
{
	uint32_t slot = hand_topic(&host->ring, "noise");

	for (unsigned i = 0; i < RING_SIZE / 48; i++)
		hand_publish(&host->ring, slot, "0");
}

static void
test_a_publish_is_a_message_at_once_and_once(void **state)
{
	(void)state;
	assert_int_equal(host_publish(&a, "t", "\"a\""), 1);
	assert_int_equal(host_publish(&a, "t", "\"b\""), 2);
	check_says(&a, "t", "ab");
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_ACCEPTED);
	check_same();
	check_says(&a, "t", "ab");
	check_says(&b, "t", "AB");
	assert_int_equal(a.in.dropped, 0);
	assert_int_equal(words(&a)->returned, 2);
	assert_false(sender_is_waiting(&a.sender));
}

static void
test_each_host_keeps_the_order_of_the_others(void **state)
{
	(void)state;
	host_publish(&a, "t", "\"a\"");
	host_publish(&b, "t", "\"x\"");
	host_send(&b, &stream);
	host_send(&a, &stream);
	host_publish(&b, "t", "\"y\"");
	host_send(&b, &stream);
	check_same();
	check_says(&a, "t", "aXY");
	check_says(&b, "t", "xyA");
}

static void
test_what_only_waited_becomes_a_message_first(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "u", "\"b\"");
	host_accept(&a, "t", "\"c\"");
	check_says(&a, "t", "");
	assert_false(ring_all_shown(&a.ring));
	assert_int_equal(host_show(&a), 1u << 1); /* its clients wait there */
	assert_true(ring_all_shown(&a.ring));
	host_publish(&a, "t", "\"d\"");
	check_says(&a, "t", "acd");
	check_says(&a, "u", "b");
	assert_int_equal(host_show(&a), 0);
	host_send(&a, &stream);
	check_same();
	check_says(&a, "t", "acd");
	check_says(&b, "t", "ACD");
	check_says(&b, "u", "B");
}

static void
test_then_others_wait_again(void **state)
{
	(void)state;
	host_publish(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	check_says(&a, "t", "a");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	check_says(&a, "t", "aB");
	host_accept(&a, "t", "\"c\"");
	host_send(&a, &stream); /* on its way when that begins */
	host_show(&a);
	check_says(&a, "t", "aBc");
	check_same();
	check_says(&a, "t", "aBc");
	check_says(&b, "t", "ABC");
}

static void
test_their_worker_meets_those_that_become_messages(void **state)
{
	struct reader reader;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	reader_open(&reader, &a.t.seg, 8, 4096);
	memset(reader.wanted, 0, sizeof(*reader.wanted));
	reader.batch.for_worker = 1 + 1;
	host_show(&a);
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_int_equal(reader.batch.count, 1);
	assert_int_equal(reader.batch.records[0].worker, 1);
	assert_int_equal(reader.batch.records[0].conn, 7);
	assert_int_equal(reader.batch.records[0].seq, 1);
	assert_int_equal(reader.batch.records[0].mark->out, 1);
	reader_close(&reader);
}

/* Its topic's slot is another topic's by then. */
static void
test_a_topic_may_have_another_slot_when_it_is_shown(void **state)
{
	unsigned char bytes[1024];
	struct ring_record rec;
	char name[] = "0";
	uint32_t slot;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	for (; name[0] <= '8'; name[0]++)
		hand_publish(&a.ring, hand_topic(&a.ring, name), "0");
	assert_int_equal(hand_find(&a.t.seg, "t"), TOPICS_NONE);
	host_show(&a);
	assert_true(ring_all_shown(&a.ring));
	slot = hand_find(&a.t.seg, "t");
	assert_int_not_equal(slot, TOPICS_NONE);
	assert_int_equal(
	    ring_fetch(&a.t.seg, atomic_load(&a.t.seg.topics[slot].last), bytes,
		sizeof(bytes), &rec),
	    RING_OK);
	assert_memory_equal(rec.name, "t", 1);
	assert_memory_equal(rec.body, "\"a\"", 3);
	host_send(&a, &stream);
	check_same();
	check_says(&b, "t", "A");
}

static void
test_many_are_shown_bit_by_bit(void **state)
{
	char body[HOSTS_BODY_MAX - 8];
	unsigned n = 0;

	(void)state;
	memset(body, 'x', sizeof(body));
	body[0] = body[sizeof(body) - 2] = '"';
	body[sizeof(body) - 1] = '\0';
	for (unsigned i = 0; i < 2 * 20; i++)
		host_accept(&b, "t", body);
	host_show(&b);
	assert_true(ring_all_shown(&b.ring));
	assert_int_equal(
	    ring_topic_seq(&b.t.seg, hand_find(&b.t.seg, "t")), 40);
	for (unsigned i = 0; i < 3 * 64; i++, n++)
		host_accept(&a, "u", "\"u\"");
	host_show(&a);
	assert_int_equal(ring_topic_seq(&a.t.seg, hand_find(&a.t.seg, "u")), n);
}

static void
put_ephemeral(struct host *host, const struct ring_mark *mark)
{
	struct ring_msg msg = hand_msg(hand_topic(&host->ring, "t"), "\"e\"");

	msg.flags = RECORD_EPHEMERAL;
	msg.mark = mark;
	hand_lock(&host->ring);
	assert_int_equal(ring_publish(&host->ring, &msg, 1), RING_OK);
	ring_unlock(&host->ring);
}

static void
test_what_has_no_number_takes_none(void **state)
{
	struct reader readers[2];

	(void)state;
	host_publish(&a, "t", "\"a\"");
	reader_open(&readers[0], &a.t.seg, 8, 4096);
	put_ephemeral(&a, &ring_local);
	put_ephemeral(&a, &ring_to_outbox);
	host_publish(&a, "t", "\"b\"");
	host_send(&a, &stream);
	host_catch_up(&b, &stream);
	check_says(&b, "t", "AB");
	reader_open(&readers[1], &a.t.seg, 8, 4096);
	assert_int_equal(reader_read(&readers[0]), RING_OK);
	assert_int_equal(readers[0].batch.count, 2);
	assert_int_equal(readers[0].batch.records[0].flags & RECORD_UNNUMBERED,
	    RECORD_EPHEMERAL);
	assert_int_equal(readers[0].batch.records[0].seq, 1);
	reader_close(&readers[0]);
	reader_close(&readers[1]);
	check_same();
	check_says(&a, "t", "ab");
}

static void
test_lapped_messages_are_said_to_be_lost(void **state)
{
	struct log_head head;

	(void)state;
	host_publish(&a, "t", "\"a\"");
	host_publish(&a, "t", "\"b\"");
	make_noise(&a);
	host_publish(&a, "t", "\"c\"");
	host_send(&a, &stream);
	assert_int_equal(stream.last, 2);
	assert_true(
	    log_read(stream.messages[1].at, stream.messages[1].len, &head));
	assert_int_equal(head.kind, LOG_LOST);
	assert_int_equal(head.prev, 0);
	assert_int_equal(head.count, 2);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_ACCEPTED);
	b.in.wake = 0;
	assert_int_equal(host_take(&b, &stream, 1), INGEST_ACCEPTED);
	assert_int_equal(b.in.wake, (1u << TESTSEG_WORKERS) - 1);
	assert_int_equal(host_take(&b, &stream, 1), INGEST_OLD);
	assert_int_equal(
	    words(&b)->lost, 1 << LAYOUT_PLACE_BITS | LAYOUT_PLACE_INDEX);
	assert_int_equal(words(&a)->lost, 0); /* its clients have had them */
	check_same();
	check_says(&b, "t", "C");
	assert_int_equal(ring_origin_last(&b.t.seg, words(&a)->self), 3);
	assert_false(sender_is_waiting(&a.sender));
}

/* All of them, when nothing has come since. */
static void
test_the_newest_may_be_lapped(void **state)
{
	(void)state;
	host_publish(&a, "t", "\"a\"");
	assert_true(sender_fill(&a.sender) && sender_next(&a.sender) != NULL);
	host_publish(&a, "t", "\"b\"");
	make_noise(&a);
	host_send(&a, &stream); /* the first was lost on its way */
	assert_int_equal(host_take(&b, &stream, 1), INGEST_HOLE);
	sender_go_back(&a.sender);
	host_send(&a, &stream);
	check_same();
	check_says(&b, "t", "A");
	assert_int_equal(ring_origin_last(&b.t.seg, words(&a)->self), 2);
	assert_int_not_equal(words(&b)->lost, 0);
}

/* What waits only, nobody has had: it cannot be given up. */
static void
test_what_nobody_has_had_is_not_lost(void **state)
{
	(void)state;
	host_publish(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	make_noise(&a);
	host_accept(&a, "t", "\"c\"");
	assert_false(sender_fill(&a.sender));
}

/* As many batches as may be are on their way when the ring laps the rest. */
static void
test_behind_full_batches_one_loss_is_said(void **state)
{
	unsigned lost = 0;
	struct log_head head;

	(void)state;
	for (unsigned i = 0; i < SENDER_BATCHES; i++) {
		host_publish(&a, "t", "\"a\"");
		assert_true(sender_fill(&a.sender));
	}
	for (unsigned i = 0; i < 3; i++) {
		host_publish(&a, "t", "\"b\"");
		assert_true(sender_fill(&a.sender));
		make_noise(&a);
	}
	assert_true(sender_fill(&a.sender));
	host_publish(&a, "t", "\"c\"");
	for (unsigned i = 0; i < 2; i++) {
		host_send(&a, &stream);
		host_catch_up(&a, &stream);
	}
	for (uint64_t i = 1; i <= stream.last; i++) {
		assert_true(log_read(
		    stream.messages[i].at, stream.messages[i].len, &head));
		lost += head.kind == LOG_LOST ? head.count : 0;
	}
	assert_int_equal(lost, 3);
	check_same();
	assert_int_equal(ring_topic_seq(&b.t.seg, hand_find(&b.t.seg, "t")),
	    SENDER_BATCHES + 1);
}

/* A bridge is killed; what it had sent is on its way when the next one finds it
 * overwritten. */
static void
test_a_loss_of_what_comes_after_all_is_cut(void **state)
{
	(void)state;
	host_publish(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_publish(&a, "t", "\"b\"");
	make_noise(&a);
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg);
	host_send(&a, &stream); /* both are lost */
	assert_int_equal(host_take(&a, &stream, 1), INGEST_ACCEPTED);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_DOUBLE);
	sender_go_back(&a.sender);
	host_send(&a, &stream); /* the second is */
	check_same();
	check_says(&b, "t", "A");
	assert_int_equal(ring_origin_last(&b.t.seg, words(&a)->self), 2);
}

/* Which numbers of a topic come for somebody behind a place. */
static uint64_t
low_behind(struct host *host, const char *topic, uint64_t place, bool *all)
{
	uint32_t slot = hand_find(&host->t.seg, topic);
	struct chain chain;
	uint64_t low;

	chain_init(&chain, &host->t.seg, slot,
	    ring_topic_seq(&host->t.seg, slot),
	    atomic_load(&host->t.seg.topics[slot].last));
	*all = chain_walk_place(&chain, place);
	low = chain.low;
	chain_fini(&chain);
	return low;
}

#define PLACE(n) ((uint64_t)(n) << LAYOUT_PLACE_BITS)

/*
 * The log has x before a, and this host's ring a before x.  Somebody who had x of
 * another host has not had a: it stands in front of x here, and has no place.
 */
static void
test_behind_a_place_all_come_that_may_stand_there(void **state)
{
	bool all;

	(void)state;
	host_publish(&b, "t", "\"x\"");
	host_send(&b, &stream);
	host_publish(&a, "t", "\"a\"");
	host_send(&a, &stream);
	check_same();
	check_says(&a, "t", "aX");
	check_says(&b, "t", "xA");
	assert_int_equal(low_behind(&a, "t", PLACE(1), &all), 1);
	host_publish(&b, "t", "\"y\"");
	host_send(&b, &stream);
	check_same();
	/* When y came, a had come back: what is in front of y is before it. */
	assert_int_equal(low_behind(&a, "t", PLACE(3), &all), 4);
	assert_true(all);
	host_publish(&a, "t", "\"c\"");
	host_publish(&a, "t", "\"d\"");
	check_says(&a, "t", "aXYcd");
	assert_int_equal(low_behind(&a, "t", PLACE(3), &all), 4);
	assert_true(all);
	/* Who had a elsewhere gets it, and x, once more: nobody knows here. */
	assert_int_equal(low_behind(&a, "t", PLACE(2), &all), 1);
}

/* One that lost nothing goes on exactly, as if there were no local mode. */
static void
test_behind_a_place_of_total_mode_it_is_exact(void **state)
{
	bool all;

	(void)state;
	host_publish(&a, "u", "\"u\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	for (unsigned i = 0; i < 3; i++) {
		host_accept(&a, "t", "\"a\"");
		host_send(&a, &stream);
	}
	check_same();
	for (unsigned i = 2; i <= 4; i++) {
		assert_int_equal(low_behind(&a, "t", PLACE(i), &all), i);
		assert_true(all);
	}
}

/* It has a mark, which one that only waits has not. */
static void
test_longest_message_of_the_longest_name_is_sent(void **state)
{
	char name[LAYOUT_TOPIC_NAME_MAX + 1], text[HOSTS_BODY_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(text, 'a', sizeof(text) - 1);
	text[0] = text[sizeof(text) - 2] = '"';
	text[sizeof(text) - 1] = '\0';
	host_publish(&a, name, text);
	assert_true(sender_fill(&a.sender));
	host_send(&a, &stream);
	check_same();
	check_says(&a, name, "a");
	check_says(&b, name, "A");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_a_publish_is_a_message_at_once_and_once),
	TEST(test_each_host_keeps_the_order_of_the_others),
	TEST(test_what_only_waited_becomes_a_message_first),
	TEST(test_then_others_wait_again),
	TEST(test_their_worker_meets_those_that_become_messages),
	TEST(test_a_topic_may_have_another_slot_when_it_is_shown),
	TEST(test_many_are_shown_bit_by_bit),
	TEST(test_what_has_no_number_takes_none),
	TEST(test_lapped_messages_are_said_to_be_lost),
	TEST(test_the_newest_may_be_lapped),
	TEST(test_what_nobody_has_had_is_not_lost),
	TEST(test_behind_full_batches_one_loss_is_said),
	TEST(test_a_loss_of_what_comes_after_all_is_cut),
	TEST(test_behind_a_place_all_come_that_may_stand_there),
	TEST(test_behind_a_place_of_total_mode_it_is_exact),
	TEST(test_longest_message_of_the_longest_name_is_sent),
};

SUITE_MAIN(tests);
