/* SPDX-License-Identifier: MIT */
/* budget.c - see budget.h. */

#include "worker/net/budget.h"

#include "common/bug.h"
#include "common/config.h"

static const enum stats_id budget_gauges[BUDGET_PARTS] = {
	[BUDGET_INPUT] = STATS_INPUT_BYTES,
	[BUDGET_OUTPUT] = STATS_BUFFERED_BYTES,
};

uint64_t
budget_max(const struct config *config, enum budget_part part)
{
	uint64_t quarter = config->max_worker_memory / 4;
	/* One message may always be on its way in. */
	uint64_t message =
	    (uint64_t)config->max_message + CONFIG_ENVELOPE_SLACK;

	if (part == BUDGET_OUTPUT)
		return config->max_worker_memory - quarter;
	return quarter > message ? quarter : message;
}

void
budget_init(struct budget *budget, const struct config *config,
    const struct stats *stats)
{
	*budget = (struct budget){ .config = config, .stats = *stats };
}

void
budget_change(struct budget *budget, enum budget_part part, uint64_t before,
    uint64_t after)
{
	if (before == after)
		return;
	CHECK(budget->held[part] >= before);
	budget->held[part] += after - before;
	stats_set(&budget->stats, budget_gauges[part], budget->held[part]);
}

/* What each of so many connections may hold of a part whatever others do. */
static uint64_t
budget_share(const struct budget *budget, enum budget_part part, uint32_t count)
{
	return budget_max(budget->config, part) / (count > 0 ? count : 1);
}

bool
budget_has_room(const struct budget *budget, enum budget_part part,
    uint64_t own, size_t len, uint32_t count)
{
	return budget->held[part] + len <= budget_max(budget->config, part) ||
	       own + len <= budget_share(budget, part, count);
}

bool
budget_is_over(const struct budget *budget, enum budget_part part, uint64_t own,
    uint32_t count)
{
	return budget->held[part] > budget_max(budget->config, part) &&
	       own > budget_share(budget, part, count);
}
