/* SPDX-License-Identifier: MIT */
/*
 * gathered.h - where in the ring the records of the outbox are, by their numbers.
 *
 * The ring links each to the one before it, so they are found from the newest
 * back.  Those that are known are a stretch without holes: what is let go, and
 * what the ring overwrites, is always the oldest.
 *
 * Callers: sender.c.
 */

#ifndef BROKER_CLUSTER_GATHERED_H
#define BROKER_CLUSTER_GATHERED_H

#include "broker/ring/ring_cluster.h"

#include <stddef.h>
#include <stdint.h>

struct gathered {
	const struct segment *seg; /* borrowed */
	uint64_t newest; /* number of the last that was gathered, or of the
	                      * one to begin behind */
	uint64_t
	    *positions; /* owned: of those up to that one, from [first] on */
	size_t first, count, max;
};

/* Begin behind a number. */
void gathered_init(
    struct gathered *g, const struct segment *seg, uint64_t number);
void gathered_fini(struct gathered *g);

/*
 * Find those that are new.
 * Blocks:  never; takes no lock.  As long as the outbox has records that are new.
 * Returns: RING_OK; RING_LAPPED: all up to *lapped, which is new, are overwritten,
 *          and those behind it are found; RING_CORRUPT: no writer wrote this.
 */
enum ring_status gathered_more(struct gathered *g, uint64_t *lapped);

/* The position of a record.  It is one that was found, and not let go. */
uint64_t gathered_position(const struct gathered *g, uint64_t number);

/* Forget those up to a number. */
void gathered_let_go(struct gathered *g, uint64_t number);

/* Position of the oldest that is not let go; 0: none is left. */
uint64_t gathered_oldest(const struct gathered *g);

#endif
