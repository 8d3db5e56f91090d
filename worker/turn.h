/* SPDX-License-Identifier: MIT */
/* turn.h - the work of one turn of the event loop, in its order. */

#ifndef WORKER_TURN_H
#define WORKER_TURN_H

struct worker;

/* Watch the loop's turns. */
void turn_watch(struct worker *w);

/* Do the work that this turn has collected, in order; then fall asleep.
 * Callers: the loop, right before it waits. */
void turn_end(struct worker *w);

#endif
