/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - how often which latency, in constant memory.
 *
 * Log-linear: every power of two is cut into 128 buckets of equal width, so a
 * value is known within 1/128 of itself, from single nanoseconds to 18
 * minutes.  One process writes a histogram; others may read it meanwhile (it
 * can lie in shared memory, a zeroed one is empty) and merge several.
 */

#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_FINE_BITS  7  /* buckets per power of two: 2 to this */
#define HISTOGRAM_VALUE_BITS 40 /* larger values count as the largest */
#define HISTOGRAM_BUCKETS                                         \
	((size_t)(HISTOGRAM_VALUE_BITS - HISTOGRAM_FINE_BITS + 1) \
	    << HISTOGRAM_FINE_BITS)

struct histogram {
	_Atomic uint64_t count;
	_Atomic uint64_t max; /* exact */
	_Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
};

/* Count one value.  Callers: the one writer. */
void histogram_add(struct histogram *h, uint64_t value);

/* Add all that from has counted.  Callers: the one writer of into. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The value that the given share of all (0.0 to 1.0) does not exceed: the
 * upper end of its bucket, at most the maximum.  0 when nothing was counted.
 */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
