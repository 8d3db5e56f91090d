/* SPDX-License-Identifier: MIT */
/*
 * test_subscribe.c - subscribing while others publish.
 *
 * Subscribers come and go as workers do, on topics that two processes publish
 * to without a pause.  From the number that was read under the lock on, each
 * number must come exactly once, whatever the subscriber had slept through.
 */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <sched.h>
#include <string.h>

#define RING_SIZE   65536u
#define TOPICS      4u
#define PUBLISHERS  2u
#define SUBSCRIBERS 2u
#define ROUNDS      2000u /* of subscribing, per subscriber, */
#define ROUNDS_MS   5000u /* or as many as fit into this */
#define FOLLOWED    20u   /* messages that a subscription lasts */

static struct testseg t;
static _Atomic bool *over; /* the subscribers are done */

static int
setup(void **state)
{
	int result = mp_setup(state);

	testseg_open(&t, RING_SIZE, TOPICS);
	over = mp_share(sizeof(*over));
	return result;
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	mp_unshare((void *)(uintptr_t)over, sizeof(*over));
	testseg_close(&t);
	return result;
}

/* Whether a subscriber with any interest is half a ring behind: then publishing
 * waits, for this is not about being lapped. */
static bool
is_anybody_behind(void)
{
	uint64_t interest = 0;

	for (uint32_t i = 0; i < TOPICS; i++)
		interest |= atomic_load(&t.seg.topics[i].interest);
	for (unsigned w = 0; w < SUBSCRIBERS; w++)
		if (interest >> w & 1 &&
		    ring_head(&t.seg) >
			atomic_load(&t.seg.workers[w].cursor) + RING_SIZE / 2)
			return true;
	return false;
}

static int
publish_always(void *arg)
{
	unsigned self = SUBSCRIBERS + *(unsigned *)arg;
	struct dice dice = { self };
	struct ring own;

	ring_attach(&own, &t.seg, self);
	while (!atomic_load(over)) {
		struct ring_msg msg =
		    hand_msg((uint32_t)dice_below(&dice, TOPICS), "\"text\"");
		bool behind;

		hand_lock(&own);
		behind = is_anybody_behind();
		if (!behind)
			MP_CHECK(ring_publish(&own, &msg, 1) == RING_OK);
		ring_unlock(&own);
		if (behind)
			sched_yield();
	}
	return 0;
}

/* Subscribe as the protocol says: all under the lock, and to the head first
 * where there was no interest at all.  Returns the number it starts above. */
static uint64_t
subscribe(struct reader *r, uint32_t topic)
{
	uint64_t seq;

	hand_lock(&r->ring);
	MP_CHECK(topics_subscribe(&t.seg, topic, r->ring.self));
	seq = ring_topic_seq(&t.seg, topic);
	r->cur.pos = ring_head(&t.seg);
	atomic_store(&t.seg.workers[r->ring.self].cursor, r->cur.pos);
	ring_unlock(&r->ring);
	r->wanted[0] = UINT64_C(1) << topic;
	return seq;
}

/* Tail until FOLLOWED messages above this number have come, one by one. */
static void
follow(struct reader *r, uint32_t topic, uint64_t seq)
{
	uint64_t end = seq + FOLLOWED;

	while (seq < end) {
		enum ring_status status = reader_read(r);

		MP_CHECK(status == RING_OK || status == RING_EMPTY);
		atomic_store(&t.seg.workers[r->ring.self].cursor, r->cur.pos);
		for (size_t i = 0; i < r->batch.count; i++) {
			MP_CHECK(r->batch.records[i].topic == topic);
			MP_CHECK(r->batch.records[i].seq == ++seq);
		}
		if (status == RING_EMPTY)
			sched_yield();
	}
}

static int
come_and_go(void *arg)
{
	uint64_t deadline = clock_monotonic_ms() + ROUNDS_MS;
	unsigned self = *(unsigned *)arg;
	struct dice dice = { self + 1 };
	struct reader reader;

	reader_open(&reader, &t.seg, 16, 4096);
	reader.ring.self = self;
	for (unsigned i = 0; i < ROUNDS && clock_monotonic_ms() < deadline;
	     i++) {
		uint32_t topic = (uint32_t)dice_below(&dice, TOPICS);

		follow(&reader, topic, subscribe(&reader, topic));
		MP_CHECK(topics_unsubscribe(&t.seg, topic, self));
	}
	return 0;
}

static void
test_each_number_above_the_start_comes_once(void **state)
{
	/* NOLINTNEXTLINE(bugprone-branch-clone): equal only as they are set now */
	unsigned self[PUBLISHERS > SUBSCRIBERS ? PUBLISHERS : SUBSCRIBERS];
	pid_t publishers[PUBLISHERS], subscribers[SUBSCRIBERS];
	struct ring ring;

	(void)state;
	ring_attach(&ring, &t.seg, 0);
	for (char name[] = "0"; *name < '0' + (int)TOPICS; ++*name)
		hand_topic(&ring, name);
	ring_detach(&ring);
	for (unsigned i = 0; i < SUBSCRIBERS; i++) {
		self[i] = i;
		subscribers[i] = mp_spawn(come_and_go, &self[i]);
	}
	for (unsigned i = 0; i < PUBLISHERS; i++) {
		self[i] = i;
		publishers[i] = mp_spawn(publish_always, &self[i]);
	}
	for (unsigned i = 0; i < SUBSCRIBERS; i++)
		mp_join(subscribers[i]);
	atomic_store(over, true);
	for (unsigned i = 0; i < PUBLISHERS; i++)
		mp_join(publishers[i]);
	for (uint32_t i = 0; i < TOPICS; i++) {
		assert_int_equal(atomic_load(&t.seg.topics[i].interest), 0);
		assert_int_equal(topics_subscribers(&t.seg, i), 0);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_number_above_the_start_comes_once),
};

SUITE_MAIN(tests);
