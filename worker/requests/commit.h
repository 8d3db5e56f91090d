/* SPDX-License-Identifier: MIT */
/*
 * commit.h - do what the turn's requests ask for, under one holding of the
 * ring's lock, and answer them.
 */

#ifndef WORKER_REQUESTS_COMMIT_H
#define WORKER_REQUESTS_COMMIT_H

struct hub;

/*
 * Lock, do all that was asked for in this turn, in order, unlock, wake the
 * workers that have subscribers of what was published, answer, read on.
 *
 * Without the lock (its holder was stopped) everything waits for another turn.
 * What is in the intake afterwards otherwise is a look into the past that was
 * put off, or was read by this very call.
 *
 * Callers: the turn's end.
 * Blocks:  for the lock, 20 ms at most.
 */
void commit_turn(struct hub *hub);

#endif
