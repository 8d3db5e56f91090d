/* SPDX-License-Identifier: MIT */
/* clock.h - the two clocks (clock_gettime(2)). */

#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds of one of the system's clocks. */
static inline uint64_t
clock_ns(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Milliseconds of one of them. */
static inline uint64_t
clock_ms(clockid_t which)
{
	return clock_ns(which) / 1000000;
}

/* Never jumps; for deadlines.  The same in every process of this host. */
static inline uint64_t
clock_monotonic_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* The same clock, finer; for measuring. */
static inline uint64_t
clock_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* Since 1970, as stamped on messages. */
static inline uint64_t
clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

#endif
