/* SPDX-License-Identifier: MIT */
/*
 * look.h - what a server had counted at one moment, and what happened between
 * two such moments.
 *
 * Counters grow as long as a run lasts, so two looks at them tell a rate.  A
 * look is a private copy, read word by word without the lock: its numbers are of
 * nearly the same moment and not more.
 */

#ifndef BROKER_STATUS_LOOK_H
#define BROKER_STATUS_LOOK_H

#include "broker/shared/segment.h"
#include "broker/shared/stats.h"

#include <stdbool.h>
#include <stdint.h>

#define LOOK_ALL LAYOUT_WORKERS /* in the place of a worker's slot */

struct look {
	uint64_t at_ns; /* monotonic clock; 0: none was taken */
	uint64_t run;   /* run.id */
	char epoch[LAYOUT_EPOCH + 1];
	unsigned workers;
	uint64_t counters[LAYOUT_WORKERS][STATS_COUNT];
	uint64_t delays[STATS_DELAY_BOUNDS + 1]; /* of all workers */
	uint64_t head;                           /* of the ring; position */
	uint64_t *seqs;                          /* of each topic, by slot */
	uint32_t topics, topics_size;
};

/* An empty one.  Owns: the caller, until look_fini(). */
void look_init(struct look *look);
void look_fini(struct look *look);

/* Look now; what was there is forgotten. */
void look_take(struct look *look, const struct segment *seg);

/* Whether the two are of one run and in this order: only then do they tell what
 * happened between them.  The functions below return 0 otherwise. */
bool look_follows(const struct look *now, const struct look *before);

/* A counter's value, of one worker or of LOOK_ALL. */
uint64_t look_total(const struct look *look, unsigned worker, enum stats_id id);

/* How much a counter grew per second. */
double look_rate(const struct look *now, const struct look *before,
    unsigned worker, enum stats_id id);

/* Bytes per second that were written into the ring. */
double look_ring_rate(const struct look *now, const struct look *before);

/*
 * How long messages took from their acceptance to the sockets: the bound, in ns,
 * below which `percent' of them were.
 * Returns: 0 if there were none, UINT64_MAX if they were beyond the last bound.
 */
uint64_t look_delay(
    const struct look *now, const struct look *before, unsigned percent);

#endif
