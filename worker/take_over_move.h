/* SPDX-License-Identifier: MIT */
/* take_over_move.h - what is otherwise in take_over.c if the predecessor has another
 * segment (moving.h). */

#ifndef WORKER_TAKE_OVER_MOVE_H
#define WORKER_TAKE_OVER_MOVE_H

#include <stdbool.h>

struct worker;

/* Whether it has, and with it another slot. */
bool take_over_moves(const struct worker *w);

/* Have the ring's lock.  Blocks. */
void take_over_lock(struct worker *w);

/* Numbers go on above all that the ring before has given: a client that does not
 * understand that it has come to another would take lower ones for messages that it
 * has had. */
void take_over_floor(struct worker *w);

/*
 * Wait until it is decided that all go on in the new segment, and that has the name;
 * without a supervisor the former is enough.
 * Returns: false if the predecessors go on.
 */
bool take_over_await_move(struct worker *w);

/* The connections are ours: go on with them in the new ring. */
void take_over_go_on(struct worker *w);

#endif
