/* SPDX-License-Identifier: MIT */
/* test_ring.c - what broker/ring/ring.h promises of the writers' side. */

#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/ring/topics.h"
#include "common/xmalloc.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 8192u
#define TOPICS    8u

static int
setup(void **state)
{
	struct ringkit *kit = ringkit_new(sizeof(*kit), RING_SIZE, TOPICS);

	ring_detach(&kit->ring); /* not the first of all workers */
	ring_attach(&kit->ring, &kit->t.seg, 3);
	*state = kit;
	return 0;
}

static void
test_fresh_ring_is_empty(void **state)
{
	struct ringkit *kit = *state;
	struct layout_header *h = kit->t.seg.header;

	assert_int_equal(ring_head(&kit->t.seg), atomic_load(&h->applied));
	assert_int_equal(ring_head(&kit->t.seg), atomic_load(&h->reserve));
	assert_int_not_equal(ring_head(&kit->t.seg), 0); /* 0 is "no record" */
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
}

static void
test_numbers_are_dense_in_each_topic(void **state)
{
	struct ringkit *kit = *state;
	uint32_t one = hand_topic(&kit->ring, "one");
	uint32_t two = hand_topic(&kit->ring, "two");

	for (uint64_t i = 1; i <= 1000; i++) {
		assert_int_equal(hand_publish(&kit->ring, one, "\"x\""), i);
		if (i % 3 == 0)
			assert_int_equal(
			    hand_publish(&kit->ring, two, "1"), i / 3);
	}
	assert_int_equal(ring_topic_seq(&kit->t.seg, one), 1000);
	assert_int_equal(ring_topic_seq(&kit->t.seg, two), 333);
}

static void
test_batch_numbers_its_messages_in_order(void **state)
{
	struct ringkit *kit = *state;
	uint32_t one = hand_topic(&kit->ring, "one");
	uint32_t two = hand_topic(&kit->ring, "two");
	struct ring_msg msgs[] = { hand_msg(one, "1"), hand_msg(two, "2"),
		hand_msg(one, "3"), hand_msg(one, "4") };
	const uint64_t seqs[] = { 1, 1, 2, 3 };

	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, msgs, 4), RING_OK);
	ring_unlock(&kit->ring);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(msgs[i].seq, seqs[i]);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(kit->reader.batch.records[i].seq, seqs[i]);
		assert_int_equal(kit->reader.batch.records[i].body[0], '1' + i);
	}
}

static void
test_record_carries_all_it_was_given(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "caf\xc3\xa9");
	struct ring_msg msg = hand_msg(slot, "{\"a\":1}");
	const struct ring_record *rec = kit->reader.batch.records;

	msg.time_ms = 1234567890123;
	msg.conn = UINT64_MAX;
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_OK);
	ring_unlock(&kit->ring);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(rec->topic, slot);
	assert_int_equal(rec->worker, 3);
	assert_int_equal(rec->seq, 1);
	assert_int_equal(rec->time_ms, 1234567890123);
	assert_int_equal(rec->conn, UINT64_MAX);
	assert_int_equal(rec->name_len, 5);
	assert_memory_equal(rec->name, "caf\xc3\xa9", 5);
	assert_int_equal(rec->body_len, 7);
	assert_memory_equal(rec->body, "{\"a\":1}", 7);
}

static void
test_records_of_a_topic_are_chained_backwards(void **state)
{
	struct ringkit *kit = *state;
	uint32_t one = hand_topic(&kit->ring, "one");
	uint32_t two = hand_topic(&kit->ring, "two");
	uint64_t last[TOPICS] = { 0 };
	struct ring_msg msgs[6];

	for (int i = 0; i < 6; i++)
		msgs[i] = hand_msg(i % 3 == 0 ? one : two, "0");
	hand_lock(&kit->ring);
	ring_publish(&kit->ring, msgs, 6);
	ring_unlock(&kit->ring);
	hand_publish(&kit->ring, one, "0");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 7);
	for (size_t i = 0; i < 7; i++) {
		const struct ring_record *rec = &kit->reader.batch.records[i];

		assert_int_equal(rec->prev, last[rec->topic]);
		last[rec->topic] = rec->pos;
	}
	for (uint32_t slot = one; slot <= two; slot++)
		assert_int_equal(
		    atomic_load(&kit->t.seg.topics[slot].last), last[slot]);
}

/* A publish of n messages of some length; the text is their number. */
static void
publish_many(struct ringkit *kit, uint32_t topic, unsigned n, int len)
{
	struct ring_msg *msgs = xcalloc(n, sizeof(*msgs));
	char *texts = xcalloc(n, (size_t)len + 1);

	for (unsigned i = 0; i < n; i++) {
		char *text = texts + i * ((size_t)len + 1);

		snprintf(text, (size_t)len + 1, "%0*u", len, i);
		msgs[i] = hand_msg(topic, text);
	}
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, msgs, n), RING_OK);
	ring_unlock(&kit->ring);
	for (unsigned i = 1; i < n; i++)
		assert_int_equal(msgs[i].seq, msgs[0].seq + i);
	free(texts);
	free(msgs);
}

static void
test_batch_larger_than_an_eighth_is_divided(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "t");

	publish_many(kit, slot, 40, 120); /* 40 x 176 bytes of 8192 */
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(
		    strtol(kit->reader.batch.records[i].body, NULL, 10), i);
}

static void
test_publish_larger_than_the_ring_is_numbered_to_its_end(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "t");

	publish_many(kit, slot, 200, 120);
	assert_int_equal(ring_topic_seq(&kit->t.seg, slot), 200);
	assert_int_equal(reader_read(&kit->reader), RING_LAPPED);
}

/*
 * Bodies of every length from 0 to the largest, round and round, so that
 * records of every length modulo 8 meet the end of the ring at every distance.
 */
static void
test_any_length_anywhere_comes_back_whole(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "name");
	const uint32_t max = RING_SIZE / RING_RECORDS_MIN - 48 -
	                     (uint32_t)sizeof(struct layout_extra) - 4;
	char text[RING_SIZE / RING_RECORDS_MIN];
	uint64_t seq = 0;

	assert_true(ring_record_max(max - 251) <= RING_SIZE / RING_RECORDS_MIN);
	for (uint32_t step = 1; step <= 7; step += 2) {
		for (uint32_t i = 0; i <= max; i++) {
			uint32_t len = i * step % (max + 1);
			const struct layout_extra extra = { .expires_ms = i };
			const struct ring_record *rec;
			struct ring_msg msg;

			memset(text, 'a' + (int)(len % 26), len);
			text[len] = '\0';
			msg = hand_msg(slot, text);
			msg.extra = i % 2 == 1 ? &extra : NULL;
			hand_lock(&kit->ring);
			assert_int_equal(
			    ring_publish(&kit->ring, &msg, 1), RING_OK);
			ring_unlock(&kit->ring);
			assert_int_equal(msg.seq, ++seq);
			assert_int_equal(reader_read(&kit->reader), RING_OK);
			assert_int_equal(kit->reader.batch.count, 1);
			rec = kit->reader.batch.records;
			assert_int_equal(rec->seq, seq);
			assert_int_equal(rec->body_len, len);
			assert_int_equal(rec->expires_ms, i % 2 == 1 ? i : 0);
			assert_memory_equal(rec->body, text, len);
			assert_memory_equal(rec->name, "name", 4);
			assert_int_equal(rec->pos % 8, 0);
		}
	}
	assert_true(ring_head(&kit->t.seg) > 10 * RING_SIZE);
}

/* Publish until exactly `left' bytes remain before the ring's last byte. */
static void
approach_the_end(struct ringkit *kit, uint32_t slot, uint64_t left)
{
	static const char text[65]; /* 48 + "t" + body: 56 or 64 bytes */
	uint64_t todo = RING_SIZE - ring_head(&kit->t.seg) % RING_SIZE - left;
	struct ring_msg msg;

	while (todo > 0) {
		msg = hand_msg(slot, text);
		msg.body_len = todo % 64 == 0 ? 15 : 7;
		hand_lock(&kit->ring);
		assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_OK);
		ring_unlock(&kit->ring);
		todo -= 49u + msg.body_len;
	}
	assert_int_equal(ring_head(&kit->t.seg) % RING_SIZE, RING_SIZE - left);
	while (reader_read(&kit->reader) == RING_OK)
		;
}

static void
test_record_may_end_with_the_ring(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "t");

	approach_the_end(kit, slot, 56);
	hand_publish(&kit->ring, slot, "1234567");
	assert_int_equal(ring_head(&kit->t.seg) % RING_SIZE, 0);
	hand_publish(&kit->ring, slot, "\"first\"");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 2);
	assert_int_equal(kit->reader.batch.records[1].pos % RING_SIZE, 0);
}

static void
test_padding_of_eight_bytes_is_skipped(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "t");

	approach_the_end(kit, slot, 8);
	hand_publish(&kit->ring, slot, "1234567");
	assert_int_equal(ring_head(&kit->t.seg) % RING_SIZE, 56);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 1);
	assert_int_equal(kit->reader.batch.records[0].pos % RING_SIZE, 0);
	assert_memory_equal(kit->reader.batch.records[0].body, "1234567", 7);
}

static void
test_names_of_no_and_of_most_bytes(void **state)
{
	struct ringkit *kit = *state;
	char name[LAYOUT_TOPIC_NAME_MAX + 1];
	uint32_t none = hand_topic(&kit->ring, "");
	uint32_t most;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	most = hand_topic(&kit->ring, name);
	hand_publish(&kit->ring, none, "1");
	hand_publish(&kit->ring, most, "2");
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.records[0].name_len, 0);
	assert_int_equal(kit->reader.batch.records[0].body[0], '1');
	assert_int_equal(kit->reader.batch.records[1].name_len, 255);
	assert_memory_equal(kit->reader.batch.records[1].name, name, 255);
	assert_int_equal(kit->reader.batch.records[1].body[0], '2');
}

static void
test_sealed_ring_refuses_and_changes_nothing(void **state)
{
	struct ringkit *kit = *state;
	uint32_t slot = hand_topic(&kit->ring, "t");
	struct ring_msg msg = hand_msg(slot, "1");
	uint64_t head = ring_head(&kit->t.seg);

	hand_lock(&kit->ring);
	ring_seal(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_SEALED);
	ring_unlock(&kit->ring);
	assert_int_equal(ring_head(&kit->t.seg), head);
	assert_int_equal(ring_topic_seq(&kit->t.seg, slot), 0);

	store_begin_run(&kit->t.seg, TESTSEG_WORKERS, 1000);
	assert_int_equal(hand_publish(&kit->ring, slot, "1"), 1);
}

static void
test_publish_of_nothing_changes_nothing(void **state)
{
	struct ringkit *kit = *state;
	uint64_t head = ring_head(&kit->t.seg);

	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, NULL, 0), RING_OK);
	ring_unlock(&kit->ring);
	assert_int_equal(ring_head(&kit->t.seg), head);
}

static void
test_lock_that_is_held_is_busy_until_left(void **state)
{
	struct ringkit *kit = *state;
	struct ring other;

	ring_attach(&other, &kit->t.seg, 4);
	hand_lock(&kit->ring);
	assert_int_equal(ring_lock(&other), RING_BUSY); /* waits 20 ms */
	for (int i = 0; i < 10000; i++) /* would take 200 s if these waited */
		assert_int_equal(ring_lock(&other), RING_BUSY);
	ring_unlock(&kit->ring);
	assert_int_equal(ring_lock(&other), RING_OK);
	ring_unlock(&other);
	ring_detach(&other);
}

static void
test_owner_names_the_holder_and_each_holding(void **state)
{
	struct ringkit *kit = *state;
	_Atomic uint64_t *owner = &kit->t.seg.header->owner;
	uint64_t first;

	hand_lock(&kit->ring);
	first = atomic_load(owner);
	assert_int_equal(layout_owner_slot(first), 3);
	ring_unlock(&kit->ring);
	assert_int_equal(atomic_load(owner), 0);
	hand_lock(&kit->ring);
	assert_int_equal(layout_owner_slot(atomic_load(owner)), 3);
	assert_int_not_equal(atomic_load(owner), first);
	ring_unlock(&kit->ring);
}

/* A record without a number leaves the topic as it was, whether it is applied or
 * replayed by the next holder of the lock. */
static void
test_unnumbered_record_is_no_link(void **state)
{
	struct ringkit *kit = *state;
	struct layout_header *h = kit->t.seg.header;
	uint32_t topic = hand_topic(&kit->ring, "topic");
	struct ring_msg msgs[] = { hand_msg(topic, "1"), hand_msg(topic, "2"),
		hand_msg(topic, "3") };
	uint64_t before, last;

	hand_publish(&kit->ring, topic, "0");
	before = ring_head(&kit->t.seg);
	msgs[0].flags = msgs[1].flags = RECORD_EPHEMERAL;
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, msgs, 2), RING_OK);
	assert_int_equal(ring_topic_seq(&kit->t.seg, topic), 1);
	assert_true(atomic_load(&kit->t.seg.topics[topic].last) < before);
	atomic_store(&h->applied, before); /* as if it had died here */
	ring_unlock(&kit->ring);

	hand_lock(&kit->ring);
	assert_int_equal(atomic_load(&h->applied), ring_head(&kit->t.seg));
	assert_int_equal(ring_topic_seq(&kit->t.seg, topic), 1);
	last = atomic_load(&kit->t.seg.topics[topic].last);
	assert_int_equal(ring_publish(&kit->ring, msgs + 2, 1), RING_OK);
	ring_unlock(&kit->ring);

	assert_int_equal(msgs[0].seq, 1); /* the last before it */
	assert_int_equal(msgs[2].seq, 2);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 4);
	assert_int_equal(kit->reader.batch.records[1].flags, RECORD_EPHEMERAL);
	assert_int_equal(kit->reader.batch.records[3].prev, last);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_fresh_ring_is_empty),
	T(test_numbers_are_dense_in_each_topic),
	T(test_batch_numbers_its_messages_in_order),
	T(test_record_carries_all_it_was_given),
	T(test_records_of_a_topic_are_chained_backwards),
	T(test_batch_larger_than_an_eighth_is_divided),
	T(test_publish_larger_than_the_ring_is_numbered_to_its_end),
	T(test_any_length_anywhere_comes_back_whole),
	T(test_record_may_end_with_the_ring),
	T(test_padding_of_eight_bytes_is_skipped),
	T(test_names_of_no_and_of_most_bytes),
	T(test_sealed_ring_refuses_and_changes_nothing),
	T(test_publish_of_nothing_changes_nothing),
	T(test_lock_that_is_held_is_busy_until_left),
	T(test_owner_names_the_holder_and_each_holding),
	T(test_unnumbered_record_is_no_link),
};

SUITE_MAIN(tests);
