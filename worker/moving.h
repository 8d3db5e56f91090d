/* SPDX-License-Identifier: MIT */
/*
 * moving.h - an upgrade to another segment, in the worker whose connections go.
 *
 * A message that is accepted in one ring is not seen in the other, so all workers
 * go at once, and before any of them freezes, none takes messages any more:
 *
 *	at rest		nothing is read here; the others may still publish
 *	quiet		that is said in the page (upgrade_page.h)
 *	all are quiet	the ring's head is final; deliver up to there
 *	freeze		send everything (hand_over.h), and wait for the decision
 *
 * What was acknowledged has then reached every subscriber's socket or queue, except
 * those that were being replayed to and did not keep up.
 */

#ifndef WORKER_MOVING_H
#define WORKER_MOVING_H

#include <stdbool.h>

struct worker;

/* Begin: a successor has sent this page.  Owns: the descriptor, in any case.
 * Returns false, logged, if that is none, or the move is over already. */
bool moving_begin(struct worker *w, int page);

/* This worker goes on in its own segment, and so do all. */
void moving_end(struct worker *w);

/* Whether one is under way. */
bool moving_is(const struct worker *w);

/* Whether it has been called off; also if it takes too long. */
bool moving_is_off(struct worker *w);

/*
 * This worker is at rest: say so.
 * Returns: whether it may freeze, because nothing is left to be delivered.
 */
bool moving_may_freeze(struct worker *w);

/* It freezes: note the highest number that the ring has given. */
void moving_note_floor(struct worker *w);

/* Whether it is decided that the successors go on. */
bool moving_is_decided(const struct worker *w);

/* Have all go on as they were.  Returns false if it is too late for that. */
bool moving_call_off(struct worker *w);

#endif
