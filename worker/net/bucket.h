/* SPDX-License-Identifier: MIT */
/*
 * bucket.h - a token bucket: so many per second, a second's worth at once.
 *
 * Time is the wheel's tick (wheel.h), so looking costs no system call.
 */

#ifndef WORKER_NET_BUCKET_H
#define WORKER_NET_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Tokens, filled up as ticks pass. */
struct rate_bucket {
	uint32_t tick; /* when it was last filled up */
	int32_t left;  /* at 0 or below: wait */
};

/* A full bucket of so many tokens per second. */
void rate_bucket_init(struct rate_bucket *bucket, uint32_t rate, uint32_t now);

/* Fill it up by the time that has passed.  Returns whether anything is left;
 * of a rate of 0 always. */
bool rate_bucket_has(struct rate_bucket *bucket, uint32_t rate, uint32_t now);

/* Take tokens out, whether they are there or not. */
void rate_bucket_take(
    struct rate_bucket *bucket, uint32_t rate, uint32_t now, int32_t tokens);

#endif
