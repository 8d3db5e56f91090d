/* SPDX-License-Identifier: MIT */
/*
 * test_sleep.c - falling asleep while somebody publishes.
 *
 * A hundred thousand times a publisher hits upon a worker that is just going to
 * sleep, somewhere between its last look and its poll(2), which has no
 * time-out. If the two ever miss one another, the worker sleeps on with a
 * message in the ring, and its publisher, who waits for it to be read, says so.
 */

#include "broker/ring/ring.h"
#include "broker/shared/stop_point.h"
#include "broker/ring/topics.h"
#include "broker/shared/wakeup.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <poll.h>
#include <sched.h>
#include <time.h>

#define ROUNDS    100000u
#define ROUNDS_MS 8000u /* on a machine too busy for all of them */
#define LAST      1u    /* marks the message that ends a worker */
#define DUELS     300000u
#define DUELS_MS  3000u
#define PATIENCE  10000u /* ms until a worker is said to sleep on */
#define WORKER    0u
#define PUBLISHER 1u

static struct testseg t;
static struct wakeup wakeup;
static uint32_t slot;

static int
setup(void **state)
{
	int result = mp_setup(state);
	struct ring ring;

	testseg_open(&t, 65536, 4);
	assert_true(wakeup_open(&wakeup, &t.seg, 2));
	ring_attach(&ring, &t.seg, WORKER);
	slot = hand_topic(&ring, "t");
	topics_subscribe(&t.seg, slot, WORKER);
	ring_detach(&ring);
	return result;
}

static int
teardown(void **state)
{
	int result;

	wakeup_close(&wakeup);
	result = mp_teardown(state);
	testseg_close(&t);
	return result;
}

/* Wait for events as a worker does: asleep, a last look, poll. */
static void
wait_for_events(const struct reader *r)
{
	struct pollfd fd = { .fd = wakeup.fd[WORKER], .events = POLLIN };

	wakeup_fall_asleep(&wakeup);
	if (ring_head(&t.seg) != r->cur.pos)
		wakeup_ring(&wakeup, WORKER);
	MP_CHECK(poll(&fd, 1, -1) == 1);
	wakeup_get_up(&wakeup);
	wakeup_clear(&wakeup);
}

/* A worker that reads up to the message marked as the last; its cursor says how
 * far it is. */
static int
tail(void *arg)
{
	struct reader reader;

	(void)arg;
	wakeup_claim_slot(&wakeup, WORKER);
	reader_open(&reader, &t.seg, 8, 4096);
	/* not at the head: the publisher may have begun */
	reader.cur.pos = atomic_load(&t.seg.workers[WORKER].cursor);
	for (;;) {
		while (reader_read(&reader) == RING_OK) {
			size_t n = reader.batch.count;

			atomic_store(
			    &t.seg.workers[WORKER].cursor, reader.cur.pos);
			if (n > 0 && reader.batch.records[n - 1].conn == LAST)
				return 0;
		}
		wait_for_events(&reader);
	}
}

/* Wait until the worker has read everything. */
static void
wait_until_read(void)
{
	_Atomic uint64_t *cursor = &t.seg.workers[WORKER].cursor;
	uint64_t deadline = 0;

	for (unsigned i = 1; atomic_load(cursor) != ring_head(&t.seg); i++) {
		if (i % 64 == 0)
			sched_yield();
		if (i % 65536 != 0)
			continue;
		if (deadline == 0)
			deadline = clock_monotonic_ms() + PATIENCE;
		MP_CHECK(clock_monotonic_ms() < deadline);
	}
}

/* Publish a message and wake whom it concerns, without the lock's wait. */
static unsigned
publish(struct ring *ring, uint64_t mark)
{
	struct ring_msg msg = hand_msg(slot, "1");

	msg.conn = mark;
	hand_lock(ring);
	MP_CHECK(ring_publish(ring, &msg, 1) == RING_OK);
	ring_unlock(ring);
	stop_point_here(t.seg.header, STOP_BEFORE_WAKE);
	return wakeup_wake(&wakeup, ring_interest(ring, &msg, 1));
}

static int
publish_at_any_moment(void *arg)
{
	uint64_t deadline = clock_monotonic_ms() + ROUNDS_MS;
	struct dice dice = { 1 };
	uint64_t rounds, rung = 0;
	struct ring ring;

	(void)arg;
	wakeup_claim_slot(&wakeup, PUBLISHER);
	ring_attach(&ring, &t.seg, PUBLISHER);
	for (rounds = 1; rounds < ROUNDS && clock_monotonic_ms() < deadline;
	     rounds++) {
		wait_until_read();
		for (uint64_t n = dice_below(&dice, 2000); n > 0; n--)
			atomic_signal_fence(memory_order_seq_cst);
		rung += publish(&ring, 0);
	}
	rung += publish(&ring, LAST);
	wait_until_read();
	MP_CHECK(rung > 0 && rung <= rounds);
	return 0;
}

static void
test_nobody_sleeps_on_while_there_is_something_to_read(void **state)
{
	pid_t worker, publisher;

	(void)state;
	atomic_store(&t.seg.workers[WORKER].cursor, ring_head(&t.seg));
	worker = mp_spawn(tail, NULL);
	publisher = mp_spawn(publish_at_any_moment, NULL);
	mp_join(publisher);
	mp_join(worker);
}

/*
 * The same race without anything between the stores and the looks: no lock, no
 * copying, no poll.  Each round both start at once; at least one must have seen
 * the other.  On a busy machine they meet rarely, so there is a limit in time.
 */
struct duel {
	_Atomic uint64_t ready[2], done[2]; /* rounds */
	_Atomic bool rung;                  /* in this round */
	_Atomic bool over;                  /* it is the last one */
	uint64_t missed;                    /* by both */
	uint64_t start_ns; /* set by the worker before it is ready */
};

/* Come to a round's start, or end, together. */
static void
meet(_Atomic uint64_t *here, _Atomic uint64_t *there, uint64_t round)
{
	atomic_store(here, round);
	for (unsigned i = 1; atomic_load(there) < round; i++)
		if (i % 256 == 0)
			sched_yield();
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * Wait for the moment that was agreed upon, give or take a little, and look at
 * what the other is going to write: so its old value is at hand for a look that
 * comes too early, while the own store is still on its way.
 */
static void
aim(struct dice *dice, const struct duel *duel, _Atomic uint64_t *others)
{
	uint64_t start = duel->start_ns + dice_below(dice, 100);

	while (now_ns() < start)
		;
	atomic_load(others);
}

static int
duel_worker(void *arg)
{
	uint64_t deadline = clock_monotonic_ms() + DUELS_MS;
	struct dice dice = { 1 };
	struct duel *duel = arg;

	wakeup_claim_slot(&wakeup, WORKER);
	for (uint64_t round = 1; !atomic_load(&duel->over); round++) {
		uint64_t head = ring_head(&t.seg);
		bool moved;

		duel->start_ns = now_ns() + 1000;
		meet(&duel->ready[0], &duel->ready[1], round);
		aim(&dice, duel, &t.seg.header->head);
		wakeup_fall_asleep(&wakeup);
		moved = ring_head(&t.seg) != head;
		atomic_store(&duel->over,
		    round == DUELS || clock_monotonic_ms() > deadline);
		meet(&duel->done[0], &duel->done[1], round);
		duel->missed += !moved && !atomic_load(&duel->rung);
		wakeup_get_up(&wakeup);
		wakeup_clear(&wakeup);
	}
	return 0;
}

static int
duel_publisher(void *arg)
{
	struct ring_msg msg = hand_msg(slot, "1");
	_Atomic uint64_t *head = &t.seg.header->head;
	struct dice dice = { 2 };
	struct duel *duel = arg;
	struct ring ring;

	wakeup_claim_slot(&wakeup, PUBLISHER);
	ring_attach(&ring, &t.seg, PUBLISHER);
	for (uint64_t round = 1; !atomic_load(&duel->over); round++) {
		uint64_t next = atomic_load(head) + 8;

		meet(&duel->ready[1], &duel->ready[0], round);
		aim(&dice, duel, &t.seg.workers[WORKER].sleeping);
		atomic_store_explicit(head, next, memory_order_release);
		atomic_store(&duel->rung,
		    wakeup_wake(&wakeup, ring_interest(&ring, &msg, 1)) != 0);
		meet(&duel->done[1], &duel->done[0], round);
	}
	return 0;
}

static void
test_of_sleeper_and_publisher_one_sees_the_other(void **state)
{
	struct duel *duel = mp_share(sizeof(*duel));
	pid_t worker = mp_spawn(duel_worker, duel);
	pid_t publisher = mp_spawn(duel_publisher, duel);

	(void)state;
	mp_join(worker);
	mp_join(publisher);
	assert_int_equal(duel->missed, 0);
	assert_true(atomic_load(&duel->done[0]) > 1);
	mp_unshare(duel, sizeof(*duel));
}

static int
publish_once(void *arg)
{
	struct ring ring;

	(void)arg;
	wakeup_claim_slot(&wakeup, PUBLISHER);
	ring_attach(&ring, &t.seg, PUBLISHER);
	publish(&ring, LAST);
	return 0;
}

/* The publisher dies between commit and wake-up; who reaps it rings. */
static void
test_dead_publishers_wake_up_is_made_up_for(void **state)
{
	pid_t worker, publisher;

	(void)state;
	atomic_store(&t.seg.workers[WORKER].cursor, ring_head(&t.seg));
	worker = mp_spawn(tail, NULL);
	while (atomic_load(&t.seg.workers[WORKER].sleeping) % 2 == 0 &&
	       !mp_expired())
		sched_yield();
	atomic_store(&t.seg.header->stop_point_arm, STOP_BEFORE_WAKE);
	publisher = mp_spawn(publish_once, NULL);
	mp_wait_stopped(publisher);
	mp_kill(publisher);
	wakeup_ring_all(&wakeup);
	mp_join(worker);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_nobody_sleeps_on_while_there_is_something_to_read),
	T(test_of_sleeper_and_publisher_one_sees_the_other),
	T(test_dead_publishers_wake_up_is_made_up_for),
};

SUITE_MAIN(tests);
