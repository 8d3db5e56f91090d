/* SPDX-License-Identifier: MIT */
/* control_upgrade.c - `pubsubd upgrade'; see control.h. */

#include "broker/cli/absent.h"
#include "broker/cli/control.h"
#include "broker/cli/control_server.h"
#include "broker/host/process.h"
#include "broker/shared/upgrade_page.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long the trial of the program may take, and then each worker, beyond what
 * it waits for its connections. */
#define CONTROL_UPGRADE_MS 10000

/* How long it may take to make another segment. */
#define CONTROL_MOVE_MS 60000

/* When it should be done at the latest.  The segment may be one that cannot be read,
 * and then another one has to be made. */
static uint64_t
control_upgrade_deadline(const struct control *control)
{
	unsigned workers = control->attached
	                       ? segment_workers(&control->segment)
	                       : LAYOUT_WORKERS;

	return clock_monotonic_ms() + CONTROL_MOVE_MS +
	       (uint64_t)CONTROL_UPGRADE_MS * (1 + workers);
}

/* Where the server says what came of it: in the page that all programs read, or,
 * if it is from before there was one, in its segment. */
static bool
control_find_words(const struct control *control,
    const struct upgrade_page *page, struct control_change *change)
{
	struct layout_header *header = control->segment.header;

	if (page != NULL) {
		change->done = &page->done;
		change->refused = &page->refused;
		change->why = page->why;
	} else if (control->attached) {
		change->done = &header->run.upgrades;
		change->refused = &header->run.upgrade_refused;
		change->why = header->run.upgrade_why;
	}
	return change->done != NULL;
}

static enum exit_status
control_upgrade_by(
    const struct control *control, const struct upgrade_page *page)
{
	const char *name = control->config->name;
	struct control_change change = {
		.be = "upgrade",
		.being = "upgrading",
		.was = "upgraded",
	};
	enum exit_status status;

	if (!control_find_words(control, page, &change))
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is of another version, whose connections this one "
		    "cannot take over: restart it",
		    name);
	control_change_begin(&change);
	if (!process_order(control->pidfd, SIGUSR2, PROCESS_UPGRADE) &&
	    errno != ESRCH)
		return report_failure(EXIT_STATUS_FAILED,
		    "cannot signal process %d: %s", control->holders.supervisor,
		    strerror(errno));
	status =
	    control_await(control, &change, control_upgrade_deadline(control));
	if (status != EXIT_STATUS_OK)
		return status;
	printf("pubsubd %s: upgraded; %.*s\n", name, CONTROL_WHY_MAX - 1,
	    change.why);
	return report_printed();
}

static enum exit_status
control_upgrade(const struct control *control)
{
	int fd = upgrade_page_open_of(control->holders.supervisor);
	struct upgrade_page *page =
	    fd != -1 ? upgrade_page_map(fd, false) : NULL;
	enum exit_status status = control_upgrade_by(control, page);

	upgrade_page_close(page);
	if (fd != -1)
		close(fd);
	return status;
}

enum exit_status
cli_upgrade(const struct cli *cli)
{
	return control_serving(cli, control_upgrade);
}
