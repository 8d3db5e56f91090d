/* SPDX-License-Identifier: MIT */
/*
 * drain.h - leaving, so that everything accepted reaches every subscriber.
 *
 *	1. STOP    no more publishes are read; when what was read is in the
 *	           ring, say STOPPED and wake the others
 *	2. SETTLE  when all have said so (or half of the time is over): seal the
 *	           ring under its lock, then tail to the final head and flush
 *	3. CLOSE   nobody is let in any more; close frames, at a pace, so that
 *	           clients do not come back as one herd; then each is read until
 *	           it closes, too
 *	4. OUT     all are gone, or the time is over and the rest is cut
 *
 * With the seal correctness hangs on nobody being alive: a worker that could
 * not be waited for publishes nothing after the others' final look.  Orders
 * come from the segment (run.order) with a doorbell, or from the supervisor's
 * death.
 */

#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

struct drain;
struct worker;

/* Close frames per millisecond, and until which part of the time at most. */
#define DRAIN_CLOSES_PER_MS 10
#define DRAIN_CLOSE_PERCENT 80

/* How long a client that was just heard of may take to ask something over HTTP,
 * and be told 503, or to close its end: a tick of the wheel less at worst. */
#define DRAIN_ASK_MS 500

/* v1 clients are asked to come back within this, and longer the more there
 * are. */
#define DRAIN_RETRY_MS 1000

/* Nothing has been ordered yet. */
void drain_init(struct drain *drain);

/* The supervisor died: drain on our own, and free the port at once. */
void drain_orphaned(struct worker *w);

/*
 * Take note of orders and take the next steps, as far as they can be taken.
 * Callers: turn_end(), after the turn's requests and before its output.
 */
void drain_step(struct worker *w);

#endif
