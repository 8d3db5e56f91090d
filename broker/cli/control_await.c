/* SPDX-License-Identifier: MIT */
/* control_await.c - wait for what a change comes to; see control_server.h. */

#include "broker/cli/control_server.h"

#include "broker/host/process.h"
#include "common/clock.h"

static uint64_t
change_count(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_acquire);
}

void
control_change_begin(struct control_change *change)
{
	change->done_before = change_count(change->done);
	change->refused_before = change_count(change->refused);
}

enum exit_status
control_await(const struct control *control,
    const struct control_change *change, uint64_t deadline)
{
	const char *name = control->config->name;

	while (clock_monotonic_ms() < deadline) {
		if (change_count(change->refused) != change->refused_before)
			return report_failure(EXIT_STATUS_FAILED,
			    "%s was not %s, and serves on: %.*s", name,
			    change->was, CONTROL_WHY_MAX - 1, change->why);
		if (change_count(change->done) != change->done_before)
			return EXIT_STATUS_OK;
		if (process_wait(control->pidfd, CONTROL_LOOK_MS))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s ended instead of %s; see its log", name,
			    change->being);
	}
	return report_failure(EXIT_STATUS_FAILED,
	    "%s was told to %s, but has not answered; see its log", name,
	    change->be);
}
