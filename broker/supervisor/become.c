/* SPDX-License-Identifier: MIT */
/* become.c - from the fork to the life of a worker: let go of what is the
 * supervisor's, and become the user of --user; see state.h. */

#include "broker/cluster/bridge_args.h"
#include "broker/host/descriptors.h"
#include "broker/shared/last_words.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/state.h"
#include "common/bug.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Descriptors that a worker may keep, at most: standard ones, doorbells, its
 * listeners, the operator's, --root, lock file, two of the
 * supervisor's, the sockets to its successor and its predecessor, and the page of a
 * move. */
#define BECOME_FDS_MAX \
	(3 + LAYOUT_WORKERS + LISTENERS_OF_WORKER_MAX + 2 + 3 + 2 + 1)

_Static_assert(WORKER_LIVES_AT >= LOCKFILE_FREE_FROM, "the bytes differ");

/* Let go of all that is the supervisor's or another worker's. */
static void
become_close_others(const struct supervisor *s, const struct worker_args *args)
{
	int fds[BECOME_FDS_MAX] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO,
		s->lockfile.workers_fd, s->life[0], s->state_fd, s->root };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t count = 7;

	/* Whoever reads our standard output must see its end when the
	 * supervisor ends, not when its last worker does. */
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	/* Its own words and the C library's: all go into the log. */
	dup2(s->logfile.writer, STDERR_FILENO);
	for (unsigned i = 0; i < s->wakeup.count; i++)
		fds[count++] = s->wakeup.fd[i];
	for (size_t i = 0; i < args->listener_count; i++)
		fds[count++] = args->listeners[i].fd;
	if (s->admin.count > 0)
		fds[count++] = s->admin.fd[0][0];
	if (args->successor != NULL)
		fds[count++] = *args->successor;
	if (args->predecessor != NULL)
		fds[count++] = *args->predecessor;
	if (args->move != NULL)
		fds[count++] = args->move_fd;
	CHECK(count <= BECOME_FDS_MAX);
	descriptors_keep_only(fds, count);
}

/* The supervisor alone counts signals: a terminal sends them to all. */
static void
become_set_signals(void)
{
	static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1,
		SIGUSR2, SIGURG, SIGPIPE };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Become the user of --user, for good.  Returns false, having logged why not. */
static bool
become_set_user(const struct config *config)
{
	if (config->user == NULL || config->user_uid == geteuid())
		return true;
	if (setgroups(1, &config->user_gid) == 0 &&
	    setgid(config->user_gid) == 0 && setuid(config->user_uid) == 0)
		return true;
	log_error("cannot become user %s", config->user);
	return false;
}

/* fork-2: before the worker serves, so that orphans know it lives. */
static bool
become_join_lock(struct supervisor *s, unsigned slot)
{
	if (lockfile_join(&s->lockfile, WORKER_LIVES_AT + (off_t)slot))
		return true;
	log_error("cannot lock %s", s->lockfile.path);
	return false;
}

/* The sockets that a worker accepts from.  Returns how many. */
static size_t
become_listeners(const struct supervisor *s, unsigned slot,
    struct worker_listener out[LISTENERS_OF_WORKER_MAX])
{
	struct listeners_socket sockets[LISTENERS_OF_WORKER_MAX];
	size_t n = listeners_of_worker(&s->listeners, slot, sockets);

	for (size_t i = 0; i < n; i++)
		out[i] = (struct worker_listener){
			.fd = sockets[i].fd,
			.tls = sockets[i].address->tls,
			.proxy = sockets[i].address->proxy,
		};
	return n;
}

/* Give the bridge's program what it needs, and nothing else. */
static void
become_keep_for_bridge(
    const struct supervisor *s, const int asides[SEGMENT_ASIDE_MAX])
{
	int fds[BECOME_FDS_MAX] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO,
		s->lockfile.workers_fd, s->life[0], s->claim };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t count = 6;

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(s->logfile.writer, STDERR_FILENO);
	for (unsigned i = 0; i < s->wakeup.count; i++)
		fds[count++] = s->wakeup.fd[i];
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		if (asides[i] != -1)
			fds[count++] = asides[i];
	for (size_t i = 3; i < count; i++)
		fcntl(fds[i], F_SETFD, 0);
	descriptors_keep_only(fds, count);
}

/* Where its program is: beside ours. */
static void
become_bridge_path(const struct supervisor *s, char *path, size_t size)
{
	const char *slash = strrchr(s->program, '/');

	snprintf(path, size, "%.*s/" BRIDGE_PROGRAM,
	    (int)(slash != NULL ? slash - s->program : 0), s->program);
}

_Noreturn void
supervisor_become_bridge(struct supervisor *s)
{
	unsigned slot = s->config->workers;
	struct bridge_serve serve = {
		.segment = s->claim,
		.life = s->life[0],
		.doorbells = s->wakeup.fd,
		.workers = slot,
	};
	char path[PATH_MAX], **argv;

	become_set_signals();
	supervisor_open_asides(s, serve.asides);
	become_keep_for_bridge(s, serve.asides);
	log_open("bridge", STDERR_FILENO, s->config->log_level);
	become_bridge_path(s, path, sizeof(path));
	argv = bridge_argv(path, BRIDGE_SERVE, s->config, &serve);
	if (become_join_lock(s, slot) && become_set_user(s->config)) {
		/* Its lock is this descriptor's, which is another now. */
		fcntl(s->lockfile.workers_fd, F_SETFD, 0);
		execv(path, argv);
		log_error("cannot execute %s", path);
	}
	_exit(BRIDGE_FAILED);
}

_Noreturn void
supervisor_become_worker(struct supervisor *s, unsigned slot,
    const struct supervisor_sockets *sockets)
{
	struct worker_listener listeners[LISTENERS_OF_WORKER_MAX];
	struct worker_args args = {
		.config = s->config,
		.segment = &s->segment,
		.wakeup = &s->wakeup,
		.live = s->live,
		.options_version = live_version(s->live),
		.slot = slot,
		.listeners = listeners,
		.listener_count = become_listeners(s, slot, listeners),
		.admin_listener = s->admin.count > 0 ? s->admin.fd[0] : NULL,
		.tls = s->tls,
		.access = s->access,
		.root = s->root,
		.supervisor_fd = s->life[0],
		.state_fd = s->state_fd,
		.lock_fd = s->lockfile.workers_fd,
		.successor = sockets->asked != -1 ? &sockets->asked : NULL,
		.predecessor = sockets->asks != -1 ? &sockets->asks : NULL,
		.move = sockets->moves ? s->page : NULL,
		.move_fd = s->page_fd,
	};
	char name[32];
	int status = 1;

	stop_point_set_self(STOP_WORKER(slot));
	become_set_signals();
	live_protect(s->live);
	access_store_protect(s->access);
	become_close_others(s, &args);
	snprintf(name, sizeof(name), "worker %u", slot);
	log_open(name, STDERR_FILENO, s->config->log_level);
	if (become_join_lock(s, slot) && become_set_user(s->config))
		status = s->args->worker_main(&args);
	/* Why it could not start is told where the server was started.  The
	 * slot of a successor is still another worker's. */
	if (status != 0 && (args.predecessor == NULL || args.move != NULL))
		last_words_leave(&s->segment.workers[slot], log_last_error());
	_exit(status);
}
