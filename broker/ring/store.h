/* SPDX-License-Identifier: MIT */
/*
 * store.h - make all parts of a segment: the lock, the ring, the directory, the
 * worker table.
 *
 *	segment.h	where each part lies, and the file
 *	lock.h		the mutex
 *	ring.h		the log		topics.h	the directory
 *	store.h		a new segment with all of them; a new run in an old one
 *
 * Each part knows its own bytes; this module alone knows all parts.
 *
 * Callers: supervisor; tests.
 */

#ifndef BROKER_RING_STORE_H
#define BROKER_RING_STORE_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Format a zeroed stretch of segment_size() bytes, aligned to LAYOUT_PAGE, with
 * a new epoch, an empty ring and a free lock, and fill the handle.
 * Callers: tests, in a plain buffer.
 */
void store_format(
    struct segment *seg, void *base, const struct segment_shape *shape);

/*
 * Create the segment of the instance `name' as segment_create() does, and format
 * it.  Only store_begin_run() may write to it before segment_fill().
 * Returns: true, or false with a reason that names the segment in error.
 * Owns:    the caller; segment_close() unmaps, segment_remove() removes.
 * Callers: supervisor, before any fork.
 */
bool store_create(struct segment *seg, const char *name,
    const struct segment_shape *shape, int *claim,
    char error[SEGMENT_ERROR_MAX]);

/* The same in the file of segment_open_next(), which stays the caller's, and is
 * in memory in full.
 * Callers: an upgrade's nursery. */
bool store_create_next(struct segment *seg, int fd, const char *name,
    const struct segment_shape *shape, char error[SEGMENT_ERROR_MAX]);

/*
 * Make the parts that belong to one run anew: lock, worker table, counts,
 * interest words and busy bits, seal; run.id grows.  The ring, the directory
 * and the epoch stay.  The lock is made anew because there is no way to check
 * the bytes of an old one.  ring_lock() repairs the ring after a dead holder
 * even with the new lock.
 * Callers: supervisor, while no worker is alive.
 */
void store_begin_run(struct segment *seg, unsigned workers, uint32_t drain_ms);

#endif
