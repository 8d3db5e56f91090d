/* SPDX-License-Identifier: MIT */
/* child.c - fork workers, reap them, start them again, kill those
 * that hang; see state.h. */

#include "broker/host/process.h"
#include "broker/shared/last_words.h"
#include "broker/shared/stats.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often a start tries to fork a worker: for about 3 s in all. */
#define CHILD_FORK_TRIES 7

/* There is no worker (errno): try again, but a start not for ever. */
static void
child_not_started(
    struct supervisor *s, unsigned slot, uint64_t now, const char *action)
{
	struct supervisor_child *child = &s->child[slot];
	int err = errno;

	log_warn("cannot %s worker %u", action, slot);
	child->pid = 0;
	child->deaths++;
	atomic_store(&s->segment.workers[slot].state, WORKER_GONE);
	if (s->phase == PHASE_STARTING && child->deaths == CHILD_FORK_TRIES)
		supervisor_fail(
		    s, "cannot %s worker %u: %s", action, slot, strerror(err));
	else if (phase_serves(s->phase))
		s->due.at[DUE_FORK + slot] =
		    now + backoff_ms(child->deaths + 1);
}

/* Fork the worker of a slot. */
static void
child_fork(struct supervisor *s, unsigned slot, uint64_t now)
{
	struct supervisor_child *child = &s->child[slot];
	struct layout_worker *worker = &s->segment.workers[slot];

	if (!supervisor_open_root(s)) {
		child_not_started(s, slot, now, "open --root for");
		return;
	}
	/* fork-1: before it lives, so that a drain waits for it too */
	atomic_store(&worker->state, WORKER_STARTING);
	atomic_fetch_add(&worker->starts, 1);
	atomic_store(&worker->started_ms, now);
	child->started_ms = now;
	child->killed = false;
	stop_point_here(s->segment.header, STOP_FORKING);
	child->pid = supervisor_fork_worker(s, slot, -1, &child->asks);
	if (child->pid == -1) {
		child->asks = -1;
		child_not_started(s, slot, now, "fork");
		return;
	}
	child->renewed = true;
	s->alive++;
	stop_point_here(s->segment.header, STOP_FORKED);
	atomic_store(&worker->pid, child->pid);
}

void
supervisor_fork_due(struct supervisor *s, uint64_t now)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (due_take(&s->due, DUE_FORK + slot, now))
			child_fork(s, slot, now);
}

void
supervisor_tell_successors(struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		struct supervisor_child *child = &s->child[slot];

		if (!child->succeeds ||
		    atomic_load(&s->segment.workers[slot].state) !=
			WORKER_READY)
			continue;
		child->succeeds = false;
		log_info("worker %u[%d] is ready: it has taken over from the "
			 "dead one",
		    slot, child->pid);
	}
}

/* A hint to add if a worker died of a seccomp filter.  Nothing can catch that,
 * so there are no last words, but a line in the kernel's log. */
static const char *
child_forbidden(const struct layout_worker *worker, int wait_status)
{
	if (!WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGSYS)
		return "";
	if ((atomic_load(&worker->confined) & CONFINED_SECCOMP) != 0)
		return ": a system call that its sandbox forbids";
	return ": a system call that a filter from outside forbids";
}

/* Tell of the death of a worker, with its last words: the log, and whoever
 * looks at the table and the counters. */
static void
child_tell_death(struct supervisor *s, unsigned slot, int wait_status,
    bool held_lock, const char *words)
{
	const char *between =
	    WIFEXITED(wait_status) ? ": " : "; its last words: ";
	struct layout_header *header = s->segment.header;
	struct layout_worker *worker = &s->segment.workers[slot];
	const struct supervisor_child *child = &s->child[slot];
	char end[PROCESS_END_MAX];

	if (!phase_serves(s->phase) && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) == 0) {
		log_debug("worker %u left", slot);
		return;
	}
	snprintf(worker->last_death, sizeof(worker->last_death), "%s%s%s%s%s%s",
	    process_describe_end(wait_status, end),
	    child_forbidden(worker, wait_status),
	    child->killed ? " (watchdog)" : "",
	    held_lock ? " with the ring's lock held" : "",
	    words[0] != '\0' ? between : "", words);
	log_errorx("worker %u[%d] %s", slot, child->pid, worker->last_death);
	atomic_fetch_add(&header->run.deaths, 1);
	atomic_fetch_add(&header->run.lock_deaths, held_lock);
	atomic_fetch_add(&header->run.watchdog_kills, child->killed);
}

/* Nobody is connected to a dead worker.  What one that was killed in a drain
 * had open was cut off. */
static void
child_clear_gauges(const struct supervisor *s, unsigned slot)
{
	struct stats stats = { s->segment.workers[slot].counters };

	if (!phase_serves(s->phase))
		stats_add(&stats, STATS_CUT,
		    stats_get(stats.counters, STATS_CONNECTIONS));
	stats_reset_gauges(stats.counters);
}

/* A worker died with the lock held: that is survived, but not for ever. */
static void
child_died_locked(struct supervisor *s, uint64_t now)
{
	if (!lock_deaths_add(&s->lock_deaths, now) || !phase_serves(s->phase))
		return;
	if (s->phase == PHASE_STARTING) {
		supervisor_fail(s,
		    "%u workers died while they held the ring's lock",
		    (unsigned)LOCK_DEATHS_MAX);
		return;
	}
	log_errorx("%u workers died while they held the ring's lock: all stop, "
		   "and start with a new ring",
	    (unsigned)LOCK_DEATHS_MAX);
	supervisor_event(s, EVENT_RING_BROKEN);
}

/* Decide when the dead worker's slot is started again. */
static void
child_plan_successor(struct supervisor *s, unsigned slot, uint64_t now)
{
	struct supervisor_child *child = &s->child[slot];

	if (!phase_serves(s->phase))
		return;
	if (!s->config->respawn) {
		if (s->alive == 0) {
			log_errorx("no worker is left");
			s->status = EXIT_STATUS_FAILED;
			supervisor_event(s, EVENT_WORKERLESS);
		}
		return;
	}
	if (now - child->started_ms >= BACKOFF_HEALTHY_MS)
		child->deaths = 0;
	/* A worker that came while all go to another ring would be left in this
	 * one (move.c forks it if that comes to nothing). */
	s->due.at[DUE_FORK + slot] =
	    s->move.active ? DUE_NEVER : now + backoff_ms(++child->deaths);
	child->succeeds = true;
	atomic_fetch_add(&s->segment.header->run.respawns, 1);
}

/* The start comes to nothing because of this worker. */
static void
child_fail_start(
    struct supervisor *s, unsigned slot, int wait_status, const char *words)
{
	const char *log_path = s->logfile.path;
	char end[PROCESS_END_MAX];

	supervisor_fail(s, "worker %u %s before it was ready%s%s%s%s", slot,
	    process_describe_end(wait_status, end),
	    words[0] != '\0' ? ": " : "", words,
	    log_path != NULL ? "; see " : "", log_path != NULL ? log_path : "");
}

static void
child_close_asks(struct supervisor_child *child)
{
	if (child->asks != -1)
		close(child->asks);
	child->asks = -1;
}

static void
child_reaped(struct supervisor *s, unsigned slot, int wait_status, uint64_t now)
{
	struct supervisor_child *child = &s->child[slot];
	struct layout_worker *worker = &s->segment.workers[slot];
	bool was_ready = atomic_load(&worker->state) != WORKER_STARTING;
	bool held_lock;
	char words[LAYOUT_OBITUARY];

	stop_point_here(s->segment.header, STOP_REAPED);
	held_lock = watchdog_bury(&s->watchdog, &s->segment, slot);
	last_words_take(worker, words);
	child_tell_death(s, slot, wait_status, held_lock, words);
	child_clear_gauges(s, slot);
	child->pid = 0;
	child->claims = false;
	child_close_asks(child);
	s->alive--;
	atomic_store(&worker->pid, 0);
	atomic_store(&worker->succession, SUCCESSION_NONE);
	/* reap-1: nobody waits for it any more */
	atomic_store(&worker->state, WORKER_GONE);
	if (held_lock)
		child_died_locked(s, now);
	/* reap-2: it may have died between its commit and the doorbells; and in
	 * a drain the others count the dead. */
	wakeup_ring_all(&s->wakeup);
	if (s->phase == PHASE_STARTING && !was_ready)
		child_fail_start(s, slot, wait_status, words);
	child_plan_successor(s, slot, now);
}

void
supervisor_reap(struct supervisor *s, uint64_t now)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
		if (pid == s->trial) {
			supervisor_trial_ended(s, wait_status);
			continue;
		}
		if (supervisor_bridge_reaped(s, pid, wait_status, now) ||
		    supervisor_upgrade_heir_ended(s, pid, wait_status) ||
		    supervisor_move_reaped(s, pid, wait_status))
			continue;
		for (unsigned slot = 0; slot < s->config->workers; slot++)
			if (s->child[slot].pid == pid &&
			    !supervisor_upgrade_promote(s, slot))
				child_reaped(s, slot, wait_status, now);
	}
}

void
supervisor_kill_all(struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		if (s->child[slot].pid != 0)
			kill(s->child[slot].pid, SIGKILL);
		if (s->child[slot].heir != 0)
			kill(s->child[slot].heir, SIGKILL);
	}
}

void
supervisor_watch(struct supervisor *s)
{
	enum watchdog_verdict verdict[LAYOUT_WORKERS];

	watchdog_look(&s->watchdog, &s->segment,
	    s->config->workers + supervisor_has_bridge(s), verdict);
	if (!s->config->watchdog)
		return;
	if (supervisor_has_bridge(s))
		supervisor_bridge_judge(s, verdict[s->config->workers]);
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		pid_t pid = s->child[slot].pid;

		/* While it is being followed it may stand still for a while;
		 * that has a limit of its own (DUE_HEIR). */
		if (pid == 0 || s->child[slot].heir != 0 || s->move.active)
			continue;
		switch (verdict[slot]) {
		case WATCHDOG_FINE:
			continue;
		case WATCHDOG_HOLDS:
			log_errorx("worker %u[%d] does not let go of the "
				   "ring's lock: killed",
			    slot, pid);
			break;
		case WATCHDOG_SILENT:
			log_errorx("worker %u[%d] has hung for %d s: killed",
			    slot, pid,
			    WATCHDOG_STILL_MAX * WATCHDOG_LOOK_MS / 1000);
			break;
		}
		s->child[slot].killed = true;
		kill(pid, SIGKILL);
	}
}
