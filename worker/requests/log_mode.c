/* SPDX-License-Identifier: MIT */
/* log_mode.c - see log_mode.h. */

#include "worker/requests/log_mode.h"

#include "broker/ring/ring_cluster.h"
#include "common/clock.h"
#include "common/config.h"
#include "worker/delivery/hub.h"

bool
log_mode_is_down(const struct hub *hub)
{
	uint64_t heard = atomic_load_explicit(
	    &hub->seg->header->cluster.heard_ms, memory_order_relaxed);

	return clock_monotonic_ms() > heard + hub->net->config->cluster_wait_ms;
}

/* Whether publishes do not wait for the log, or not any more. */
static bool
log_mode_goes_local(const struct hub *hub)
{
	const struct config *config = hub->net->config;

	return config->cluster_order_local ||
	       (config->cluster_down_local && log_mode_is_down(hub));
}

bool
log_mode_refuses(const struct hub *hub)
{
	return hub->waiting != NULL && log_mode_is_down(hub) &&
	       !log_mode_goes_local(hub);
}

void
log_mode_begin_turn(struct hub *hub)
{
	hub->is_local = log_mode_goes_local(hub);
	if (!hub->is_local)
		return;
	hub->wake |= ring_show(&hub->ring, hub->net->config->max_message);
	/* If that was not all, what comes in this turn waits behind the rest. */
	hub->is_local = ring_all_shown(&hub->ring);
}

bool
log_mode_must_show(const struct hub *hub)
{
	return hub->waiting != NULL && hub->awaited > 0 &&
	       !ring_all_shown(&hub->ring) && log_mode_goes_local(hub);
}

uint64_t
log_mode_take_wake(struct hub *hub)
{
	uint64_t who = hub->wake;

	hub->wake = 0;
	return who;
}
