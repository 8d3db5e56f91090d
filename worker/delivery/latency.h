/* SPDX-License-Identifier: MIT */
/*
 * latency.h - how long messages took, from a publisher's socket on any worker to
 * the subscribers' sockets on this one.
 *
 * There is one observation per message and worker, however many subscribers the
 * worker has.  It begins when the publishing worker notes the first request of
 * the turn that brought the message, so waiting for the ring's lock counts; it
 * ends when this worker has written its turn to the sockets.  Each end takes
 * one look at the monotonic clock per turn, and the only work per message is to
 * see that it is of the same batch as the one before.
 *
 * Bytes that a slow socket does not take wait in its queue, and that time does
 * not count: other counters show buffered bytes and drops.  Replayed messages,
 * and those missed by a lapped worker, are not observed.
 */

#ifndef WORKER_DELIVERY_LATENCY_H
#define WORKER_DELIVERY_LATENCY_H

#include "broker/shared/stamps.h"

#include <stdint.h>

struct ring_record;
struct hub;

/* Messages of one batch that this turn hands over. */
struct latency_run {
	uint64_t accepted_ns; /* monotonic clock */
	uint32_t count;
};

struct latency {
	struct stamps_cursor stamps;
	struct latency_run *runs; /* owned, [records_max] */
	uint32_t count;           /* runs of this turn */
	uint64_t wall_ahead_ns;   /* of the monotonic clock, now; 0: unknown */
};

/* records_max: messages in one turn. */
void latency_init(struct latency *d, uint32_t records_max);
void latency_fini(struct latency *d);

/* A message of this turn; the records come in the ring's order, and the ring
 * has been read up to `end'. */
void latency_add(struct hub *hub, const struct ring_record *rec, uint64_t end);

/* The turn's output is written: count its messages. */
void latency_settle(struct hub *hub);

#endif
