/* SPDX-License-Identifier: MIT */
/*
 * open.c - open what the supervisor has, or take it over from the
 * program before it, and close it; see state.h.
 */

#include "broker/host/pidfile.h"
#include "broker/supervisor/handover.h"
#include "broker/supervisor/state.h"
#include "broker/status/instances.h"
#include "common/address.h"
#include "common/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Whether a restart or an upgrade executed us, and left us what was open. */
static bool
open_is_inherited(const struct supervisor *s)
{
	return s->phase != PHASE_STARTING;
}

static struct supervisor *supervisor_self; /* for supervisor_last_words() */

/* A bug: what is in the pipe, and why, past the pipe that nobody will read. */
static void
supervisor_last_words(const char *words)
{
	logfile_carry(&supervisor_self->logfile);
	dprintf(supervisor_self->logfile.fd, "supervisor[%d]: %s\n", getpid(),
	    words);
}

/* Whether nohup(1), or the like, has SIGHUP ignored, and there is no log file to
 * open anew by it.  One that is blocked would be read although it is ignored. */
static bool
open_is_nohup(const struct supervisor *s)
{
	struct sigaction hup;

	return s->config->log_path == NULL &&
	       sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler == SIG_IGN;
}

/*
 * Keep the signals that the loop reads until it does; every other process of
 * the group may get them too.  Done before anything else, because a signal may
 * come as soon as others can find this process, and must not end a start
 * half-way.
 */
static void
supervisor_block_signals(struct supervisor *s)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2,
		SIGURG, SIGCHLD };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log file at its limit is a full disk */
	sigemptyset(&s->signals);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (wanted[i] == SIGHUP && open_is_nohup(s))
			continue;
		signal(wanted[i], SIG_DFL); /* or they might be ignored */
		sigaddset(&s->signals, wanted[i]);
	}
	sigprocmask(SIG_SETMASK, &s->signals, NULL);
}

static bool
supervisor_open_signals(struct supervisor *s)
{
	s->signal_fd = signalfd(-1, &s->signals, SFD_NONBLOCK | SFD_CLOEXEC);
	s->live = live_open(supervisor_kept_store(s, HANDOVER_LIVE));
	supervisor_open_page(s);
	if (s->live == NULL || s->signal_fd == -1)
		return false;
	if (s->kept.workers > 0) {
		supervisor_adopt_descriptors(s);
		return true;
	}
	s->state_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return s->state_fd != -1 && pipe2(s->life, O_CLOEXEC) == 0 &&
	       wakeup_open(&s->wakeup, &s->segment,
		   s->config->workers + supervisor_has_bridge(s));
}

/* As many descriptors as we may have; the workers inherit it. */
static void
supervisor_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_warn("cannot raise the limit on descriptors");
}

/*
 * Core dumps hold clients' messages, so none is made, here or in a worker.  A
 * size limit of 0 prevents a file.  But a program that core(5)'s pattern names
 * is run whatever the limit, so the dump must contain no memory.
 * PR_SET_DUMPABLE is not used: it makes our entries in /proc root's, and hides
 * us from the user who runs us.
 */
static void
supervisor_forbid_cores(void)
{
	static const struct rlimit none = { 0, 0 };
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		log_warn("cannot turn core dumps off");
	if (fd == -1 || write(fd, "0", 1) != 1)
		log_warn("cannot keep memory out of core dumps");
	if (fd != -1)
		close(fd);
}

static bool
supervisor_open_log(struct supervisor *s, int adopted)
{
	char error[LOGFILE_ERROR_MAX];

	if (!logfile_open(&s->logfile, s->config->log_path, adopted, error)) {
		supervisor_report(s, EXIT_STATUS_FAILED, error);
		return false;
	}
	if (s->kept.workers > 0)
		logfile_adopt_pipe(&s->logfile, s->kept.log[0], s->kept.log[1]);
	supervisor_self = s;
	bug_set_hook(supervisor_last_words);
	log_open("supervisor", s->logfile.writer, s->config->log_level);
	if (s->args->background)
		dup2(s->logfile.writer, STDERR_FILENO);
	return true;
}

/* Somebody is the supervisor of this instance already. */
static void
supervisor_refuse_second(struct supervisor *s, pid_t holder)
{
	char error[LOCKFILE_ERROR_MAX];

	if (holder == LOCKFILE_UNSEEN)
		snprintf(error, sizeof(error),
		    "%s is running already, in another pid namespace",
		    s->config->name);
	else
		snprintf(error, sizeof(error), "%s is running already (pid %d)",
		    s->config->name, holder);
	supervisor_report(s, EXIT_STATUS_ALREADY_RUNNING, error);
}

/* Be the only supervisor of this instance. */
static bool
supervisor_open_lock(struct supervisor *s)
{
	const struct config *config = s->config;
	char error[LOCKFILE_ERROR_MAX];
	pid_t holder;

	switch (lockfile_take(&s->lockfile, config->lockfile, &holder, error)) {
	case LOCKFILE_OK:
		break;
	case LOCKFILE_HELD:
		supervisor_refuse_second(s, holder);
		return false;
	case LOCKFILE_FAILED:
		supervisor_report(s, EXIT_STATUS_FAILED, error);
		return false;
	}
	return true;
}

/* Tell people and scripts our number. */
static bool
supervisor_write_pidfile(struct supervisor *s)
{
	char error[PIDFILE_ERROR_MAX];

	if (pidfile_write(s->config->pidfile, error))
		return true;
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	return false;
}

/* Without these the service runs, but the kernel may hold more for its clients,
 * and for longer. */
void
supervisor_tune_listeners(struct supervisor *s)
{
	unsigned give_up_ms = s->config->stall_ms + CONFIG_GIVE_UP_MS;

	if (!listeners_tune(&s->listeners, CONFIG_UNSENT_MAX, give_up_ms))
		log_warn("what the kernel holds for a client is not bounded");
}

/* Another user has an instance of our name: where it listens cannot be seen, but
 * who gave neither name nor port is likely to have met it. */
static void
supervisor_suspect_namesake(const struct supervisor *s,
    const struct listeners *listeners, char error[LISTENERS_ERROR_MAX])
{
	char text[ADDRESS_TEXT_MAX], user[INSTANCE_USER_MAX];
	const char *name = s->config->name;
	struct instance one;

	if (!instance_find(&one, name))
		return;
	if (one.is_alive && one.owner != geteuid())
		snprintf(error, LISTENERS_ERROR_MAX,
		    "%s is in use, maybe by the instance %s of user %s: choose "
		    "another --name, and a port of its own by --listen",
		    address_format(&listeners->taken, text), name,
		    instance_user(one.owner, user));
	instance_release(&one);
}

/* If another instance has the address that was refused, or may have it, say so
 * instead. */
static void
supervisor_name_neighbour(struct supervisor *s,
    const struct listeners *listeners, char error[LISTENERS_ERROR_MAX])
{
	char text[ADDRESS_TEXT_MAX], name[CONFIG_NAME_MAX + 1];

	if (listeners->taken.len == 0)
		return;
	if (instances_who_listens(&listeners->taken, s->config->name, name))
		snprintf(error, LISTENERS_ERROR_MAX,
		    "%s is in use by the instance %s; each needs a port of its "
		    "own, by --listen",
		    address_format(&listeners->taken, text), name);
	else
		supervisor_suspect_namesake(s, listeners, error);
}

static bool
supervisor_open_listeners(struct supervisor *s)
{
	const struct config *config = s->config;
	char error[LISTENERS_ERROR_MAX];

	if (!supervisor_take_passed_sockets(s))
		return false;
	if (supervisor_has_passed_sockets(s)) {
		supervisor_tune_listeners(s);
		return true;
	}
	if (open_is_inherited(s))
		supervisor_tell_changed_addresses(s);
	if (open_is_inherited(s)
		? listeners_resize(&s->listeners, config->workers, error)
		: listeners_open(&s->listeners, config->listen,
		      config->listen_count, config->workers, error)) {
		supervisor_tune_listeners(s);
		return true;
	}
	supervisor_name_neighbour(s, &s->listeners, error);
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	return false;
}

/*
 * The socket of the operator's pages, unless the program before us had it open.
 * The service does not end for the want of it where it has begun.
 */
static bool
supervisor_open_admin(struct supervisor *s)
{
	char error[LISTENERS_ERROR_MAX], why[LISTENERS_ERROR_MAX + 16];

	if (s->config->admin.len == 0) {
		listeners_close(&s->admin);
		return true;
	}
	if (s->admin.count > 0 ||
	    listeners_open_alone(&s->admin, &s->config->admin, error))
		return true;
	supervisor_name_neighbour(s, &s->admin, error);
	snprintf(why, sizeof(why), "--admin: %s", error);
	if (!open_is_inherited(s)) {
		supervisor_report(s, EXIT_STATUS_FAILED, why);
		return false;
	}
	log_errorx("%s; going on without the operator's pages", why);
	return true;
}

/* The segment and what goes with it. */
static bool
supervisor_open_rest(struct supervisor *s)
{
	char error[SEGMENT_ERROR_MAX];
	enum exit_status status = supervisor_open_segment(s, error);

	if (status != EXIT_STATUS_OK) {
		supervisor_report(s, status, error);
		return false;
	}
	if (supervisor_open_signals(s))
		return true;
	snprintf(error, sizeof(error), "cannot open descriptors: %s",
	    strerror(errno));
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	/* A ring that was served is left for the next start to go on with. */
	if (atomic_load(&s->segment.header->run.id) != 0)
		segment_close(&s->segment);
	else
		supervisor_close_segment(s);
	return false;
}

/* All that comes after the lock. */
static bool
supervisor_open_parts(struct supervisor *s)
{
	if (!supervisor_write_pidfile(s))
		return false;
	supervisor_raise_limits();
	supervisor_forbid_cores();
	if ((open_is_inherited(s) || supervisor_wait_orphans(s)) &&
	    supervisor_open_listeners(s)) {
		if (supervisor_open_admin(s) && supervisor_open_tls(s) &&
		    supervisor_open_access(s) && supervisor_open_rest(s))
			return true;
		supervisor_close_access(s);
		supervisor_close_tls(s);
		listeners_close(&s->listeners);
		listeners_close(&s->admin);
	}
	pidfile_remove(s->config->pidfile);
	return false;
}

bool
supervisor_open(struct supervisor *s)
{
	int log_fd;

	supervisor_block_signals(s);
	log_fd = supervisor_inherit(s);
	if (s->kept.is_nursery)
		supervisor_nurse(s);
	if (!supervisor_open_log(s, log_fd))
		return false;
	if (open_is_inherited(s) || supervisor_open_lock(s)) {
		if (supervisor_open_parts(s))
			return true;
		lockfile_release(&s->lockfile);
	}
	logfile_close(&s->logfile);
	return false;
}

void
supervisor_close(struct supervisor *s)
{
	supervisor_kill_all(s);
	supervisor_bridge_end(s);
	if (s->trial != 0)
		supervisor_end_trial(s);
	listeners_close(&s->listeners);
	listeners_close(&s->admin);
	supervisor_close_tls(s);
	supervisor_close_access(s);
	close(s->root);
	wakeup_close(&s->wakeup);
	upgrade_page_close(s->page);
	live_close(s->live);
	supervisor_close_segment(s);
	pidfile_remove(s->config->pidfile);
	lockfile_release(&s->lockfile);
	logfile_close(&s->logfile);
}
