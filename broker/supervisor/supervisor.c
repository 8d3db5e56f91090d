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

/* Drain; when told again, leave at once. */
static void
supervisor_told_to_stop(struct supervisor *s)
{
	switch (s->goal) {
	case GOAL_SERVE:
		if (s->awaited)
			supervisor_report(
			    s, EXIT_STATUS_FAILED, SUPERVISOR_TOLD_EARLY);
		log_info("told to stop: draining");
		supervisor_order(s, GOAL_STOP, RUN_DRAIN);
		return;
	case GOAL_RESTART:
		s->goal = GOAL_STOP; /* the drain goes on */
		return;
	case GOAL_STOP:
		log_info("told to stop again: leaving now");
		supervisor_order(s, GOAL_STOP, RUN_QUIT);
		return;
	case GOAL_NEW_RING:
		s->goal = GOAL_STOP;
		return;
	case GOAL_FAIL:
		return;
	}
}

static void
supervisor_reopen_log(struct supervisor *s)
{
	char error[LOGFILE_ERROR_MAX];

	if (s->logfile.path == NULL)
		log_info("the log is standard error: not opened anew");
	else if (logfile_reopen(&s->logfile, error))
		log_info("log file opened anew");
	else
		log_errorx("%s; going on with the old one", error);
}

/* Whether a signal comes from `pubsubd stop' and the like. */
static bool
supervisor_is_command(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_QUEUE && info->ssi_int == PROCESS_COMMAND;
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
			if (s->goal != GOAL_STOP ||
			    !supervisor_is_command(&info))
				supervisor_told_to_stop(s);
			break;
		case SIGHUP:
			supervisor_reopen_log(s);
			break;
		case SIGUSR2:
			supervisor_try_program(s);
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

/* When there is something to do next, even if nothing happens. */
static uint64_t
supervisor_next_due(const struct supervisor *s)
{
	uint64_t due = s->look_due_ms;

	if (s->trial != 0 && s->trial_due_ms != 0 && s->trial_due_ms < due)
		due = s->trial_due_ms;
	if (s->goal != GOAL_SERVE && s->kill_due_ms < due)
		due = s->kill_due_ms;
	if (s->goal != GOAL_SERVE)
		return due;
	if (s->awaited && s->ready_due_ms < due)
		due = s->ready_due_ms;
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		const struct supervisor_child *child = &s->child[slot];

		if (child->pid == 0 && child->due_ms != 0 &&
		    child->due_ms < due)
			due = child->due_ms;
	}
	return due;
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
	uint64_t due = supervisor_next_due(s);
	uint64_t now = clock_monotonic_ms();
	int timeout = due > now ? (int)(due - now) : 0;

	/* Interrupted or not, the loop looks at everything that comes next. */
	poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
}

/* Do what is due by the clock. */
static void
supervisor_tick(struct supervisor *s, uint64_t now)
{
	if (now >= s->look_due_ms) {
		s->look_due_ms = now + WATCHDOG_LOOK_MS;
		supervisor_check_names(s);
		if (s->config->watchdog)
			supervisor_watch(s);
	}
	if (s->goal != GOAL_SERVE && s->alive > 0 && now >= s->kill_due_ms) {
		log_errorx(
		    "%u workers did not leave in time: killed", s->alive);
		s->kill_due_ms = now + WATCHDOG_LOOK_MS;
		supervisor_kill_all(s);
	}
	if (s->trial != 0 && s->trial_due_ms != 0 && now >= s->trial_due_ms)
		supervisor_end_trial(s);
	supervisor_check_ready(s, now);
	supervisor_tell_successors(s);
	supervisor_fork_due(s, now);
}

enum exit_status
supervisor_run(const struct supervisor_args *args)
{
	struct supervisor s = { .args = args, .config = args->config };

	stop_point_set_self(STOP_SUPERVISOR);
	if (!supervisor_open(&s))
		return s.status;
	s.program = paths_program();
	log_info("pubsubd %s, instance %s, epoch %s", PUBSUBD_VERSION,
	    s.config->name, s.segment.header->epoch);
	supervisor_begin_run(&s);
	supervisor_fork_due(&s, clock_monotonic_ms());
	while (!s.over) {
		supervisor_wait(&s);
		logfile_carry(&s.logfile);
		supervisor_silence_states(&s);
		supervisor_read_signals(&s);
		supervisor_reap(&s, clock_monotonic_ms());
		supervisor_tick(&s, clock_monotonic_ms());
		if (s.goal != GOAL_SERVE && s.alive == 0)
			supervisor_conclude(&s);
	}
	supervisor_close(&s);
	free(s.program);
	return s.status;
}
