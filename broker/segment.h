/* SPDX-License-Identifier: MIT */
/*
 * segment.h - the POSIX shared-memory segment: made, found, checked, removed.
 *
 * The supervisor creates it, in full (posix_fallocate), so that a /dev/shm that
 * is too small is an error at start and never a SIGBUS later.  Everybody else
 * maps what is there; status maps it read-only.  This module never takes the
 * ring's lock.
 */

#ifndef BROKER_SEGMENT_H
#define BROKER_SEGMENT_H

#include "broker/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_ERROR_MAX 256 /* bytes of a reason */

/*
 * A process's handle on the segment; pointers into its own mapping.  The
 * geometry is a private copy, checked when the segment was mapped: what a wild
 * store does to the header's own leads nobody out of bounds.
 */
struct segment {
	struct layout_header *header;
	struct layout_worker *workers;
	struct layout_stamp *stamps;
	struct layout_topic *topics;
	_Atomic uint32_t *buckets;
	struct layout_name *names;
	_Atomic uint32_t *subscribers; /* [worker * topics_max + slot] */
	_Atomic uint64_t *busy;        /* a bit per slot */
	unsigned char *ring;
	size_t size;
	uint64_t ring_size; /* bytes, a multiple of LAYOUT_PAGE */
	uint32_t topics_max;
	uint32_t bucket_count; /* a power of two */
};

/* Bytes of a segment with this geometry.  ring_size is rounded up to a page. */
uint64_t segment_size(uint64_t ring_size, uint32_t topics_max);

/*
 * Format a zeroed stretch of segment_size() bytes, aligned to LAYOUT_PAGE, with
 * a new epoch, and fill the handle.  The lock is made too (ring_format()).
 * Callers: supervisor, before any fork; tests, in a plain buffer.
 */
void segment_format(
    struct segment *seg, void *base, uint64_t ring_size, uint32_t topics_max);

/*
 * Create the segment of the instance `name', mapped read-write, formatted.  One
 * left over by a dead server is replaced: the caller holds the pidfile's lock.
 * Returns true, or false with a reason that names the segment in error.
 * Owns: the caller; segment_close() unmaps, segment_unlink() removes.
 * Callers: supervisor.
 */
bool segment_create(struct segment *seg, const char *name, uint64_t ring_size,
    uint32_t topics_max, char error[SEGMENT_ERROR_MAX]);

enum segment_status {
	SEGMENT_OK = 0,
	SEGMENT_MISSING, /* no such segment */
	SEGMENT_FOREIGN, /* another layout, size or owner; or half-made */
	SEGMENT_FAILED,  /* the system said no; see error */
};

/*
 * Map an existing segment.  Checks owner, size, magic, fingerprint and geometry
 * before anything else in it is believed.
 * Callers: supervisor (to take it over, writable), status (read-only).
 */
enum segment_status segment_attach(struct segment *seg, const char *name,
    bool writable, char error[SEGMENT_ERROR_MAX]);

/*
 * Make the parts that belong to one run anew: lock, worker table, counts,
 * interest words and busy bits, seal; run.id grows.  The ring, the directory and
 * the epoch stay.
 * Callers: supervisor, while no worker is alive.
 */
void segment_begin_run(
    struct segment *seg, unsigned workers, uint32_t drain_ms);

/* How many workers the run has: never more than the table has room for. */
unsigned segment_workers(const struct segment *seg);

/* Unmap. */
void segment_close(struct segment *seg);

/* Remove the name; who has it mapped keeps it.  Callers: supervisor. */
void segment_unlink(const char *name);

#endif
