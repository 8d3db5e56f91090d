/* SPDX-License-Identifier: MIT */
/* reload.c - see reload.h. */

#include "worker/reload.h"

#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/log.h"
#include "common/nofile.h"
#include "worker/delivery/policies.h"
#include "worker/requests/caller.h"
#include "worker/state.h"

#include <stdatomic.h>

/* Descriptors that are not connections, with some to spare. */
#define RELOAD_FD_RESERVE 128

/* Descriptors that may be the clients'. */
static uint32_t
reload_descriptors(void)
{
	uint32_t limit = nofile_limit();

	return limit > RELOAD_FD_RESERVE ? limit - RELOAD_FD_RESERVE : 1;
}

uint32_t
reload_max_conns(const struct worker *w)
{
	return w->config.max_conns != 0 ? w->config.max_conns : w->descriptors;
}

void
reload_tell(struct worker *w)
{
	atomic_store_explicit(&w->hub.seg->workers[w->hub.slot].options,
	    w->options_version, memory_order_release);
}

void
reload_init(struct worker *w)
{
	w->config = *w->args->config;
	w->options_version = w->args->options_version;
	/* Now, for the sandbox forbids to ask. */
	w->descriptors = reload_descriptors();
}

/* Pass on the options that are not looked up where they are needed. */
static void
reload_pass_on(struct worker *w)
{
	log_set_level(w->config.log_level);
	w->net.conns.max = reload_max_conns(w);
	w->net.addresses.rate = w->config.conn_rate;
	policies_renew(&w->hub);
	if (access_renew(&w->access))
		caller_hold_to_rules(&w->hub);
}

void
reload_turn(struct worker *w)
{
	uint32_t version;

	if (live_version(w->args->live) == w->options_version)
		return;
	version = live_get(w->args->live, &w->config, w->option_names);
	if (version == 0) {
		/* It is being written: look again in the next turn. */
		wakeup_ring(w->hub.wakeup, w->hub.slot);
		return;
	}
	w->options_version = version;
	reload_pass_on(w);
	reload_tell(w);
}
