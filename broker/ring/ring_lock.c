/* SPDX-License-Identifier: MIT */
/*
 * ring_lock.c - the lock of the ring, and what its next holder puts right when
 * the last one died; see ring.h.
 *
 *	lock-1      take it, or learn that its holder died
 *	lock-2      replay what is committed but not applied: repair-1, -2
 *	lock-3      finish what was being made in the directory
 *	lock-4      make the lock consistent again
 *	lock-5      leave it
 *
 * Repairs do not ask whether the lock says that anybody died: one that was made
 * anew for another run knows nothing of who held the old one.
 */

#include "broker/ring/ring.h"

#include "broker/ring/ring_bytes.h"
#include "broker/ring/topics.h"
#include "broker/shared/lock.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

/*
 * Replay what is committed but not applied: store each record's values, never
 * add, so that a death in here only means doing it again.
 */
static void
ring_replay(struct ring *ring)
{
	struct layout_header *h = ring->header;
	uint64_t head = atomic_load(&h->head);
	uint64_t pos = atomic_load(&h->applied);
	struct layout_record rec;

	while (pos < head) {
		if (!ring_peek(ring->seg, pos, head, &rec))
			BUG("the ring holds a record that nobody wrote");
		/* repair-1: stored, never added */
		if (!(rec.flags & RECORD_PADDING))
			ring_apply(&ring->seg->topics[rec.topic], rec.seq, pos);
		pos += rec.length;
		stop_point_here(h, STOP_HALF_REPLAYED);
	}
	/* repair-2: last, or nobody would go on after a death in here */
	atomic_store_explicit(&h->applied, head, memory_order_release);
}

/* Note for the supervisor whose holding it was that a death ended: when it
 * reaps, the owner word may be another's already. */
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

/* The lock was had; put right what a dead holder left, and sign as owner. */
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
	/* lock-2: whether or not anybody is known to have died */
	if (atomic_load(&h->applied) != atomic_load(&h->head))
		ring_replay(ring);
	/* lock-3: the same */
	topics_repair(ring->seg);
	stop_point_here(h, STOP_REPAIRED);
	/* lock-4: left without it, the lock could never be had again */
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
