/* SPDX-License-Identifier: MIT */
/*
 * drain.h - leaving, so that everything accepted reaches every subscriber.
 *
 *	1. STOP    no more publishes are read; when what was read is in the
 *	           ring, say STOPPED and wake the others
 *	2. SETTLE  when all have said so (or half of the time is over): seal the
 *	           ring under its lock, then tail to the final head and flush
 *	3. CLOSE   close frames, at a pace, so that clients do not come back as
 *	           one herd; then each is read until it closes, too
 *	4. WAIT    say DRAINED, and wait for the others to be: whoever comes to
 *	           this worker's socket meanwhile is told to come back later
 *	5. LAST    nobody is let in any more, the last are told so
 *	6. OUT     all are gone, or the time is over and the rest is cut
 *
 * With the seal correctness hangs on nobody being alive: a worker that could
 * not be waited for publishes nothing after the others' final look.  Orders
 * come from the segment (run.order) with a doorbell, or from the supervisor's
 * death.
 */

#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct worker;

/* Close frames per millisecond, and until which part of the time at most. */
#define DRAIN_CLOSES_PER_MS 10
#define DRAIN_CLOSE_PERCENT 80

/* How long who has just been heard of may take to ask something over HTTP, and
 * be told 503: a tick of the wheel less at worst. */
#define DRAIN_ASK_MS 500

/* v1 clients are asked to come back within this, and longer the more there
 * are. */
#define DRAIN_RETRY_MS 1000

enum drain_phase {
	DRAIN_NOT = 0,
	DRAIN_STOP,
	DRAIN_SETTLE,
	DRAIN_CLOSE,
	DRAIN_WAIT,
	DRAIN_LAST,
	DRAIN_OUT,
};

struct drain {
	enum drain_phase phase;
	uint64_t began_ms; /* monotonic clock, like the next */
	uint64_t until_ms; /* the deadline */
	uint64_t last_ms;  /* when LAST began */
	uint64_t paced_ms; /* for which close frames have been sent */
	uint64_t final_head;
	uint64_t newcomers; /* connections with a number above this */
	uint64_t commits;   /* of the intake, before it began */
	unsigned code;      /* to close with */
	bool orphaned;      /* the supervisor is dead */
	bool sealed;  /* by us or with our knowledge: final_head is final */
	bool at_once; /* RUN_QUIT: do not wait for anybody */
	ev_timer tick;
};

/* Nothing has been ordered yet. */
void drain_init(struct drain *drain);

/* Whether a drain has begun: nothing new is accepted any more. */
static inline bool
drain_begun(const struct drain *drain)
{
	return drain->phase != DRAIN_NOT;
}

/* The supervisor died: drain on our own, and free the port at once. */
void drain_orphaned(struct worker *w);

/*
 * Take note of orders and take the next steps, as far as they can be taken.
 * Callers: turn_end(), after the turn's requests and before its output.
 */
void drain_step(struct worker *w);

/* A connection has gone; clean: it closed after our last word. */
void drain_conn_gone(struct worker *w, bool clean);

#endif
