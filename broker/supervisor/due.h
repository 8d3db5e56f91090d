/* SPDX-License-Identifier: MIT */
/*
 * due.h - when the supervisor has to do something though nothing happens: one
 * list of times on the monotonic clock, milliseconds.
 */

#ifndef BROKER_SUPERVISOR_DUE_H
#define BROKER_SUPERVISOR_DUE_H

#include "common/config.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DUE_LOOK = 0, /* the watchdog's, and at the names of our files */
	DUE_READY,    /* the workers of a start have had their time */
	DUE_FILL,     /* the segment of a run is to be in memory in full */
	DUE_KILL,     /* the workers of a run that ends have had theirs */
	DUE_TICKETS,  /* another key for the tickets of TLS */
	DUE_TRIAL,    /* the program that is tried has had its time */
	DUE_BRIDGE,   /* the bridge to a cluster is to be started */
	DUE_HEIR,     /* the successor of a worker has had its time */
	DUE_FORK,     /* a worker, one for each slot from here on */
	DUE_COUNT = DUE_FORK + CONFIG_WORKERS_MAX
};

#define DUE_NEVER UINT64_MAX

struct due {
	uint64_t at[DUE_COUNT];
};

/* Nothing is due. */
static inline void
due_init(struct due *due)
{
	for (int i = 0; i < DUE_COUNT; i++)
		due->at[i] = DUE_NEVER;
}

/* The earliest time of all, or DUE_NEVER. */
static inline uint64_t
due_next(const struct due *due)
{
	uint64_t next = DUE_NEVER;

	for (int i = 0; i < DUE_COUNT; i++)
		if (due->at[i] < next)
			next = due->at[i];
	return next;
}

/* Whether this is due, once: it is not any more afterwards. */
static inline bool
due_take(struct due *due, unsigned which, uint64_t now)
{
	if (due->at[which] > now)
		return false;
	due->at[which] = DUE_NEVER;
	return true;
}

#endif
