/* SPDX-License-Identifier: MIT */
/* control.c - see control.h. */

#include "broker/cli/control.h"

#include "broker/cli/absent.h"
#include "broker/cli/control_server.h"
#include "broker/cli/instance.h"
#include "broker/host/pidfile.h"
#include "broker/host/process.h"
#include "broker/status/summary.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The time that a server gets beyond its drain before it is called stuck. */
#define CONTROL_GRACE_MS 5000

/* The same for a restart: the workers of the new run have to get ready. */
#define CONTROL_READY_MS 30000

/* When the segment cannot be read to know better. */
#define CONTROL_DRAIN_MS 10000

void
control_close(struct control *control)
{
	if (control->attached)
		segment_close(&control->segment);
	close(control->pidfd);
}

/* Whether a stop has left this segment to the next start. */
static bool
control_is_kept(const char *name, int claim)
{
	char error[SEGMENT_ERROR_MAX];
	struct segment seg;
	bool kept;

	if (segment_take_over(&seg, claim, name, error) != SEGMENT_OK)
		return false;
	kept = atomic_load(&seg.header->run.kept) == 1;
	segment_close(&seg);
	return kept;
}

/* Remove what a killed server left, if all of it is dead; not a ring that a stop
 * has left to the next start.  Returns whether a ring was removed. */
static bool
control_clear_away(const struct config *config)
{
	char error[SEGMENT_ERROR_MAX];
	struct lockfile lockfile;
	int claim = -1;
	bool removed;

	if (!lockfile_take_left(&lockfile, config->lockfile))
		return false;
	removed = segment_claim(config->name, &claim, error) == SEGMENT_OK &&
	          !control_is_kept(config->name, claim);
	if (removed)
		segment_remove(config->name, claim);
	else if (claim != -1)
		close(claim);
	if (removed || claim == -1)
		segment_remove_asides(config->name);
	pidfile_remove_left(config->pidfile);
	lockfile_release(&lockfile);
	return removed;
}

/* There is none: end what is left of it, as a stop would have. */
static enum exit_status
control_not_running(const struct cli *cli)
{
	return cli_not_running(
	    cli, control_clear_away(&cli->config)
		     ? "; the ring of a killed server is removed"
		     : "");
}

enum exit_status
control_open(struct control *control, const struct cli *cli)
{
	const struct config *config = &cli->config;
	char error[INSTANCE_ERROR_MAX];

	memset(control, 0, sizeof(*control));
	control->config = config;
	control->pidfd =
	    lockfile_open_holder(config->lockfile, &control->holders, error);
	if (control->pidfd == -1 && error[0] == '\0')
		return EXIT_STATUS_NOT_RUNNING;
	if (control->pidfd == -1)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is out of reach: %s", config->name, error);
	control->attached = instance_attach(
	    &control->segment, config->name, &control->holders, error);
	control->drain_ms =
	    control->attached
		? atomic_load(&control->segment.header->run.drain_ms)
		: CONTROL_DRAIN_MS;
	return EXIT_STATUS_OK;
}

enum exit_status
control_signal(const struct control *control, int sig)
{
	if (process_signal(control->pidfd, sig) || errno == ESRCH)
		return EXIT_STATUS_OK;
	return report_failure(EXIT_STATUS_FAILED,
	    "cannot signal process %d: %s", control->holders.supervisor,
	    strerror(errno));
}

/* The supervisor was killed: wait for its workers, and kill those that have not
 * left by the end of the drain, but not a server that has begun meanwhile. */
static enum exit_status
control_wait_orphans(struct control *control)
{
	uint64_t deadline =
	    clock_monotonic_ms() + control->drain_ms + CONTROL_GRACE_MS;
	struct lockfile_holders holders;
	char error[LOCKFILE_ERROR_MAX];
	int pidfd;

	while ((pidfd = lockfile_open_holder(
		    control->config->lockfile, &holders, error)) != -1 &&
	       holders.supervisor == 0) {
		uint64_t now = clock_monotonic_ms();
		bool ended =
		    (now < deadline && process_wait(pidfd, deadline - now)) ||
		    (process_signal(pidfd, SIGKILL) &&
			process_wait(pidfd, CONTROL_GRACE_MS));

		close(pidfd);
		if (!ended)
			return report_failure(EXIT_STATUS_FAILED,
			    "%s: worker %d of a killed server is still there",
			    control->config->name, holders.worker);
	}
	if (pidfd != -1)
		close(pidfd);
	control_clear_away(control->config);
	printf("pubsubd %s: the workers of a killed server are gone\n",
	    control->config->name);
	return EXIT_STATUS_OK;
}

/* Say what the stop came to. */
static void
control_print_stopped(const struct control *control)
{
	struct summary sum = { 0, 0 };

	if (control->attached)
		sum = summary_of(&control->segment);
	printf("pubsubd %s: stopped; %llu connections closed cleanly, %llu "
	       "cut\n",
	    control->config->name, (unsigned long long)sum.closed_cleanly,
	    (unsigned long long)sum.cut);
}

static enum exit_status
control_stop(struct control *control)
{
	char error[LOCKFILE_ERROR_MAX];
	struct lockfile_holders holders;
	enum exit_status status;

	if (control->holders.supervisor == 0)
		return control_wait_orphans(control);
	status = control_signal(control, SIGTERM);
	if (status != EXIT_STATUS_OK)
		return status;
	if (!process_wait(control->pidfd, control->drain_ms + CONTROL_GRACE_MS))
		return report_failure(EXIT_STATUS_FAILED,
		    "%s (pid %d) has not stopped within %g s",
		    control->config->name, control->holders.supervisor,
		    (double)(control->drain_ms + CONTROL_GRACE_MS) / 1000);
	if (lockfile_look(control->config->lockfile, &holders, error) &&
	    holders.supervisor == 0 && holders.worker != 0)
		return control_wait_orphans(control);
	control_print_stopped(control);
	return EXIT_STATUS_OK;
}

enum exit_status
cli_stop(const struct cli *cli)
{
	struct control control;
	enum exit_status status = control_open(&control, cli);

	if (status == EXIT_STATUS_NOT_RUNNING)
		return control_not_running(cli);
	if (status != EXIT_STATUS_OK)
		return status;
	status = control_stop(&control);
	control_close(&control);
	return status;
}

/* Whether the segment that the server has now shows a run that is ready and is
 * not the one of before. */
static bool
control_runs_anew(const struct control *control, uint64_t run_before)
{
	char error[INSTANCE_ERROR_MAX];
	struct segment now;
	bool anew;

	if (!instance_attach(
		&now, control->config->name, &control->holders, error))
		return false;
	anew =
	    atomic_load_explicit(
		&now.header->run.ready, memory_order_acquire) == 1 &&
	    (!control->attached ||
		atomic_load(&now.header->run.id) != run_before ||
		strcmp(now.header->epoch, control->segment.header->epoch) != 0);
	segment_close(&now);
	return anew;
}

/* Whether a restart was refused since there had been so many that were.  That of
 * another version, whose segment we cannot read, is only in its log. */
static bool
control_is_refused(const struct control *control, uint64_t failed_before)
{
	return control->attached &&
	       atomic_load_explicit(
		   &control->segment.header->run.restart_failed,
		   memory_order_acquire) != failed_before;
}

/* Wait for the new run. */
static enum exit_status
control_wait_restart(
    const struct control *control, uint64_t run_before, uint64_t failed_before)
{
	const struct layout_header *header = control->segment.header;
	uint64_t deadline =
	    clock_monotonic_ms() + control->drain_ms + CONTROL_READY_MS;
	const char *name = control->config->name;

	while (clock_monotonic_ms() < deadline) {
		if (control_is_refused(control, failed_before))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s was not restarted, and serves on: %.*s", name,
			    (int)sizeof(header->run.restart_why) - 1,
			    header->run.restart_why);
		if (control_runs_anew(control, run_before)) {
			printf("pubsubd %s: restarted\n", name);
			return EXIT_STATUS_OK;
		}
		if (process_wait(control->pidfd, CONTROL_LOOK_MS))
			return report_failure(EXIT_STATUS_FAILED,
			    "%s ended instead of restarting; see its log",
			    name);
	}
	return report_failure(EXIT_STATUS_FAILED,
	    "%s was told to restart, but is not ready yet; see its log", name);
}

static enum exit_status
control_restart(const struct control *control)
{
	const struct layout_header *header = control->segment.header;
	uint64_t run = 0, failed = 0;
	enum exit_status status;

	if (control->holders.supervisor == 0)
		return report_failure(EXIT_STATUS_NOT_RUNNING,
		    "%s is not running; what is left of it is leaving",
		    control->config->name);
	if (control->attached) {
		run = atomic_load(&header->run.id);
		failed = atomic_load(&header->run.restart_failed);
	}
	status = control_signal(control, SIGUSR2);
	if (status != EXIT_STATUS_OK)
		return status;
	return control_wait_restart(control, run, failed);
}

enum exit_status
control_serving(const struct cli *cli,
    enum exit_status (*command)(const struct control *control))
{
	struct control control;
	enum exit_status status = control_open(&control, cli);

	if (status == EXIT_STATUS_NOT_RUNNING)
		return cli_not_running(cli, "");
	if (status != EXIT_STATUS_OK)
		return status;
	if (control.holders.supervisor == 0)
		status = report_failure(EXIT_STATUS_NOT_RUNNING,
		    "%s is not running; what is left of it is leaving",
		    control.config->name);
	else
		status = command(&control);
	control_close(&control);
	return status;
}

enum exit_status
cli_restart(const struct cli *cli)
{
	struct control control;
	enum exit_status status = control_open(&control, cli);

	if (status == EXIT_STATUS_NOT_RUNNING)
		return cli_not_running(cli, "");
	if (status != EXIT_STATUS_OK)
		return status;
	status = control_restart(&control);
	control_close(&control);
	return status;
}
