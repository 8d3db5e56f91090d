/* SPDX-License-Identifier: MIT */
/*
 * drain.h - leaving, so that everything accepted reaches every subscriber.
 *
 *	1. STOP    no more publishes are read; when those that were read are in
 *	           the ring, say STOPPED and wake the other workers
 *	2. SETTLE  when all have said STOPPED (or half of the time is over):
 *	           seal the ring under its lock, then tail to the final head and
 *	           flush
 *	3. CLOSE   no client is let in any more; close frames are sent at a
 *	           pace, so that clients do not all come back at once; then
 *	           each connection is read until its peer closes it, too
 *	4. OUT     all are gone, or the time is over and the rest is cut
 *
 * Because of the seal, no worker has to be alive for the others to be right: a
 * worker that they could not wait for publishes nothing after their final look.
 * Orders come from the segment (run.order) with a doorbell, or from the
 * supervisor's death.
 */

#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <stdbool.h>

struct drain;
struct worker;

/* Close frames per millisecond, and until which part of the time at most. */
#define DRAIN_CLOSES_PER_MS 10
#define DRAIN_CLOSE_PERCENT 80

/* How long a client that has just sent something may take to send a request
 * over HTTP, which is answered, or to close its end: a tick of the wheel less at
 * worst. */
#define DRAIN_ASK_MS 500

/* v1 clients are asked to come back within this time, longer if there are many.
 */
#define DRAIN_RETRY_MS 1000

/* Nothing has been ordered yet. */
void drain_init(struct drain *drain);

/* The supervisor died: drain on our own, and free the port at once. */
void drain_orphaned(struct worker *w);

/* Whether a drain has begun after which nobody serves this port.  At a restart
 * there is a successor, so a load balancer has no reason to look for another
 * server. */
bool drain_is_final(const struct worker *w);

/*
 * Take note of orders, and take the next steps that are possible now.
 * Callers: turn_end(), after the turn's requests and before its output.
 */
void drain_step(struct worker *w);

#endif
