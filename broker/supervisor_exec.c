/* SPDX-License-Identifier: MIT */
/*
 * supervisor_exec.c - restart: become the program now on disk.
 *
 * The same process goes on with another program: sockets, pidfile and its lock,
 * log and segment stay.  A program that cannot run must not cost the service,
 * so it is tried first, in a child, by asking it for its version; only then are
 * the clients sent away.
 */

#include "broker/stop.h"
#include "broker/supervisor_handover.h"
#include "broker/supervisor_state.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void exec_refuse(struct supervisor *s, const char *fmt, ...) LOG_FMT(2);

/* Tell those who wait for the restart that it does not happen, and why. */
static void
exec_refuse(struct supervisor *s, const char *fmt, ...)
{
	struct layout_header *header = s->segment.header;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(
	    header->run.restart_why, sizeof(header->run.restart_why), fmt, ap);
	va_end(ap);
	log_errorx("no restart: %s", header->run.restart_why);
	atomic_fetch_add_explicit(
	    &header->run.restart_failed, 1, memory_order_release);
}

/* In the child: ask the program on disk for its version. */
static _Noreturn void
exec_trial(const struct supervisor *s)
{
	char command[] = "version";
	char *const argv[] = { s->program, command, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(s->logfile.writer, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(s->program, argv);
	_exit(1);
}

void
supervisor_try_program(struct supervisor *s)
{
	if (s->trial != 0 || s->goal == GOAL_RESTART) {
		/* It will do for both: to refuse this one would end the wait
		 * of those who asked for the other. */
		log_info("restart: there is one under way");
		return;
	}
	if (s->goal != GOAL_SERVE || !s->ready) {
		exec_refuse(s, "another change is under way");
		return;
	}
	if (access(s->program, X_OK) == -1) {
		exec_refuse(s, "%s: %s", s->program, strerror(errno));
		return;
	}
	s->trial = fork();
	if (s->trial == -1) {
		exec_refuse(s, "cannot fork: %s", strerror(errno));
		s->trial = 0;
		return;
	}
	if (s->trial == 0)
		exec_trial(s);
}

void
supervisor_trial_ended(struct supervisor *s, int wait_status)
{
	s->trial = 0;
	if (s->goal != GOAL_SERVE)
		return;
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
		log_info("restart: %s runs; draining", s->program);
		supervisor_order(s, GOAL_RESTART, RUN_DRAIN_RESTART);
		return;
	}
	exec_refuse(s, "%s does not run", s->program);
}

/* Let what the next program takes over live on over execve(2), or not. */
static void
exec_keep(struct supervisor *s, bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC;

	listeners_keep_on_exec(&s->listeners, keep);
	listeners_keep_on_exec(&s->admin, keep);
	fcntl(s->pidfile.fd, F_SETFD, flags);
	fcntl(s->claim, F_SETFD, flags);
	if (s->logfile.path != NULL)
		fcntl(s->logfile.fd, F_SETFD, flags);
}

void
supervisor_exec(struct supervisor *s)
{
	struct handover handover = {
		.pidfile_fd = s->pidfile.fd,
		.log_fd = s->logfile.path != NULL ? s->logfile.fd : -1,
		.listeners = s->listeners,
		.admin = s->admin,
		.claim = s->claim,
	};

	logfile_carry(&s->logfile);
	/* The pipe ends here: what the next program says before it has one of
	 * its own goes to the file. */
	if (s->args->background)
		dup2(s->logfile.fd, STDERR_FILENO);
	handover_put(&handover);
	exec_keep(s, true);
	stop_here(s->segment.header, STOP_HANDING_OVER);
	execv(s->program, s->args->argv);
	exec_refuse(s, "cannot execute %s: %s", s->program, strerror(errno));
	exec_keep(s, false);
	handover_drop();
	if (s->args->background)
		dup2(s->logfile.writer, STDERR_FILENO);
}
