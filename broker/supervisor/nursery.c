/* SPDX-License-Identifier: MIT */
/*
 * nursery.c - the new program of an upgrade to another segment, until its workers
 * have everything; see state.h, and move.c for the supervisor's side.
 *
 * The supervisor is still the program before, and its workers serve.  This process
 * makes the segment, forks a successor for each worker, waits until all have what
 * they ask for, and ends; then the supervisor, whose children they become, decides.
 * Whatever goes wrong here costs nobody anything: it kills what it has forked, and
 * says why.
 */

#include "broker/host/process.h"
#include "broker/ring/store.h"
#include "broker/shared/last_words.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How often the page is looked at, milliseconds. */
#define NURSERY_LOOK_MS 50

/* How long the last words of a successor are waited for. */
#define NURSERY_LAST_MS 300

static _Noreturn void nursery_fail(struct supervisor *s, const char *fmt, ...)
    LOG_FMT(2);

/* End those that were forked, and this process. */
static _Noreturn void
nursery_fail(struct supervisor *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (s->page != NULL)
		vsnprintf(s->page->words, sizeof(s->page->words), fmt, ap);
	va_end(ap);
	supervisor_kill_all(s);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	_exit(EXIT_STATUS_FAILED);
}

/* A part cannot be had, which was logged. */
static _Noreturn void
nursery_lacks(struct supervisor *s, const char *what)
{
	const char *why = log_last_error();

	nursery_fail(s, "%s", why[0] != '\0' ? why : what);
}

static void
nursery_make_segment(struct supervisor *s)
{
	const struct segment_shape shape = supervisor_shape(s->config);
	struct layout_header *header;
	char error[SEGMENT_ERROR_MAX];

	/* What is served meanwhile is there, too. */
	if (!supervisor_has_memory(
		s->config, segment_named_size(s->config->name), error) ||
	    !store_create_next(
		&s->segment, s->claim, s->config->name, &shape, error))
		nursery_fail(s, "%s", error);
	header = s->segment.header;
	store_begin_run(&s->segment, s->config->workers, s->config->drain_ms);
	supervisor_sign_header(s);
	atomic_store(&header->run.supervisor, (int32_t)getppid());
	atomic_store(&header->run.options, live_version(s->live));
}

/* What the workers share with their supervisor. */
static void
nursery_open(struct supervisor *s)
{
	const struct handover_kept *kept = &s->kept;

	close(kept->life[1]); /* or we would keep it open for ourselves */
	close(kept->log[0]);
	s->logfile.path = ""; /* what is reported is logged, too */
	s->logfile.writer = kept->log[1];
	log_open("upgrade", s->logfile.writer, s->config->log_level);
	if (kept->workers != s->config->workers)
		nursery_fail(s, "--workers has changed meanwhile");
	s->live = live_open(kept->store[HANDOVER_LIVE]);
	if (s->live == NULL)
		nursery_fail(s, "no memory: %s", strerror(errno));
	if (s->config->admin.len == 0)
		listeners_close(&s->admin);
	if (!supervisor_open_tls(s) || !supervisor_open_access(s))
		nursery_lacks(s, "certificates or keys cannot be read");
	if (!supervisor_open_root(s))
		nursery_fail(s, "--root: %s", strerror(errno));
	nursery_make_segment(s);
	s->state_fd = kept->state_fd;
	memcpy(s->life, kept->life, sizeof(s->life));
	wakeup_adopt(&s->wakeup, &s->segment, kept->doorbell, kept->workers);
}

/* The successor of a worker. */
static void
nursery_fork(struct supervisor *s, unsigned slot)
{
	const struct supervisor_sockets sockets = {
		.asked = s->kept.asked[slot],
		.asks = s->kept.predecessor[slot],
		.moves = true,
	};
	struct layout_worker *worker = &s->segment.workers[slot];
	struct supervisor_child *child = &s->child[slot];

	child->started_ms = clock_monotonic_ms();
	atomic_store(&worker->state, WORKER_STARTING);
	atomic_store(&worker->starts, 1);
	atomic_store(&worker->started_ms, child->started_ms);
	child->pid = fork();
	if (child->pid == 0)
		supervisor_become_worker(s, slot, &sockets);
	if (child->pid == -1) {
		child->pid = 0;
		nursery_fail(s, "cannot fork: %s", strerror(errno));
	}
	atomic_store(&worker->pid, child->pid);
	atomic_store(&s->page->pid[slot], child->pid);
}

/* One of them has ended, which it ought not to. */
static void
nursery_reap(struct supervisor *s)
{
	char words[LAYOUT_OBITUARY], end[PROCESS_END_MAX];
	int wait_status;
	pid_t pid = waitpid(-1, &wait_status, WNOHANG);

	for (unsigned slot = 0; pid > 0 && slot < s->config->workers; slot++) {
		if (s->child[slot].pid != pid)
			continue;
		s->child[slot].pid = 0;
		last_words_take(&s->segment.workers[slot], words);
		nursery_fail(s, "the successor of worker %u %s%s%s", slot,
		    process_describe_end(wait_status, end),
		    words[0] != '\0' ? ": " : "", words);
	}
}

/* A worker goes on as it was: because its successor ends, as a rule, whose words are
 * the better reason. */
static _Noreturn void
nursery_called_off(struct supervisor *s)
{
	const struct timespec moment = { .tv_nsec = NURSERY_LAST_MS * 100000L };

	for (int i = 0; i < 10; i++) {
		nanosleep(&moment, NULL);
		nursery_reap(s);
	}
	nursery_fail(s, "a worker goes on as it was");
}

static bool
nursery_all_have(const struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (succession_of(&s->segment.workers[slot]) !=
		    SUCCESSION_REBUILT)
			return false;
	return true;
}

/* Wait for an event.  Returns false if the supervisor is dead. */
static bool
nursery_wait(const struct supervisor *s, int signals)
{
	struct pollfd fds[] = {
		{ .fd = s->state_fd, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = s->life[0], .events = POLLIN },
	};
	struct signalfd_siginfo info;
	uint64_t changes;
	ssize_t n;

	poll(fds, 3, NURSERY_LOOK_MS);
	n = read(s->state_fd, &changes, sizeof(changes));
	if (fds[1].revents != 0)
		n = read(signals, &info, sizeof(info));
	(void)n; /* hints, both */
	return fds[2].revents == 0;
}

_Noreturn void
supervisor_nurse(struct supervisor *s)
{
	uint64_t number;
	int signals;

	s->page = upgrade_page_map(s->kept.page, true);
	if (s->page == NULL)
		_exit(EXIT_STATUS_FAILED);
	stop_point_use(&s->page->stop_point_arm, &s->page->stopped);
	number = move_number(s->page);
	s->page_fd = s->kept.page;
	nursery_open(s);
	stop_point_here(s->segment.header, STOP_NURSING);
	signals = signalfd(-1, &s->signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals == -1)
		nursery_fail(s, "no signalfd: %s", strerror(errno));
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		nursery_fork(s, slot);
	while (!nursery_all_have(s)) {
		if (!nursery_wait(s, signals))
			nursery_fail(s, "the supervisor is dead");
		nursery_reap(s);
		if (move_state(s->page, number) != MOVE_OPEN)
			nursery_called_off(s);
	}
	atomic_store(&s->segment.header->run.ready, 1);
	stop_point_here(s->segment.header, STOP_NURSED);
	_exit(EXIT_STATUS_OK);
}
