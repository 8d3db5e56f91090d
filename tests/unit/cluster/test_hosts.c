/* SPDX-License-Identifier: MIT */
/*
 * test_hosts.c - hosts that read one stream come to the same: every record once,
 * those of each host in order, whatever was lost or came twice on its way in.
 */

#include "tests/support/hosts.h"
#include "tests/support/suite.h"

#include "broker/ring/topics.h"
#include "broker/shared/stamps.h"
#include "common/bug.h"
#include "common/clock.h"

#include <stdlib.h>

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

static uint64_t
last_of(const struct host *host, const struct host *origin)
{
	return ring_origin_last(
	    &host->t.seg, origin->t.seg.header->cluster.self);
}

/* Both have the same state, and messages; nobody waits. */
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
	assert_int_equal(states[0].count, states[1].count);
	assert_memory_equal(
	    states[0].origins, states[1].origins, sizeof(states[0].origins));
	if (!ring_verify(&a.t.seg, error) || !ring_verify(&b.t.seg, error))
		fail_msg("%s", error);
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
	struct ring_record rec;
	uint64_t seq = strlen(expected), below = UINT64_MAX;

	for (; pos != 0; pos = rec.prev, seq--) {
		assert_int_equal(
		    ring_fetch(&host->t.seg, pos, bytes, sizeof(bytes), &rec),
		    RING_OK);
		assert_int_equal(rec.seq, seq);
		assert_int_equal(rec.body[1], expected[seq - 1]);
		assert_non_null(rec.mark);
		assert_true(rec.mark->pos < below);
		below = rec.mark->pos;
	}
	assert_int_equal(seq, 0);
}

static void
test_all_hosts_have_one_order(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&b, "t", "\"x\"");
	host_send(&b, &stream);
	host_accept(&a, "u", "\"c\"");
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	check_same();
	check_says(&a, "t", "xab");
	check_says(&b, "t", "xab");
	check_says(&b, "u", "c");
	assert_false(sender_is_waiting(&a.sender));
}

/* How long it took to come back is counted: each record once. */
static void
test_way_to_the_ring_is_measured(void **state)
{
	const struct stats_delays *delays =
	    &a.t.seg.header->cluster.accept_to_ring;
	uint64_t count = 0;

	(void)state;
	stamps_add(&a.t.seg, clock_monotonic_ns() - 2000000000);
	for (unsigned i = 0; i < 3; i++)
		host_accept(&a, "t", "\"a\"");
	host_accept(&b, "t", "\"b\"");
	host_send(&a, &stream);
	host_send(&b, &stream);
	check_same();
	check_same();
	for (unsigned i = 0; i <= STATS_DELAY_BOUNDS; i++)
		count += stats_get_word(&delays->count[i]);
	assert_int_equal(count, 3);
	assert_in_range(stats_get_word(&delays->sum_ns), UINT64_C(6000000000),
	    UINT64_C(600000000000));
}

static void
test_what_is_not_sent_is_no_message(void **state)
{
	struct reader reader;

	(void)state;
	reader_open(&reader, &a.t.seg, 8, 4096);
	assert_int_equal(host_accept(&a, "t", "\"a\""), 1);
	assert_int_equal(host_accept(&a, "t", "\"b\""), 2);
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_int_equal(reader.batch.count, 0);
	assert_int_equal(ring_topic_seq(&a.t.seg, hand_find(&a.t.seg, "t")), 0);
	reader_close(&reader);
	assert_true(sender_fill(&a.sender));
	assert_int_not_equal(sender_waits_from(&a.sender), 0);
}

static void
test_own_records_come_back_to_their_worker(void **state)
{
	struct reader reader;

	(void)state;
	reader_open(&reader, &a.t.seg, 8, 4096);
	memset(reader.wanted, 0, sizeof(*reader.wanted));
	reader.batch.for_worker = 1 + 1;
	host_accept(&a, "t", "\"a\"");
	host_accept(&b, "t", "\"x\"");
	host_send(&b, &stream);
	host_send(&a, &stream);
	a.in.wake = 0;
	host_catch_up(&a, &stream);
	assert_int_equal(a.in.wake, 1u << 1);
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_int_equal(reader.batch.count, 1);
	assert_int_equal(reader.batch.records[0].seq, 2);
	assert_int_equal(reader.batch.records[0].conn, 7);
	assert_int_equal(reader.batch.records[0].mark->out, 1);
	assert_int_equal(reader.batch.records[0].mark->pos, 2 << 8);
	reader_close(&reader);
}

static void
test_what_comes_twice_counts_once(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	sender_go_back(&a.sender);
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_ACCEPTED);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_DOUBLE);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_OLD);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_OLD);
	check_same();
	check_says(&b, "t", "a");
}

static void
test_behind_a_lost_batch_all_is_sent_again(void **state)
{
	const struct buf *lost;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	assert_true(sender_fill(&a.sender));
	lost = sender_next(&a.sender);
	assert_non_null(lost);
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_HOLE);
	assert_int_equal(a.in.head.round, 0);
	sender_go_back(&a.sender);
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_ACCEPTED);
	assert_int_equal(host_take(&a, &stream, 3), INGEST_ACCEPTED);
	assert_int_equal(a.in.head.round, 1);
	check_same();
	check_says(&b, "t", "ab");
}

/* A bridge is killed; the next packs otherwise, while what the first had sent is
 * still on its way. */
static void
test_next_bridge_packs_otherwise(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	host_accept(&a, "t", "\"c\"");
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg);
	assert_true(sender_fill(&a.sender)); /* abc in one */
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_ACCEPTED);
	assert_int_equal(last_of(&a, &a), 2);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_DOUBLE);
	sender_go_back(&a.sender); /* now c alone */
	host_send(&a, &stream);
	assert_int_equal(host_take(&a, &stream, 3), INGEST_ACCEPTED);
	check_same();
	check_says(&b, "t", "abc");
}

static void
test_many_records_are_batches_of_256(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	char text[] = "\"?\"", expected[601];
	struct log_head head;

	(void)state;
	for (unsigned i = 0; i < 600; i++) {
		text[1] = expected[i] = letters[i % 26];
		host_accept(&b, "t", text);
		if (i % 200 == 199) { /* or the outbox laps its ring */
			host_send(&b, &stream);
			host_catch_up(&b, &stream);
		}
	}
	expected[600] = '\0';
	for (unsigned i = 0; i < 300; i++)
		host_accept(&b, "u", "\"u\"");
	host_send(&b, &stream);
	assert_int_equal(stream.last, 3 + 2);
	assert_true(
	    log_read(stream.messages[4].at, stream.messages[4].len, &head));
	assert_int_equal(head.count, LOG_RECORDS_MAX);
	check_same();
	check_says(&b, "t", expected);
}

static void
test_lapped_outbox_is_noticed(void **state)
{
	uint32_t slot = hand_topic(&a.ring, "noise");

	(void)state;
	host_accept(&a, "t", "\"a\"");
	for (unsigned i = 0; i < RING_SIZE / 48; i++)
		hand_publish(&a.ring, slot, "0");
	host_accept(&a, "t", "\"b\"");
	assert_false(sender_fill(&a.sender));
}

/* A publisher stands between the two words that say what waits: `out' is less
 * than what is gathered.  The last record was gathered again and again then, and
 * a batch of such had it under the numbers of others. */
static void
test_record_is_gathered_once(void **state)
{
	_Atomic uint64_t *out = &a.t.seg.header->cluster.out;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "t", "\"b\"");
	assert_true(sender_fill(&a.sender));
	atomic_store(out, 1);
	host_send(&a, &stream);
	assert_int_equal(stream.last, 1);
	atomic_store(out, 2);
	host_accept(&a, "t", "\"c\"");
	host_send(&a, &stream);
	assert_int_equal(stream.last, 2);
	check_same();
	check_says(&b, "t", "abc");
}

/* What has come back may be overwritten. */
static void
test_old_records_are_not_looked_for(void **state)
{
	uint32_t slot = hand_topic(&a.ring, "noise");

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	for (unsigned i = 0; i < RING_SIZE / 48; i++)
		hand_publish(&a.ring, slot, "0");
	assert_true(sender_fill(&a.sender));
	sender_fini(&a.sender);
	sender_init(&a.sender, &a.t.seg);
	assert_true(sender_fill(&a.sender));
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	assert_int_equal(last_of(&a, &a), 2);
}

static void
test_full_outbox_is_said(void **state)
{
	struct layout_cluster *c = &a.t.seg.header->cluster;
	unsigned n = 0;

	(void)state;
	assert_false(ring_outbox_full(&a.ring, 25));
	while (!ring_outbox_full(&a.ring, 25)) {
		host_accept(&a, "t", "\"a\"");
		assert_true(sender_fill(&a.sender));
		atomic_store(&c->waits_from, sender_waits_from(&a.sender));
		assert_true(++n < RING_SIZE / 4);
	}
	assert_false(ring_outbox_full(&a.ring, 50));
	for (unsigned i = 0; i < 2; i++) { /* 64 batches, and the rest */
		host_send(&a, &stream);
		host_catch_up(&a, &stream);
		assert_true(sender_fill(&a.sender));
		atomic_store(&c->waits_from, sender_waits_from(&a.sender));
	}
	assert_true(ring_outbox_full(&a.ring, 25)); /* b has said nothing */
	host_catch_up(&b, &stream);
	host_checkpoint(&b, &stream);
	host_catch_up(&a, &stream);
	atomic_store(&c->waits_from, sender_waits_from(&a.sender));
	assert_false(ring_outbox_full(&a.ring, 25));
}

static void
test_missing_messages_end_the_ring(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	assert_int_equal(host_take(&b, &stream, 2), INGEST_MISSED);
	assert_int_equal(host_take(&b, &stream, 1), INGEST_ACCEPTED);
}

static void
test_other_hash_at_a_checkpoint_is_noticed(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_catch_up(&b, &stream);
	host_checkpoint(&a, &stream);
	assert_int_equal(
	    host_take(&b, &stream, stream.last), INGEST_CHECKPOINT);
	host_catch_up(&a, &stream);
	a.t.seg.header->cluster.hash ^= 1;
	a.t.seg.header->cluster.pos = 1 << LAYOUT_PLACE_BITS;
	host_checkpoint(&a, &stream);
	assert_int_equal(host_take(&b, &stream, stream.last), INGEST_DIVERGED);
}

/* A bridge was killed when half of a batch was in the ring; the next one says
 * where that stands before it goes on.  It was taken for another log, and all
 * other hosts gave up their rings. */
static void
test_checkpoint_in_midst_of_a_batch_is_no_other_hash(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "u", "\"b\"");
	host_send(&a, &stream);
	host_catch_up(&b, &stream);
	a.t.seg.header->cluster.pos = 1 << LAYOUT_PLACE_BITS;
	host_checkpoint(&a, &stream);
	assert_int_equal(
	    host_take(&b, &stream, stream.last), INGEST_CHECKPOINT);
}

static void
test_log_begun_anew_is_noticed(void **state)
{
	const struct ring_log_state genesis = { .pos = 0 };
	struct buf bytes;

	(void)state;
	buf_init(&bytes);
	log_checkpoint(&bytes, LOG_GENESIS, 5, "x", &genesis);
	stream_add(&stream, bytes.at, bytes.len);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_CHECKPOINT);
	stream_add(&stream, bytes.at, bytes.len);
	assert_int_equal(host_take(&a, &stream, 2), INGEST_RESTARTED);
	buf_fini(&bytes);
}

static void
test_foreign_messages_are_skipped(void **state)
{
	(void)state;
	stream_add(&stream, "hello", 5);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_FOREIGN);
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	check_same();
	check_says(&b, "t", "a");
}

/* A directory without room, and a message longer than one host takes: the host
 * goes without, and with the others. */
static void
test_what_has_no_place_counts(void **state)
{
	char name[] = "0";

	(void)state;
	for (; name[0] < '8'; name[0]++) {
		uint32_t slot = hand_topic(&b.ring, name);

		topics_subscribe(&b.t.seg, slot, 0);
	}
	host_accept(&a, "t", "\"a\"");
	host_accept(&a, "0", "\"b\"");
	host_accept(&a, "t", "\"c\"");
	host_send(&a, &stream);
	check_same();
	assert_int_equal(b.in.dropped, 2);
	check_says(&b, "0", "b");
	check_says(&a, "t", "ac");
}
/* A server of the log has one message more than the others: hosts that read it have
 * the same messages, each at a place further on. */
static void
test_other_places_are_another_hash(void **state)
{
	static struct stream shifted;
	const struct buf *batch;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	batch = &stream.messages[1];
	stream_add(&shifted, "hello", 5);
	stream_add(&shifted, batch->at, batch->len);
	stream_add(&stream, "hello", 5);
	stream_add(&stream, "hello", 5);
	stream_add(&shifted, "hello", 5);
	host_catch_up(&a, &stream);
	host_catch_up(&b, &shifted);
	assert_int_equal(last_of(&b, &a), 1);
	host_checkpoint(&a, &shifted);
	assert_int_equal(host_take(&b, &shifted, 4), INGEST_DIVERGED);
	stream_close(&shifted);
}

static void
test_joiner_goes_on_from_a_checkpoint(void **state)
{
	static struct host c;
	char name[LOG_NAME + 1];
	struct ring_log_state said;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	host_checkpoint(&a, &stream);
	log_read_state(stream.messages[2].at, &said, name);
	host_open(&c, RING_SIZE, 8);
	hand_lock(&c.ring);
	ring_log_join(&c.ring, &said, "first", stream.last);
	ring_unlock(&c.ring);
	host_accept(&a, "t", "\"b\"");
	host_send(&a, &stream);
	host_accept(&c, "t", "\"y\"");
	host_send(&c, &stream);
	host_catch_up(&c, &stream);
	check_same();
	assert_int_equal(last_of(&c, &a), 2);
	assert_int_equal(
	    c.t.seg.header->cluster.hash, a.t.seg.header->cluster.hash);
	check_says(&c, "t", "by");
	host_close(&c);
}

/* Hosts that had other logs have all given up their rings, and read once more what
 * made them do it: they gave up the next rings for it, for an hour. */
static void
test_what_was_said_before_a_ring_began_does_not_end_it(void **state)
{
	const struct ring_log_state genesis = { .pos = 0 };
	static struct host c;

	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	host_catch_up(&a, &stream);
	a.t.seg.header->cluster.hash ^= 1;
	host_checkpoint(&a, &stream);
	assert_int_equal(host_take(&b, &stream, 1), INGEST_ACCEPTED);
	assert_int_equal(host_take(&b, &stream, 2), INGEST_DIVERGED);
	host_open(&c, RING_SIZE, 8);
	hand_lock(&c.ring);
	ring_log_join(&c.ring, &genesis, "first", stream.last);
	ring_unlock(&c.ring);
	host_catch_up(&c, &stream);
	check_says(&c, "t", "a");
	a.t.seg.header->cluster.pos = 1 << LAYOUT_PLACE_BITS;
	host_checkpoint(&a, &stream);
	assert_int_equal(host_take(&c, &stream, stream.last), INGEST_DIVERGED);
	host_close(&c);
}

/* More origins than there is room for: all hosts forget the same one. */
static void
test_oldest_origin_is_forgotten_everywhere(void **state)
{
	struct ring_record rec = {
		.name = "t", .name_len = 1, .body = "0", .body_len = 1
	};
	struct buf bytes;

	(void)state;
	buf_init(&bytes);
	for (uint64_t origin = 1; origin <= LAYOUT_ORIGINS + 1; origin++) {
		log_batch_open(&bytes, origin, 0);
		log_batch_add(&bytes, &rec);
		stream_add(&stream, bytes.at, bytes.len);
		if (origin == 1)
			host_catch_up(&b, &stream);
		if (origin == LAYOUT_ORIGINS) { /* 2 is the oldest then */
			log_batch_open(&bytes, 1, 1);
			log_batch_add(&bytes, &rec);
			stream_add(&stream, bytes.at, bytes.len);
		}
	}
	buf_fini(&bytes);
	check_same();
	assert_int_equal(ring_origin_last(&a.t.seg, 1), 2);
	assert_int_equal(ring_origin_last(&a.t.seg, 2), 0);
	assert_int_equal(ring_origin_last(&a.t.seg, 3), 1);
}

static void
test_sealed_ring_takes_nothing(void **state)
{
	(void)state;
	host_accept(&a, "t", "\"a\"");
	host_send(&a, &stream);
	hand_lock(&a.ring);
	ring_seal(&a.ring);
	ring_unlock(&a.ring);
	assert_int_equal(host_take(&a, &stream, 1), INGEST_SEALED);
	assert_int_equal(last_of(&a, &a), 0);
	atomic_store(&a.t.seg.header->sealed, 0);
	check_same();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_all_hosts_have_one_order),
	TEST(test_way_to_the_ring_is_measured),
	TEST(test_what_is_not_sent_is_no_message),
	TEST(test_own_records_come_back_to_their_worker),
	TEST(test_what_comes_twice_counts_once),
	TEST(test_behind_a_lost_batch_all_is_sent_again),
	TEST(test_next_bridge_packs_otherwise),
	TEST(test_many_records_are_batches_of_256),
	TEST(test_lapped_outbox_is_noticed),
	TEST(test_record_is_gathered_once),
	TEST(test_old_records_are_not_looked_for),
	TEST(test_full_outbox_is_said),
	TEST(test_missing_messages_end_the_ring),
	TEST(test_other_hash_at_a_checkpoint_is_noticed),
	TEST(test_other_places_are_another_hash),
	TEST(test_checkpoint_in_midst_of_a_batch_is_no_other_hash),
	TEST(test_log_begun_anew_is_noticed),
	TEST(test_foreign_messages_are_skipped),
	TEST(test_what_has_no_place_counts),
	TEST(test_joiner_goes_on_from_a_checkpoint),
	TEST(test_what_was_said_before_a_ring_began_does_not_end_it),
	TEST(test_oldest_origin_is_forgotten_everywhere),
	TEST(test_sealed_ring_takes_nothing),
};

SUITE_MAIN(tests);
