/* SPDX-License-Identifier: MIT */
/*
 * ring_lock.c - the lock of the ring; see ring.h.
 *
 *	lock-1      take it, or learn that its holder died
 *	lock-2, -3  put right what a dead holder left (ring_repair.c)
 *	lock-4      make the lock consistent again
 *	lock-5      leave it
 */

#include "broker/ring/ring.h"

#include "broker/shared/lock.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Note for the supervisor which holding of the lock ended by a death: when the
 * supervisor reaps, the owner word may be another worker's already. */
static void
ring_record_dead_owner(struct ring *ring)
{
	uint64_t word =
	    atomic_load_explicit(&ring->header->owner, memory_order_relaxed);
	unsigned slot = layout_owner_slot(word);

	if (slot < LAYOUT_WORKERS)
		atomic_store_explicit(&ring->seg->workers[slot].died_in, word,
		    memory_order_relaxed);
}

/* The lock is taken: repair the ring after a dead holder, and sign as owner. */
static void
ring_repair_and_sign(struct ring *ring, bool owner_died)
{
	struct layout_header *h = ring->header;

	stop_point_here(h, STOP_LOCKED);
	if (owner_died)
		ring_record_dead_owner(ring);
	/* Release: who reads it, and looks for the dead, finds them named. */
	atomic_store_explicit(&h->owner,
	    layout_owner(++ring->holdings, ring->self), memory_order_release);
	ring_repair(ring->seg);
	stop_point_here(h, STOP_REPAIRED);
	/* lock-4: without it, an unlock would make the lock unusable */
	if (owner_died) {
		CHECK(pthread_mutex_consistent(lock_mutex(ring->header)) == 0);
		stats_add_word(&ring->seg->workers[ring->self]
				    .counters[STATS_LOCK_RECOVERED],
		    1);
	}
	ring->impatient = false;
}

/* Wait for the lock, but not for ever: its holder may be stopped. */
static int
ring_wait(struct ring *ring)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += RING_LOCK_WAIT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_mutex_clocklock(
	    lock_mutex(ring->header), CLOCK_MONOTONIC, &until);
}

enum ring_status
ring_lock(struct ring *ring)
{
	/* lock-1: EOWNERDEAD if its last holder died */
	int err = pthread_mutex_trylock(lock_mutex(ring->header));

	if (err == EBUSY && !ring->impatient)
		err = ring_wait(ring);
	if (err == EBUSY || err == ETIMEDOUT) {
		ring->impatient = true;
		return RING_BUSY;
	}
	if (err != 0 && err != EOWNERDEAD)
		BUG("the ring's lock cannot be recovered");
	ring_repair_and_sign(ring, err == EOWNERDEAD);
	return RING_OK;
}

void
ring_unlock(struct ring *ring)
{
	atomic_store_explicit(&ring->header->owner, 0, memory_order_relaxed);
	stop_point_here(ring->header, STOP_UNLOCKING);
	/* lock-5: applied = head, and the directory is exactly the log's */
	CHECK(pthread_mutex_unlock(lock_mutex(ring->header)) == 0);
}
