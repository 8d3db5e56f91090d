/* SPDX-License-Identifier: MIT */
/*
 * exec.c - restart and upgrade: become the program now on disk.
 *
 * The same process goes on with another program: sockets, the lock,
 * log and segment stay.  A program that cannot run, or not with these options
 * any more, must not cost the service.  So it is tried first, in a child: the
 * very call of the restart, with a word in front that makes it only say whether
 * it would start; only then are the clients sent away.  To a program that does
 * not know the word it is an unknown command, never a second server.
 *
 * For an upgrade the word is another one, nobody is sent away, and the program
 * says what it would go on with (terms.h).  If that is what there is, the workers
 * get successors one after another (upgrade.c); else, if it can be, all at once, in
 * another segment (move.c).
 */

#include "broker/host/process.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/handover.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a trial may take. */
#define EXEC_TRIAL_MS 5000

/* Bytes of a trial's words that are looked at, NUL included. */
#define EXEC_WORDS_MAX SUPERVISOR_TERMS_MAX

static void exec_refuse(struct supervisor *s, const char *fmt, ...) LOG_FMT(2);

/* Tell the commands that wait for the restart, or for the upgrade, that it does
 * not happen, and why. */
static void
exec_refuse(struct supervisor *s, const char *fmt, ...)
{
	struct layout_header *header = s->segment.header;
	char why[sizeof(header->run.restart_why)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (s->trial_upgrades) {
		supervisor_upgrade_refuse(s, why);
		return;
	}
	memcpy(header->run.restart_why, why, sizeof(why));
	log_errorx("no restart: %s", header->run.restart_why);
	atomic_fetch_add_explicit(
	    &header->run.restart_failed, 1, memory_order_release);
}

/* The call of a restart with the word of the trial in front of it. */
static char **
exec_trial_argv(const struct supervisor *s)
{
	static char restart[] = SUPERVISOR_TRIAL;
	static char upgrade[] = SUPERVISOR_TRIAL_UPGRADE;
	size_t count = 0;
	char **argv;

	while (s->args->argv[count] != NULL)
		count++;
	argv = xcalloc(count + 2, sizeof(*argv));
	argv[0] = s->program;
	argv[1] = s->trial_upgrades ? upgrade : restart;
	memcpy(argv + 2, s->args->argv + 1, count * sizeof(*argv));
	return argv;
}

/* In the child: ask the program on disk whether it would start. */
static _Noreturn void
exec_trial(const struct supervisor *s, int words)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char **argv = exec_trial_argv(s);
	sigset_t none;

	setpgid(0, 0); /* what it starts ends with it */
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(s->program, argv);
	dprintf(STDERR_FILENO, "%s\n", strerror(errno));
	_exit(1);
}

/* Fork the trial, with a pipe for its output. */
static bool
exec_fork_trial(struct supervisor *s)
{
	int words[2];

	if (pipe2(words, O_CLOEXEC) == -1)
		return false;
	/* Who is still there when the trial has ended is not waited for. */
	fcntl(words[0], F_SETFL, O_NONBLOCK);
	s->trial = fork();
	if (s->trial == 0)
		exec_trial(s, words[1]);
	close(words[1]);
	s->trial_words = words[0];
	if (s->trial != -1) {
		setpgid(s->trial, s->trial); /* whoever comes first */
		s->due.at[DUE_TRIAL] = clock_monotonic_ms() + EXEC_TRIAL_MS;
		return true;
	}
	s->trial = 0;
	close(words[0]);
	return false;
}

/* What the trial said, or how it ended; maybe in out. */
static const char *
exec_take_words(struct supervisor *s, int wait_status, char out[EXEC_WORDS_MAX])
{
	static const char prefix[] = "pubsubd: ";
	ssize_t n = read(s->trial_words, out, EXEC_WORDS_MAX - 1);

	close(s->trial_words);
	if (s->due.at[DUE_TRIAL] == DUE_NEVER)
		return "no answer in time";
	out[n > 0 ? n : 0] = '\0';
	if (out[0] == '\0')
		return process_describe_end(wait_status, out);
	return strncmp(out, prefix, strlen(prefix)) == 0 ? out + strlen(prefix)
	                                                 : out;
}

/* Another change than that under way is asked for. */
static void
exec_refuse_other(struct supervisor *s, bool upgrade)
{
	bool under_way = s->trial_upgrades;

	s->trial_upgrades = upgrade;
	exec_refuse(s, "another change is under way");
	s->trial_upgrades = under_way;
}

/* Whether there is one under way.  It does for both: a refusal of the second
 * would end the wait of the command that asked for the first. */
static bool
exec_is_under_way(const struct supervisor *s, bool upgrade)
{
	if (upgrade ? s->upgrade.active || s->move.active ||
			  (s->trial != 0 && s->trial_upgrades)
		    : s->phase == PHASE_RESTARTING ||
			  (s->trial != 0 && !s->trial_upgrades)) {
		log_info("%s: there is one under way",
		    upgrade ? "upgrade" : "restart");
		return true;
	}
	return false;
}

void
supervisor_try_program(struct supervisor *s, bool upgrade)
{
	if (exec_is_under_way(s, upgrade))
		return;
	if (s->trial != 0 || s->upgrade.active || s->move.active) {
		exec_refuse_other(s, upgrade);
		return;
	}
	s->trial_upgrades = upgrade;
	if (!phase_serves(s->phase)) {
		exec_refuse(s, "another change is under way");
		return;
	}
	if (upgrade && s->phase != PHASE_SERVING) {
		exec_refuse(s, "it is not ready yet");
		return;
	}
	if (s->phase == PHASE_STARTING) {
		/* A program that waits for the ready line would never see
		 * it. */
		log_info("restart: as soon as this start is ready");
		s->restart_wanted = true;
		return;
	}
	/* Ready or not: a program that never gets ready is what one wants to
	 * come back from. */
	s->restart_wanted = false;
	if (access(s->program, X_OK) == -1) {
		exec_refuse(s, "%s: %s", s->program, strerror(errno));
		return;
	}
	if (!exec_fork_trial(s))
		exec_refuse(s, "cannot fork: %s", strerror(errno));
}

void
supervisor_end_trial(struct supervisor *s)
{
	s->due.at[DUE_TRIAL] = DUE_NEVER;
	kill(-s->trial, SIGKILL);
}

/* What an upgrade passes on beyond a restart. */
static void
exec_fill_kept(const struct supervisor *s, struct handover_kept *kept)
{
	*kept = (struct handover_kept){
		.workers = s->config->workers,
		.life = { s->life[0], s->life[1] },
		.state_fd = s->state_fd,
		.log = { s->logfile.reader, s->logfile.writer },
		.bridge = supervisor_has_bridge(s)
		              ? s->wakeup.fd[s->config->workers]
		              : -1,
		.page = s->page_fd,
	};
	for (unsigned i = 0; i < HANDOVER_STORES; i++)
		kept->store[i] = -1; /* new workers have new ones */
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		kept->doorbell[slot] = s->wakeup.fd[slot];
		kept->successor[slot] = s->child[slot].asks;
	}
}

/* Become the program on disk, with these workers at work (workers 0: none is
 * left).  Returns only if that failed, having told. */
static void
exec_become(struct supervisor *s, const struct handover_kept *kept)
{
	supervisor_let_go_of_log(s);
	supervisor_pass_on(s, kept);
	execv(s->program, s->args->argv);
	exec_refuse(s, "cannot execute %s: %s", s->program, strerror(errno));
	supervisor_keep_back(s, kept);
	if (s->args->background)
		dup2(s->logfile.writer, STDERR_FILENO);
}

void
supervisor_exec(struct supervisor *s)
{
	const struct handover_kept none = { .workers = 0 };

	s->trial_upgrades = false;
	stop_point_here(s->segment.header, STOP_HANDING_OVER);
	exec_become(s, &none);
}

/* The program on disk would go on, on these terms. */
static void
exec_upgrade(struct supervisor *s, const char *terms)
{
	char why[SUPERVISOR_WHY_MAX];
	struct handover_kept kept;

	switch (supervisor_compare_terms(s->config, terms, why)) {
	case TERMS_SAME:
		break;
	case TERMS_MOVE:
		supervisor_move_begin(s, why);
		return;
	case TERMS_OTHER:
		exec_refuse(
		    s, "%s has %s: that takes a restart", s->program, why);
		return;
	}
	log_info("upgrade: %s would go on", s->program);
	exec_fill_kept(s, &kept);
	supervisor_bridge_end(s); /* the next program has its own */
	stop_point_here(s->segment.header, STOP_UPGRADING);
	exec_become(s, &kept);
	supervisor_bridge_begin(s, clock_monotonic_ms());
}

void
supervisor_trial_ended(struct supervisor *s, int wait_status)
{
	char out[EXEC_WORDS_MAX];
	const char *words = exec_take_words(s, wait_status, out);

	s->trial = 0;
	s->due.at[DUE_TRIAL] = DUE_NEVER;
	if (!phase_serves(s->phase))
		return;
	if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
		exec_refuse(s, "%s would not start: %.*s", s->program,
		    (int)strcspn(words, "\n"), words);
	} else if (s->trial_upgrades) {
		exec_upgrade(s, words);
	} else {
		log_info("restart: %s would start; draining", s->program);
		supervisor_notify_changing("restarting");
		supervisor_event(s, EVENT_RESTART);
	}
}
