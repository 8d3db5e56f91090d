/* SPDX-License-Identifier: MIT */
/* summary.c - see summary.h. */

#include "broker/status/summary.h"

#include "broker/shared/stats.h"

struct summary
summary_of(const struct segment *seg)
{
	struct summary sum = { 0, 0 };

	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++) {
		const struct layout_worker *worker = &seg->workers[slot];

		sum.closed_cleanly +=
		    stats_get(worker->counters, STATS_CLOSED_CLEANLY);
		sum.cut += stats_get(worker->counters, STATS_CUT);
	}
	return sum;
}
