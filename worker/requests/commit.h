/* SPDX-License-Identifier: MIT */
/*
 * commit.h - do the turn's requests, under one holding of the ring's lock, and
 * answer them.
 */

#ifndef WORKER_REQUESTS_COMMIT_H
#define WORKER_REQUESTS_COMMIT_H

struct hub;

/*
 * Lock, do all requests of this turn, in order, unlock, wake the workers that
 * have subscribers of the messages, answer, read on.
 *
 * If the lock cannot be had (its holder was stopped), everything waits for
 * another turn.  Otherwise the intake holds afterwards only requests for the
 * past that were put off, and requests that this very call has read.
 *
 * Callers: the turn's end.
 * Blocks:  for the lock, 20 ms at most.
 */
void commit_turn(struct hub *hub);

#endif
