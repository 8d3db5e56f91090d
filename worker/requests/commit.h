/* SPDX-License-Identifier: MIT */
/*
 * commit.h - carry out the turn's requests, all under one holding of the lock.
 *
 * Messages are gathered and appended as one batch, except where the order asks
 * for more: before a subscription begins what came before must be in the ring,
 * and before a slot is recycled what waits for a slot must be.
 */

#ifndef WORKER_REQUESTS_COMMIT_H
#define WORKER_REQUESTS_COMMIT_H

struct worker;

/* Do all requests in the intake, and note in each how it went.  Under the
 * ring's lock; answers nothing. */
void commit_requests(struct worker *w);

#endif
