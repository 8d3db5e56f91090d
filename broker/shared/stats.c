/* SPDX-License-Identifier: MIT */
/* stats.c - the names of the counters; see stats.h. */

#include "broker/shared/stats.h"

#include <string.h>

const struct stats_info stats_info[STATS_COUNT] = {
#define STATS_INFO(upper, lower, kind, metric, reason, what) \
	{ #lower, metric, reason, what, STATS_##kind },
	STATS_LIST(STATS_INFO)
#undef STATS_INFO
};

bool
stats_is_of_cluster(const struct stats_info *info)
{
	static const char prefix[] = "cluster_";

	return strncmp(info->metric, prefix, sizeof(prefix) - 1) == 0;
}

#define STATS_US UINT64_C(1000)    /* nanoseconds */
#define STATS_MS UINT64_C(1000000) /* likewise */

const uint64_t stats_delay_bounds_ns[STATS_DELAY_BOUNDS] = {
	100 * STATS_US,
	250 * STATS_US,
	500 * STATS_US,
	1 * STATS_MS,
	2500 * STATS_US,
	5 * STATS_MS,
	10 * STATS_MS,
	25 * STATS_MS,
	50 * STATS_MS,
	100 * STATS_MS,
	250 * STATS_MS,
	500 * STATS_MS,
	1000 * STATS_MS,
	2500 * STATS_MS,
	5000 * STATS_MS,
	10000 * STATS_MS,
};

void
stats_delay_add(struct stats_delays *delays, uint64_t ns, uint64_t n)
{
	unsigned i = 0;

	while (i < STATS_DELAY_BOUNDS && ns > stats_delay_bounds_ns[i])
		i++;
	stats_add_word(&delays->count[i], n);
	stats_add_word(&delays->sum_ns, ns * n);
}

void
stats_reset_gauges(_Atomic uint64_t *counters)
{
	for (int i = 0; i < STATS_COUNT; i++)
		if (stats_info[i].kind == STATS_GAUGE)
			atomic_store_explicit(
			    &counters[i], 0, memory_order_relaxed);
}

void
stats_merge(_Atomic uint64_t *counters, const _Atomic uint64_t *own)
{
	for (int i = 0; i < STATS_COUNT; i++) {
		uint64_t value = stats_get_word(&own[i]);

		if (stats_info[i].kind == STATS_GAUGE)
			atomic_store_explicit(
			    &counters[i], value, memory_order_relaxed);
		else
			stats_add_word(&counters[i], value);
	}
}
