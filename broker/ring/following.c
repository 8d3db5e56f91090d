/* SPDX-License-Identifier: MIT */
/* following.c - see following.h. */

#include "broker/ring/following.h"

void
following_set(struct segment *seg, unsigned worker, bool follows)
{
	uint64_t bit = UINT64_C(1) << worker;

	if (follows)
		atomic_fetch_or(&seg->header->following, bit);
	else
		atomic_fetch_and(&seg->header->following, ~bit);
}
