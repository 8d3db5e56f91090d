/* SPDX-License-Identifier: MIT */
/*
 * wakeup.h - doorbells: one eventfd per worker, and which workers are asleep.
 *
 * A wake-up is only a hint; the ring's head says whether there is something to
 * read.  A doorbell that is rung ten times before its worker answers wakes it
 * once, and it may wake a worker that has nothing left to read.  But a worker
 * must never sleep on while there is something to read:
 *
 *	worker: sleeping = odd        publisher: head = new
 *	        fence (seq_cst)                  fence (seq_cst)
 *	        look at head                     look at sleeping
 *	        sleep, if unchanged              odd: write the eventfd
 *
 * With both fences at least one of the two sees the other's store.  Only the
 * worker writes its `sleeping'; a publisher remembers the value it woke and
 * writes once per value, so a sleeping worker costs one write, not one each.
 */

#ifndef BROKER_SHARED_WAKEUP_H
#define BROKER_SHARED_WAKEUP_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* A process's handle on the doorbells. */
struct wakeup {
	struct segment *seg;           /* borrowed */
	unsigned count;                /* N */
	unsigned self;                 /* own slot */
	int fd[LAYOUT_WORKERS];        /* eventfds, non-blocking */
	uint64_t woke[LAYOUT_WORKERS]; /* value of `sleeping' last woken */
};

/*
 * Make n doorbells.  Returns false with errno set.
 * Callers: supervisor, before it forks; the children inherit them.
 */
bool wakeup_open(struct wakeup *wakeup, struct segment *seg, unsigned n);

/* Go on with n doorbells that the workers of an upgrade have, too.
 * Callers: supervisor. */
void wakeup_adopt(
    struct wakeup *wakeup, struct segment *seg, const int *fds, unsigned n);

/* Close all doorbells. */
void wakeup_close(struct wakeup *wakeup);

/*
 * Say which slot this process is, and get up: a predecessor may have died
 * asleep, and a publisher that woke it would not ring for that value again.
 * Callers: a worker, after the fork.
 */
void wakeup_claim_slot(struct wakeup *wakeup, unsigned self);

/* Write the eventfd of a slot, asleep or not.  Anybody; never blocks. */
void wakeup_ring(const struct wakeup *wakeup, unsigned slot);

/* The same of a doorbell that is in no handle. */
void wakeup_ring_fd(int doorbell);

/* The same for all slots. */
void wakeup_ring_all(const struct wakeup *wakeup);

/* Reset the own doorbell; do this before looking for work. */
void wakeup_clear(const struct wakeup *wakeup);

/*
 * The last thing before the worker waits for events: mark it asleep, with the
 * fence.  The caller then looks at the head once more, and rings itself if it
 * has moved.
 */
void wakeup_fall_asleep(struct wakeup *wakeup);

/* The first thing after it. */
void wakeup_get_up(struct wakeup *wakeup);

/*
 * After the commit and one seq_cst fence (ring_interest() makes it): ring those
 * of `who' (a bit per slot) that are asleep, except oneself.  Returns how many
 * doorbells were rung.
 */
unsigned wakeup_wake(struct wakeup *wakeup, uint64_t who);

#endif
