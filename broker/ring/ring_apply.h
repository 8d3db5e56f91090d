/* SPDX-License-Identifier: MIT */
/*
 * ring_apply.h - what a record that was just committed asks for beyond its
 * number: the same whether its publisher does it (publish-4) or, after the
 * publisher's death, who repairs (repair-1).  All of it may be said twice.
 */

#ifndef BROKER_RING_RING_APPLY_H
#define BROKER_RING_RING_APPLY_H

#include "broker/ring/dedup.h"
#include "broker/ring/retain.h"
#include "common/clock.h"

#include <stdint.h>
#include <string.h>

/* extra: what the record ends with; zeros ask for nothing.  name and value are
 * the record's, but for the value's time, which is the extra's.  Under the
 * lock. */
static inline void
ring_apply_extra(struct segment *seg, const struct layout_extra *extra,
    const struct retain_name *name, struct retain_value *value)
{
	struct dedup_key key;

	memcpy(key.half, extra->key, sizeof(key.half));
	if ((key.half[0] | key.half[1]) != 0)
		dedup_put(seg, &key, value->seq, clock_monotonic_ms());
	value->expires_ms = extra->expires_ms;
	if (extra->retain != 0)
		retain_put(seg, name, value);
}

#endif
