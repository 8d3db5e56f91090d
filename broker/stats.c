/* SPDX-License-Identifier: MIT */
/* stats.c - the names of the counters; see stats.h. */

#include "broker/stats.h"

const struct stats_info stats_info[STATS_COUNT] = {
#define STATS_INFO(upper, lower, kind, what) { #lower, what, STATS_##kind },
	STATS_LIST(STATS_INFO)
#undef STATS_INFO
};

void
stats_reset_gauges(_Atomic uint64_t *counters)
{
	for (int i = 0; i < STATS_COUNT; i++)
		if (stats_info[i].kind == STATS_GAUGE)
			atomic_store_explicit(
			    &counters[i], 0, memory_order_relaxed);
}
