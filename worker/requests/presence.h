/* SPDX-License-Identifier: MIT */
/*
 * presence.h - who is in a topic, when a client asks.
 *
 * The members are read under the ring's lock, in the place of the request among
 * all others: so a client that asks for them and to be told of changes misses
 * none and is told none twice (watch.h).  What was read waits in the intake for
 * the answer.
 */

#ifndef WORKER_REQUESTS_PRESENCE_H
#define WORKER_REQUESTS_PRESENCE_H

#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* What a member costs, in records that a request for the past visits. */
#define PRESENCE_WALK 16u

/* How many records' worth of work the request is. */
uint64_t presence_walk_len(
    const struct hub *hub, const struct intake_request *want);

/*
 * Do what is asked beyond the number of subscribers.  has_topic: op->start is
 * where the topic stands; otherwise nobody has ever used it.
 * Under the lock.  Callers: commit.c.
 */
enum intake_result presence_ask(
    struct hub *hub, struct intake_op *op, struct sub *sub, bool has_topic);

/* Append what was found to the answer, an object that is still open: ,"members":
 * and so on; nothing if it was not asked for. */
void presence_put(
    const struct hub *hub, const struct intake_op *op, struct buf *out);

#endif
