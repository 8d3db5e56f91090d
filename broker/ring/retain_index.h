/* SPDX-License-Identifier: MIT */
/* retain_index.h - what retain.c and retain_repair.c share of the slab. */

#ifndef BROKER_RING_RETAIN_INDEX_H
#define BROKER_RING_RETAIN_INDEX_H

#include "broker/shared/segment.h"

#include <stddef.h>
#include <stdint.h>

static inline uint32_t *
retain_bucket(const struct segment *seg, uint32_t hash)
{
	return &seg->value_buckets[hash & (seg->value_bucket_count - 1)];
}

/* Copy bytes of a value, name and text one behind the other, from `skip' on. */
void retain_read(const struct segment *seg, const struct layout_chunk *head,
    size_t skip, char *out, size_t len);

#endif
