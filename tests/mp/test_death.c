/* SPDX-License-Identifier: MIT */
/*
 * test_death.c - writers killed at every named place of a publish.
 *
 * A child stops itself at the place that the test has armed (broker/shared/stop_point.h), is
 * killed there, and the test publishes in its stead.  What the dead one had
 * committed must be seen by everybody, what it had not by nobody, and no number
 * is missing or given twice.
 */

#include "broker/ring/ring.h"
#include "broker/shared/stop_point.h"
#include "tests/support/mp.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <string.h>

#define RING_SIZE 8192u
#define BEFORE    3u /* messages in each topic before the death */

static struct ringkit *kit; /* its writer is the test */
static uint32_t one, two;

static int
setup(void **state)
{
	*state = kit = ringkit_new(sizeof(*kit), RING_SIZE, 8);
	one = hand_topic(&kit->ring, "one");
	two = hand_topic(&kit->ring, "two");
	for (unsigned i = 0; i < BEFORE; i++) {
		hand_publish(&kit->ring, one, "0");
		hand_publish(&kit->ring, two, "0");
	}
	kit->reader.cur.pos = ring_head(&kit->t.seg);
	return mp_setup(NULL);
}

/* A worker's publish: the three messages that may be lost together only. */
static int
publish_batch(void *arg)
{
	struct ring_msg msgs[] = { hand_msg(one, "\"a\""),
		hand_msg(two, "\"b\""), hand_msg(one, "\"c\"") };
	struct ring own;

	(void)arg;
	ring_attach(&own, &kit->t.seg, 1);
	hand_lock(&own);
	MP_CHECK(ring_publish(&own, msgs, 3) == RING_OK);
	ring_unlock(&own);
	stop_point_here(kit->t.seg.header, STOP_BEFORE_WAKE);
	return 0;
}

/* Have a child die at this place, doing what it does. */
static void
die_at(enum stop_place place, int (*run)(void *arg))
{
	pid_t pid;

	atomic_store(&kit->t.seg.header->stop_point_arm, place);
	pid = mp_spawn(run, NULL);
	mp_wait_stopped(pid);
	assert_int_equal(
	    atomic_load(&kit->t.seg.header->stop_point_arm), STOP_NOWHERE);
	mp_kill(pid);
}

/* The reader, and the directory, know exactly these bodies ("ab": 'a' and 'b')
 * after those of before. */
static void
check_seen(const char *bodies)
{
	uint64_t seq[2] = { BEFORE, BEFORE };
	char error[SEGMENT_ERROR_MAX];
	size_t n = strlen(bodies);

	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, n);
	for (size_t i = 0; i < n; i++) {
		const struct ring_record *rec = &kit->reader.batch.records[i];

		assert_int_equal(rec->body[1], bodies[i]);
		assert_int_equal(rec->seq, ++seq[rec->topic == two]);
	}
	assert_int_equal(ring_topic_seq(&kit->t.seg, one), seq[0]);
	assert_int_equal(ring_topic_seq(&kit->t.seg, two), seq[1]);
	if (!ring_verify(&kit->t.seg, error))
		fail_msg("%s", error);
}

static void
publish_xy(void)
{
	hand_publish(&kit->ring, two, "\"x\"");
	hand_publish(&kit->ring, one, "\"y\"");
}

static void
die_before_commit(enum stop_place place)
{
	die_at(place, publish_batch);
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
	publish_xy();
	check_seen("xy");
}

static void
die_after_commit(enum stop_place place)
{
	die_at(place, publish_batch);
	publish_xy();
	check_seen("abcxy");
}

#define DEATH(test, how, place)        \
	static void test(void **state) \
	{                              \
		(void)state;           \
		how(place);            \
	}

DEATH(test_killed_before_reserve, die_before_commit, STOP_BEFORE_RESERVE)
DEATH(test_killed_after_reserve, die_before_commit, STOP_RESERVED)
DEATH(test_killed_half_copied, die_before_commit, STOP_HALF_COPIED)
DEATH(test_killed_before_commit, die_before_commit, STOP_COPIED)
DEATH(test_killed_after_commit, die_after_commit, STOP_COMMITTED)
DEATH(test_killed_half_applied, die_after_commit, STOP_HALF_APPLIED)
DEATH(test_killed_before_unlock, die_after_commit, STOP_APPLIED)
DEATH(test_killed_before_waking, die_after_commit, STOP_BEFORE_WAKE)

/* What is committed can be read before anybody has repaired anything. */
static void
test_commit_needs_no_repair_to_be_read(void **state)
{
	(void)state;
	die_at(STOP_COMMITTED, publish_batch);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 3);
	assert_int_equal(kit->reader.batch.records[2].seq, BEFORE + 2);
}

/* The heir dies in its repair, and its heir again. */
static void
test_killed_in_the_repair_twice(void **state)
{
	(void)state;
	die_at(STOP_COMMITTED, publish_batch);
	die_at(STOP_HALF_REPLAYED, publish_batch);
	die_at(STOP_REPAIRED, publish_batch);
	publish_xy();
	check_seen("abcxy");
}

static void
test_killed_in_the_repair_of_half_an_apply(void **state)
{
	(void)state;
	die_at(STOP_HALF_APPLIED, publish_batch);
	die_at(STOP_HALF_REPLAYED, publish_batch);
	publish_xy();
	check_seen("abcxy");
}

/* A row of deaths, each in the middle of the next one's work. */
static void
test_killed_one_after_another(void **state)
{
	(void)state;
	die_at(STOP_HALF_COPIED, publish_batch);
	die_at(STOP_COMMITTED, publish_batch);
	die_at(STOP_COPIED, publish_batch);
	die_at(STOP_HALF_APPLIED, publish_batch);
	die_at(STOP_RESERVED, publish_batch);
	die_at(STOP_BEFORE_RESERVE, publish_batch);
	publish_xy();
	check_seen("abcabcxy");
}

/* A hundred messages in one publish, which are many batches of this ring. */
static int
publish_many(void *arg)
{
	static const char text[120];
	struct ring_msg msgs[100];
	struct ring own;

	(void)arg;
	for (unsigned i = 0; i < 100; i++) {
		msgs[i] = hand_msg(one, text);
		msgs[i].body_len = sizeof(text);
	}
	ring_attach(&own, &kit->t.seg, 1);
	hand_lock(&own);
	MP_CHECK(ring_publish(&own, msgs, 100) == RING_OK);
	ring_unlock(&own);
	return 0;
}

static void
test_killed_between_batches_keeps_those_committed(void **state)
{
	size_t batch;

	(void)state;
	die_at(STOP_APPLIED, publish_many);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	batch = kit->reader.batch.count;
	assert_in_range(batch, 2, 8); /* 168 bytes each, 1024 at most */
	assert_int_equal(
	    kit->reader.batch.records[batch - 1].seq, BEFORE + batch);
	assert_int_equal(
	    hand_publish(&kit->ring, one, "1"), BEFORE + batch + 1);
}

/* Whoever takes the lock sees that its holder died, however often. */
static void
test_lock_survives_a_hundred_deaths(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		die_at(STOP_APPLIED, publish_batch);
		hand_lock(&kit->ring);
		assert_int_equal(ring_topic_seq(&kit->t.seg, two), BEFORE + i);
		ring_unlock(&kit->ring);
	}
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, setup, ringkit_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_killed_before_reserve),
	T(test_killed_after_reserve),
	T(test_killed_half_copied),
	T(test_killed_before_commit),
	T(test_killed_after_commit),
	T(test_killed_half_applied),
	T(test_killed_before_unlock),
	T(test_killed_before_waking),
	T(test_commit_needs_no_repair_to_be_read),
	T(test_killed_in_the_repair_twice),
	T(test_killed_in_the_repair_of_half_an_apply),
	T(test_killed_one_after_another),
	T(test_killed_between_batches_keeps_those_committed),
	T(test_lock_survives_a_hundred_deaths),
};

SUITE_MAIN(tests);
