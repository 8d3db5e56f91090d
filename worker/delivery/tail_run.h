/* SPDX-License-Identifier: MIT */
/*
 * tail_run.h - a topic's messages of one turn as neighbouring frames.
 *
 * The records of the turn's batch that are of one topic are chained by their
 * indices; each form that somebody needs encodes them once, one behind another.
 */

#ifndef WORKER_DELIVERY_TAIL_RUN_H
#define WORKER_DELIVERY_TAIL_RUN_H

#include "worker/delivery/hub.h"

#include <stdint.h>

/* Where a turn's records are, and how those of a topic follow one another. */
struct tail_records {
	const struct ring_record *at;
	const uint32_t *next; /* index + 1 of the topic's next; 0: none */
};

/* A topic's messages of this turn, in one form. */
struct tail_run {
	uint32_t from; /* frame index */
	uint32_t count;
	uint64_t first_seq;
	uint64_t last_seq;
};

/* Encode them from that one on (index + 1). */
struct tail_run tail_run_encode(struct hub *hub, const struct sub_topic *topic,
    enum form_id form, struct tail_records records, uint32_t first);

/* Whether a client of this worker has published a record itself. */
static inline bool
tail_run_is_own(const struct hub *hub, const struct ring_record *rec,
    const struct client *client)
{
	return rec->worker == hub->slot && rec->conn == client->conn.number;
}

#endif
