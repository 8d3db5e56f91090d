/* SPDX-License-Identifier: MIT */
/* histogram.c - see histogram.h. */

#include "tests/load/histogram.h"

#define FINE_BUCKETS ((uint64_t)1 << HISTOGRAM_FINE_BITS)
#define VALUE_MAX    (((uint64_t)1 << HISTOGRAM_VALUE_BITS) - 1)

static uint64_t
histogram_get(const _Atomic uint64_t *number)
{
	return atomic_load_explicit(number, memory_order_relaxed);
}

/* One writer: no need to lock the bus for it. */
static void
histogram_increase(_Atomic uint64_t *number, uint64_t by)
{
	atomic_store_explicit(
	    number, histogram_get(number) + by, memory_order_relaxed);
}

/* Small values have a bucket each; above, the bits after the first one count
 * within the first one's power of two. */
static size_t
histogram_bucket(uint64_t value)
{
	unsigned shift;

	if (value > VALUE_MAX)
		value = VALUE_MAX;
	if (value < FINE_BUCKETS)
		return (size_t)value;
	shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_FINE_BITS;
	return (size_t)(shift * FINE_BUCKETS + (value >> shift));
}

/* The largest value that falls into a bucket. */
static uint64_t
histogram_bucket_end(size_t bucket)
{
	uint64_t fine;
	unsigned shift;

	if (bucket < FINE_BUCKETS)
		return bucket;
	shift = (unsigned)(bucket / FINE_BUCKETS) - 1;
	fine = bucket % FINE_BUCKETS + FINE_BUCKETS;
	return ((fine + 1) << shift) - 1;
}

void
histogram_add(struct histogram *h, uint64_t value)
{
	histogram_increase(&h->bucket[histogram_bucket(value)], 1);
	histogram_increase(&h->count, 1);
	if (value > histogram_get(&h->max))
		atomic_store_explicit(&h->max, value, memory_order_relaxed);
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
	uint64_t max = histogram_get(&from->max);

	/* The buckets' sum, so that count agrees with them whatever is being
	 * added there at this moment. */
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t n = histogram_get(&from->bucket[i]);

		histogram_increase(&into->bucket[i], n);
		histogram_increase(&into->count, n);
	}
	if (max > histogram_get(&into->max))
		atomic_store_explicit(&into->max, max, memory_order_relaxed);
}

uint64_t
histogram_quantile(const struct histogram *h, double share)
{
	uint64_t count = histogram_get(&h->count), seen = 0;
	uint64_t max = histogram_get(&h->max);
	double rank = share * (double)count;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram_get(&h->bucket[i]);
		if (seen > 0 && (double)seen >= rank) {
			uint64_t end = histogram_bucket_end(i);

			return end < max ? end : max;
		}
	}
	return max;
}
