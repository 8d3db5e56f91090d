/* SPDX-License-Identifier: MIT */
/* control_upgrade.c - `pubsubd upgrade'; see control.h. */

#include "broker/cli/absent.h"
#include "broker/cli/control.h"
#include "broker/cli/control_server.h"
#include "broker/host/process.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How long the trial of the program may take, and then each worker, beyond what
 * it waits for its connections. */
#define CONTROL_UPGRADE_MS 10000

/* What was asked for has been done, or not. */
static enum exit_status
control_upgrade_end(const struct control *control, uint64_t refused)
{
	const struct layout_header *header = control->segment.header;
	const char *name = control->config->name;

	if (atomic_load_explicit(
		&header->run.upgrade_refused, memory_order_acquire) != refused)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s was not upgraded, and serves on: %.*s", name,
		    (int)sizeof(header->run.upgrade_why) - 1,
		    header->run.upgrade_why);
	printf("pubsubd %s: upgraded; %.*s\n", name,
	    (int)sizeof(header->run.upgrade_why) - 1, header->run.upgrade_why);
	return report_printed();
}

static enum exit_status
control_upgrade(const struct control *control)
{
	const struct layout_header *header = control->segment.header;
	const char *name = control->config->name;
	uint64_t done, refused, deadline;

	if (!control->attached)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is of another version, whose connections this one "
		    "cannot take over: restart it",
		    name);
	done = atomic_load(&header->run.upgrades);
	refused = atomic_load(&header->run.upgrade_refused);
	deadline =
	    clock_monotonic_ms() + (uint64_t)CONTROL_UPGRADE_MS *
				       (1 + segment_workers(&control->segment));
	if (!process_order(control->pidfd, SIGUSR2, PROCESS_UPGRADE) &&
	    errno != ESRCH)
		return report_failure(EXIT_STATUS_FAILED,
		    "cannot signal process %d: %s", control->holders.supervisor,
		    strerror(errno));
	while (clock_monotonic_ms() < deadline) {
		if (atomic_load_explicit(
			&header->run.upgrades, memory_order_acquire) != done ||
		    atomic_load_explicit(&header->run.upgrade_refused,
			memory_order_acquire) != refused)
			return control_upgrade_end(control, refused);
		if (process_wait(control->pidfd, CONTROL_LOOK_MS))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s ended instead of upgrading; see its log", name);
	}
	return report_failure(EXIT_STATUS_FAILED,
	    "%s was told to upgrade, but is not done; see its log", name);
}

enum exit_status
cli_upgrade(const struct cli *cli)
{
	return control_serving(cli, control_upgrade);
}
