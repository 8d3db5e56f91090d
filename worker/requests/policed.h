/* SPDX-License-Identifier: MIT */
/*
 * policed.h - requests are held to what an operator has said about their topics
 * (delivery/policies.h).
 *
 * Under the ring's lock.  Callers: commit.c.
 */

#ifndef WORKER_REQUESTS_POLICED_H
#define WORKER_REQUESTS_POLICED_H

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct intake_op;

/*
 * Whether one more message may be published to the topic in that slot now, by
 * its rate: so many in a second, by all workers together, and a second's worth
 * at once.  If so, it is counted.
 */
bool policed_may_publish(struct hub *hub, uint32_t slot);

/*
 * Have a message that is about to be published to the topic in op->start.slot be
 * a last value, or have a ttl, by what is said of its topic, where its publisher
 * has said neither.  Not one that is kept nowhere.
 */
void policed_complete(struct hub *hub, struct intake_op *op);

/*
 * Let a request whose topic was found reach no further back than the topic's
 * history goes: that of a subscription by op->past_max, that for the past by
 * where the topic's numbers begin.
 */
void policed_bound_past(struct hub *hub, struct intake_op *op);

#endif
