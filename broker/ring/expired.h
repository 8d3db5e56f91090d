/* SPDX-License-Identifier: MIT */
/* expired.h - whether a message with a ttl is too old. */

#ifndef BROKER_RING_EXPIRED_H
#define BROKER_RING_EXPIRED_H

#include "common/clock.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the time of a message that was published with one (expires_ms of a
 * record; 0: none) is over.  It has been delivered when it was published, and
 * nobody is sent it any more; its number stays.
 */
static inline bool
ring_expired(uint64_t expires_ms)
{
	return expires_ms != 0 && expires_ms <= clock_monotonic_ms();
}

#endif
