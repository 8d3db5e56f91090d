/* SPDX-License-Identifier: MIT */
/*
 * past.h - which requests for a topic's past are for this turn: they walk over
 * its records, and others wait meanwhile.
 */

#ifndef WORKER_REQUESTS_PAST_H
#define WORKER_REQUESTS_PAST_H

#include <stdbool.h>

struct hub;
struct intake_op;
struct subs_start;

/* Where the topic of a request stands.  Returns false if it has no slot.  Under
 * the lock. */
bool past_find_topic(const struct hub *hub, const struct intake_op *op,
    struct subs_start *start);

/*
 * Whether a request has to wait for another turn, because this turn has walked
 * over enough records.  The first one does not wait, nor one of a connection
 * that has closed, nor one that follows another.  Under the lock.
 */
bool past_must_wait(struct hub *hub, const struct intake_op *op);

#endif
