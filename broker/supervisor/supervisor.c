/* SPDX-License-Identifier: MIT */
/* supervisor.c - the event loop and the signals; see supervisor.h and, for the
 * other files, state.h. */

#include "broker/supervisor/supervisor.h"

#include "broker/host/paths.h"
#include "broker/host/process.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* From then on a second signal to stop is impatience, milliseconds. */
#define SUPERVISOR_TWICE_MS 250

/* Drain; when told again, leave at once.  A second signal within
 * SUPERVISOR_TWICE_MS counts as the same one: timeout(1) and wrappers pass on a
 * signal that a terminal has sent to the whole group already. */
static void
supervisor_told_to_stop(struct supervisor *s)
{
	uint64_t now = clock_monotonic_ms();

	if (s->stop_ms != 0 && now - s->stop_ms < SUPERVISOR_TWICE_MS)
		return;
	if (s->stop_ms == 0)
		s->stop_ms = now;
	switch (s->phase) {
	case PHASE_STARTING:
		supervisor_report(s, EXIT_STATUS_FAILED, SUPERVISOR_TOLD_EARLY);
		log_info("told to stop: draining");
		break;
	case PHASE_RESUMING:
	case PHASE_SERVING:
	case PHASE_RESTARTING:
	case PHASE_RENEWING:
		log_info("told to stop: draining");
		break;
	case PHASE_STOPPING:
		log_info("told to stop again: leaving now");
		break;
	default:
		break;
	}
	if (s->phase != PHASE_STOPPING)
		supervisor_notify_stopping();
	supervisor_event(s, EVENT_STOP);
}

static void
supervisor_reopen_log(struct supervisor *s)
{
	char error[LOGFILE_ERROR_MAX];

	if (logfile_reopen(&s->logfile, error))
		log_info("log file opened anew");
	else
		log_errorx("%s; going on with the old one", error);
}

/* With a log file: open it anew, and read the configuration again.  Without one
 * the terminal is closed, and we end with it; nohup(1) has SIGHUP ignored
 * instead. */
static void
supervisor_hung_up(struct supervisor *s)
{
	if (s->logfile.path == NULL) {
		supervisor_told_to_stop(s);
		return;
	}
	supervisor_reopen_log(s);
	supervisor_reload(s);
}

/* Whether a signal comes from `pubsubd stop' and the like. */
static bool
supervisor_is_order(const struct signalfd_siginfo *info, int order)
{
	return info->ssi_code == SI_QUEUE && info->ssi_int == order;
}

static void
supervisor_read_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (
	    read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			if (s->phase != PHASE_STOPPING ||
			    !supervisor_is_order(&info, PROCESS_COMMAND))
				supervisor_told_to_stop(s);
			break;
		case SIGHUP:
			supervisor_hung_up(s);
			break;
		case SIGUSR1:
			supervisor_reload(s);
			break;
		case SIGUSR2:
			supervisor_try_program(
			    s, supervisor_is_order(&info, PROCESS_UPGRADE));
			break;
		case SIGURG:
			wakeup_ring_all(&s->wakeup);
			break;
		case SIGCHLD: /* supervisor_reap() looks anyway */
			break;
		}
	}
}

static void
supervisor_silence_states(struct supervisor *s)
{
	uint64_t changes;
	ssize_t n = read(s->state_fd, &changes, sizeof(changes));

	(void)n; /* nothing to read: silent already */
}

/* Wait for an event, or until something is due. */
static void
supervisor_wait(struct supervisor *s)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = s->state_fd, .events = POLLIN },
		{ .fd = s->logfile.reader, .events = POLLIN },
	};
	uint64_t due = due_next(&s->due); /* the look is always due some time */
	uint64_t now = clock_monotonic_ms();
	int timeout = due > now ? (int)(due - now) : 0;

	/* Interrupted or not, the loop looks at everything that comes next. */
	poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
}

/* Do what is due by the clock. */
static void
supervisor_tick(struct supervisor *s, uint64_t now)
{
	if (due_take(&s->due, DUE_LOOK, now)) {
		s->due.at[DUE_LOOK] = now + WATCHDOG_LOOK_MS;
		supervisor_check_names(s);
		supervisor_tend_asides(s);
		supervisor_watch(s);
		supervisor_notify_beat(s);
	}
	if (due_take(&s->due, DUE_KILL, now) && s->alive > 0) {
		log_errorx(
		    "%u workers did not leave in time: killed", s->alive);
		s->due.at[DUE_KILL] = now + WATCHDOG_LOOK_MS;
		supervisor_kill_all(s);
	}
	if (due_take(&s->due, DUE_TICKETS, now))
		supervisor_rotate_tickets(s, now);
	if (due_take(&s->due, DUE_TRIAL, now))
		supervisor_end_trial(s);
	supervisor_check_ready(s, now);
	supervisor_tell_successors(s);
	supervisor_upgrade_step(s, now);
	supervisor_move_step(s, now);
	supervisor_fork_due(s, now);
	/* While the workers start. */
	if (due_take(&s->due, DUE_FILL, now))
		supervisor_fill_segment(s);
	supervisor_bridge_due(s, now);
}

enum exit_status
supervisor_run(const struct supervisor_args *args)
{
	struct supervisor s = {
		.args = args, .config = args->config, .root = -1, .page_fd = -1
	};

	stop_point_set_self(STOP_SUPERVISOR);
	due_init(&s.due);
	if (!supervisor_open(&s))
		return s.status;
	s.program = paths_program();
	log_info("pubsubd %s, instance %s, epoch %s", PUBSUBD_VERSION,
	    s.config->name, s.segment.header->epoch);
	if (s.kept.workers > 0) {
		supervisor_adopt_workers(&s);
		supervisor_upgrade_begin(&s);
	} else {
		supervisor_begin_run(&s);
	}
	while (s.phase != PHASE_OVER) {
		supervisor_wait(&s);
		logfile_carry(&s.logfile);
		supervisor_silence_states(&s);
		supervisor_read_signals(&s);
		supervisor_reap(&s, clock_monotonic_ms());
		supervisor_tick(&s, clock_monotonic_ms());
		if (!phase_serves(s.phase) && s.alive == 0)
			supervisor_conclude(&s);
	}
	supervisor_close(&s);
	free(s.program);
	return s.status;
}
