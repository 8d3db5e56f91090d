/* SPDX-License-Identifier: MIT */
/* control_reload.c - `pubsubd reload'; see control.h. */

#include "broker/cli/absent.h"
#include "broker/cli/control.h"
#include "broker/cli/control_server.h"
#include "broker/host/process.h"
#include "common/clock.h"

#include <signal.h>
#include <stdio.h>

/* How long a reload may take: no worker has to finish anything for it. */
#define CONTROL_RELOAD_MS 5000

/* Whether every worker has taken over the options of this version. */
static bool
control_all_have(const struct segment *seg, unsigned *missing)
{
	uint32_t version = atomic_load(&seg->header->run.options);

	for (*missing = 0; *missing < segment_workers(seg); ++*missing) {
		const struct layout_worker *worker = &seg->workers[*missing];

		if (atomic_load_explicit(
			&worker->state, memory_order_acquire) == WORKER_READY &&
		    atomic_load_explicit(
			&worker->options, memory_order_acquire) != version)
			return false;
	}
	return true;
}

/* Wait until the options are in force in every worker. */
static enum exit_status
control_wait_options(const struct control *control, uint64_t deadline)
{
	const struct layout_header *header = control->segment.header;
	const char *name = control->config->name;
	unsigned missing;

	while (!control_all_have(&control->segment, &missing)) {
		if (clock_monotonic_ms() >= deadline ||
		    process_wait(control->pidfd, CONTROL_LOOK_MS))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s is reloaded, but worker %u has not taken it "
			    "over: does it hang?",
			    name, missing);
	}
	printf("pubsubd %s: reloaded; %s%.*s\n", name,
	    header->run.reload_why[0] != '\0' ? "changed: "
					      : "no option has changed",
	    (int)sizeof(header->run.reload_why) - 1, header->run.reload_why);
	return report_printed();
}

static enum exit_status
control_reload(const struct control *control)
{
	struct layout_header *header = control->segment.header;
	uint64_t deadline = clock_monotonic_ms() + CONTROL_RELOAD_MS;
	struct control_change change = {
		.be = "reload",
		.being = "reloading",
		.was = "reloaded",
	};
	enum exit_status status;

	if (!control->attached)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is of another version, which may know no reload: "
		    "restart it",
		    control->config->name);
	change.done = &header->run.reloads;
	change.refused = &header->run.reload_refused;
	change.why = header->run.reload_why;
	control_change_begin(&change);
	status = control_signal(control, SIGUSR1);
	if (status == EXIT_STATUS_OK)
		status = control_await(control, &change, deadline);
	return status == EXIT_STATUS_OK
	           ? control_wait_options(control, deadline)
	           : status;
}

enum exit_status
cli_reload(const struct cli *cli)
{
	return control_serving(cli, control_reload);
}
