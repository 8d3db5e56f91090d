/* SPDX-License-Identifier: MIT */
/* settle.h - what is left to do for the requests of a turn when its messages are
 * in the ring.  Callers: commit.c. */

#ifndef WORKER_REQUESTS_SETTLE_H
#define WORKER_REQUESTS_SETTLE_H

struct hub;

/* Note the numbers of the gathered messages, which are in the ring by now or
 * were refused.  Under the ring's lock. */
void settle_numbers(struct hub *hub);

/* Wake the workers that have subscribers for the published messages. */
void settle_wake(struct hub *hub);

/* Answer the requests that are done.  Without the lock. */
void settle_answers(struct hub *hub);

#endif
