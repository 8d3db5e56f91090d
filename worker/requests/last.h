/* SPDX-License-Identifier: MIT */
/*
 * last.h - a topic's last value (broker/ring/retain.h) for who asks for it.
 *
 * It is read under the ring's lock, with where the topic stands, and copied; it
 * is told without the lock, as all answers are.
 */

#ifndef WORKER_REQUESTS_LAST_H
#define WORKER_REQUESTS_LAST_H

#include "worker/requests/intake.h"

#include <stdbool.h>

/* A copy of a value. */
struct last_value {
	uint64_t seq;
	uint64_t time_ms; /* wall clock */
	size_t at;        /* of the text in intake.last_bytes */
	uint32_t body_len;
};

/* Copy the value of the request's topic, if it has one, and note it in op->last.
 * Under the ring's lock. */
void last_look(struct hub *hub, struct intake_op *op);

/* Chunks that are copied for it, 0: none.  Under the ring's lock. */
uint64_t last_cost(const struct hub *hub, const struct intake_op *op);

/*
 * Describe the value that was copied for a request as a record, whose pos is 0:
 * it is not read from the ring.
 * Borrowed: good until the turn's requests are answered.
 * Returns: false if there was none.
 */
bool last_get(
    const struct hub *hub, const struct intake_op *op, struct ring_record *rec);

#endif
