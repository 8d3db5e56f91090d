/* SPDX-License-Identifier: MIT */
/*
 * test_lock.c - the ring's lock while its holder is stopped, not dead: nobody
 * hangs, nobody breaks in.
 */

#include "broker/ring/ring.h"
#include "broker/shared/stop_point.h"
#include "common/clock.h"
#include "tests/support/mp.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

static struct ringkit *kit; /* its writer is the test */
static uint32_t slot;

static int
setup(void **state)
{
	*state = kit = ringkit_new(sizeof(*kit), 8192, 4);
	slot = hand_topic(&kit->ring, "t");
	return mp_setup(NULL);
}

static int
publish_one(void *arg)
{
	struct ring own;

	(void)arg;
	ring_attach(&own, &kit->t.seg, 1);
	hand_publish(&own, slot, "\"child\"");
	return 0;
}

/* A child that is stopped with the lock in its hand. */
static pid_t
stopped_holder(void)
{
	pid_t pid;

	atomic_store(&kit->t.seg.header->stop_point_arm, STOP_COPIED);
	pid = mp_spawn(publish_one, NULL);
	mp_wait_stopped(pid);
	return pid;
}

static void
test_stopped_holder_makes_others_wait_a_bounded_time(void **state)
{
	uint64_t started;
	pid_t pid = stopped_holder();

	(void)state;
	started = clock_monotonic_ms();
	assert_int_equal(ring_lock(&kit->ring), RING_BUSY);
	assert_in_range(
	    clock_monotonic_ms() - started, RING_LOCK_WAIT_MS - 1, 5000);

	/* once it was in vain, trying again costs nothing */
	started = clock_monotonic_ms();
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(ring_lock(&kit->ring), RING_BUSY);
	assert_true(clock_monotonic_ms() - started < 1000 * RING_LOCK_WAIT_MS);

	mp_continue(pid);
	mp_join(pid);
	assert_int_equal(ring_lock(&kit->ring), RING_OK);
	assert_int_equal(ring_topic_seq(&kit->t.seg, slot), 1);
	ring_unlock(&kit->ring);
}

static void
test_stopped_holder_is_named(void **state)
{
	pid_t pid = stopped_holder();
	uint64_t owner = atomic_load(&kit->t.seg.header->owner);

	(void)state;
	assert_int_equal(layout_owner_slot(owner), 1);
	assert_int_equal(ring_lock(&kit->ring), RING_BUSY);
	assert_int_equal(atomic_load(&kit->t.seg.header->owner), owner);
	mp_continue(pid);
	mp_join(pid);
	assert_int_equal(atomic_load(&kit->t.seg.header->owner), 0);
}

static void
test_readers_go_on_while_a_holder_is_stopped(void **state)
{
	pid_t pid;

	(void)state;
	hand_publish(&kit->ring, slot, "\"mine\"");
	pid = stopped_holder();
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.count, 1);
	assert_int_equal(reader_read(&kit->reader), RING_EMPTY);
	mp_continue(pid);
	mp_join(pid);
	assert_int_equal(reader_read(&kit->reader), RING_OK);
	assert_int_equal(kit->reader.batch.records[0].seq, 2);
}

/* What the watchdog does to it. */
static void
test_stopped_holder_is_killed_and_the_lock_is_had(void **state)
{
	pid_t pid = stopped_holder();

	(void)state;
	assert_int_equal(ring_lock(&kit->ring), RING_BUSY);
	mp_kill(pid);
	/* reaped: it is free */
	assert_int_equal(ring_lock(&kit->ring), RING_OK);
	assert_int_equal(ring_topic_seq(&kit->t.seg, slot), 0);
	ring_unlock(&kit->ring);
	assert_false(kit->ring.impatient);
}

static int
seal(void *arg)
{
	struct ring own;

	(void)arg;
	ring_attach(&own, &kit->t.seg, 1);
	hand_lock(&own);
	ring_seal(&own);
	ring_unlock(&own);
	return 0;
}

static void
test_seal_holds_for_all_and_outlives_who_set_it(void **state)
{
	struct ring_msg msg = hand_msg(slot, "1");

	(void)state;
	hand_publish(&kit->ring, slot, "1");
	mp_join(mp_spawn(seal, NULL));
	hand_lock(&kit->ring);
	assert_int_equal(ring_publish(&kit->ring, &msg, 1), RING_SEALED);
	ring_unlock(&kit->ring);
	assert_int_equal(ring_topic_seq(&kit->t.seg, slot), 1);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, setup, ringkit_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_stopped_holder_makes_others_wait_a_bounded_time),
	T(test_stopped_holder_is_named),
	T(test_readers_go_on_while_a_holder_is_stopped),
	T(test_stopped_holder_is_killed_and_the_lock_is_had),
	T(test_seal_holds_for_all_and_outlives_who_set_it),
};

SUITE_MAIN(tests);
