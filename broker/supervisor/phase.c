/* SPDX-License-Identifier: MIT */
/* phase.c - see phase.h. */

#include "broker/supervisor/phase.h"

/* clang-format off */
#define GO(next)           { true, PHASE_##next, false, RUN_SERVE }
#define GIVE(order, next)  { true, PHASE_##next, true, RUN_##order }

static const struct phase_step phase_table[PHASES][EVENTS] = {
	[PHASE_STARTING] = {
		[EVENT_READY] = GO(SERVING),
		[EVENT_UNREADY] = GIVE(QUIT, FAILING),
		[EVENT_STOP] = GIVE(DRAIN, STOPPING),
		[EVENT_RING_BROKEN] = GIVE(QUIT, FAILING),
		[EVENT_WORKERLESS] = GO(OVER),
	},
	[PHASE_RESUMING] = {
		[EVENT_READY] = GO(SERVING),
		[EVENT_STOP] = GIVE(DRAIN, STOPPING),
		/* A program that never gets ready is what one wants to come
		 * back from. */
		[EVENT_RESTART] = GIVE(DRAIN_RESTART, RESTARTING),
		[EVENT_RING_BROKEN] = GIVE(QUIT, RENEWING),
		[EVENT_WORKERLESS] = GO(OVER),
	},
	[PHASE_SERVING] = {
		[EVENT_STOP] = GIVE(DRAIN, STOPPING),
		[EVENT_RESTART] = GIVE(DRAIN_RESTART, RESTARTING),
		[EVENT_RING_BROKEN] = GIVE(QUIT, RENEWING),
		[EVENT_WORKERLESS] = GO(OVER),
	},
	[PHASE_STOPPING] = {
		[EVENT_STOP] = GIVE(QUIT, STOPPING), /* patience is at an end */
		[EVENT_RUN_ENDED] = GO(OVER),
	},
	/* These two have an order already, which goes on. */
	[PHASE_RESTARTING] = {
		[EVENT_STOP] = GO(STOPPING),
		[EVENT_RUN_ENDED] = GO(RESUMING),
	},
	[PHASE_RENEWING] = {
		[EVENT_STOP] = GO(STOPPING),
		[EVENT_RUN_ENDED] = GO(RESUMING),
	},
	[PHASE_FAILING] = {
		[EVENT_RUN_ENDED] = GO(OVER),
	},
};
/* clang-format on */

struct phase_step
phase_step(enum phase phase, enum event event)
{
	return phase_table[phase][event];
}

bool
phase_serves(enum phase phase)
{
	return phase == PHASE_STARTING || phase == PHASE_RESUMING ||
	       phase == PHASE_SERVING;
}
