/* SPDX-License-Identifier: MIT */
/* bucket.c - see bucket.h. */

#include "worker/net/bucket.h"

#include "worker/net/wheel.h"

void
rate_bucket_init(struct rate_bucket *bucket, uint32_t rate, uint32_t now)
{
	bucket->left = (int32_t)rate;
	bucket->tick = now;
}

bool
rate_bucket_has(struct rate_bucket *bucket, uint32_t rate, uint32_t now)
{
	int64_t add =
	    (int64_t)rate * (now - bucket->tick) * WHEEL_TICK_MS / 1000;

	if (rate == 0)
		return true;
	if (add > 0) {
		bucket->tick = now;
		add += bucket->left;
		bucket->left = (int32_t)(add < rate ? add : rate);
	}
	return bucket->left > 0;
}

void
rate_bucket_take(
    struct rate_bucket *bucket, uint32_t rate, uint32_t now, int32_t tokens)
{
	rate_bucket_has(bucket, rate, now);
	if (rate != 0)
		bucket->left -= tokens;
}
