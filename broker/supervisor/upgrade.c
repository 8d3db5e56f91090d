/* SPDX-License-Identifier: MIT */
/*
 * upgrade.c - give each worker a successor, which runs this program; see
 * state.h, and succession.h for the word of the slot that says how far they are.
 *
 *	the program before	trial; execve(2), with the workers at work
 *	this program		slot by slot:
 *	    fork the heir	it asks the worker, and gets everything
 *	    REBUILT		commit: the worker leaves
 *	    reaped		the heir is the worker
 *	    NONE again		it serves: next slot
 *
 * Only one worker stands still at a time.  One that cannot be followed goes on
 * with the program before; the upgrade has failed then, and can be asked for
 * again.
 */

#include "broker/host/process.h"
#include "broker/shared/last_words.h"
#include "broker/shared/stats.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long a successor may take until it has everything, beyond what the
 * connections may take to come to rest, twice (worker/hand_over.c). */
#define UPGRADE_HEIR_MS 5000

/* How long to wait for a sign of life of a worker: more than a beat, which comes
 * every 500 ms, or at once when it goes on. */
#define UPGRADE_SIGN_MS 1000

void
supervisor_upgrade_refuse(struct supervisor *s, const char *why)
{
	struct layout_header *header = s->segment.header;

	snprintf(header->run.upgrade_why, sizeof(header->run.upgrade_why), "%s",
	    why);
	log_errorx("no upgrade: %s", why);
	atomic_fetch_add_explicit(
	    &header->run.upgrade_refused, 1, memory_order_release);
	upgrade_page_tell(s->page, false, header->run.upgrade_why);
}

uint64_t
supervisor_counted(const struct supervisor *s, enum stats_id id)
{
	uint64_t sum = 0;

	for (unsigned slot = 0; slot < s->config->workers; slot++)
		sum += stats_get(s->segment.workers[slot].counters, id);
	return sum;
}

void
supervisor_upgrade_begin(struct supervisor *s)
{
	s->upgrade = (struct supervisor_upgrade){
		.active = true,
		.began_ms = clock_monotonic_ms(),
		.handed_over = supervisor_counted(s, STATS_HANDED_OVER),
		.not_handed_over = supervisor_counted(s, STATS_NOT_HANDED_OVER),
	};
	if (supervisor_has_moved(s)) {
		s->upgrade.began_ms = s->page->began_ms;
		s->upgrade.handed_over = 0; /* they count anew */
		s->upgrade.not_handed_over = -s->page->closed;
		log_info(
		    "upgrade: pubsubd %s goes on with the ring of epoch %s",
		    PUBSUBD_VERSION, s->segment.header->epoch);
		return;
	}
	log_info("upgrade: pubsubd %s goes on with %u workers of the program "
		 "before",
	    PUBSUBD_VERSION, s->alive);
	stop_point_here(s->segment.header, STOP_UPGRADED);
}

/* It has come to an end: tell the command that waits, and the log. */
static void
upgrade_end(struct supervisor *s, const char *why)
{
	struct layout_header *header = s->segment.header;
	const struct supervisor_upgrade *u = &s->upgrade;

	s->upgrade.active = false;
	if (why != NULL) {
		supervisor_upgrade_refuse(s, why);
		return;
	}
	snprintf(header->run.upgrade_why, sizeof(header->run.upgrade_why),
	    "%u workers in %" PRIu64 " ms, %" PRIu64
	    " connections handed over, %" PRIu64 " closed",
	    s->config->workers, clock_monotonic_ms() - u->began_ms,
	    supervisor_counted(s, STATS_HANDED_OVER) - u->handed_over,
	    supervisor_counted(s, STATS_NOT_HANDED_OVER) - u->not_handed_over);
	log_info("upgraded: %s", header->run.upgrade_why);
	atomic_fetch_add_explicit(
	    &header->run.upgrades, 1, memory_order_release);
	upgrade_page_tell(s->page, true, header->run.upgrade_why);
}

/* This worker goes on as it is. */
static void
upgrade_failed(struct supervisor *s, unsigned slot, const char *why)
{
	log_errorx("worker %u[%d] goes on with the program before: %s", slot,
	    s->child[slot].pid, why);
	s->upgrade.failed++;
}

/* Fork the successor of a worker. */
static void
upgrade_fork(struct supervisor *s, unsigned slot, uint64_t now)
{
	struct supervisor_child *child = &s->child[slot];
	pid_t pid = -1;

	child->heir = 0;
	if (supervisor_open_root(s))
		pid = supervisor_fork_worker(
		    s, slot, child->asks, &child->heir_asks);
	if (pid == -1) {
		upgrade_failed(s, slot, strerror(errno));
		return;
	}
	child->heir = pid;
	s->due.at[DUE_HEIR] =
	    now + UPGRADE_HEIR_MS + 2 * (uint64_t)s->config->handover_ms;
}

/* Whether the slot has a worker that came by an upgrade and does not serve yet. */
static bool
upgrade_claims(struct supervisor *s, unsigned slot)
{
	struct supervisor_child *child = &s->child[slot];

	if (child->claims &&
	    succession_of(&s->segment.workers[slot]) == SUCCESSION_NONE)
		child->claims = false;
	return child->claims;
}

/* Begin with the next worker that runs the program before.  Returns false if
 * there is none left. */
static bool
upgrade_next(struct supervisor *s, uint64_t now)
{
	for (; s->upgrade.slot < s->config->workers; s->upgrade.slot++) {
		unsigned slot = s->upgrade.slot;
		const struct supervisor_child *child = &s->child[slot];

		if (upgrade_claims(s, slot))
			return true;
		if (child->pid == 0 || child->renewed)
			continue; /* a dead one is replaced anyway */
		if (atomic_load(&s->segment.workers[slot].state) ==
		    WORKER_STARTING)
			return true; /* it was just begun */
		if (child->asks == -1)
			upgrade_failed(s, slot, "it has no socket for that");
		else
			upgrade_fork(s, slot, now);
		if (child->heir != 0)
			return true;
	}
	return false;
}

static void
upgrade_kill_heir(struct supervisor *s, unsigned slot)
{
	s->due.at[DUE_HEIR] = DUE_NEVER;
	kill(s->child[slot].heir, SIGKILL);
}

/* The successor has everything, and lives: it may go on, and the worker
 * leaves. */
static void
upgrade_commit(struct supervisor *s, unsigned slot)
{
	struct layout_worker *worker = &s->segment.workers[slot];

	if (!succession_step(worker, SUCCESSION_REBUILT, SUCCESSION_COMMITTED))
		return; /* the worker has just lost patience with it */
	s->due.at[DUE_HEIR] = DUE_NEVER;
	stop_point_here(s->segment.header, STOP_SUCCESSION_COMMITTED);
	wakeup_ring(&s->wakeup, slot);
}

/* Look at the successor under way. */
static void
upgrade_watch_heir(struct supervisor *s, unsigned slot, uint64_t now)
{
	enum succession word = succession_of(&s->segment.workers[slot]);

	if (word == SUCCESSION_REBUILT) {
		upgrade_commit(s, slot);
	} else if (due_take(&s->due, DUE_HEIR, now) &&
		   word < SUCCESSION_COMMITTED) {
		log_errorx(
		    "the successor of worker %u takes too long: killed", slot);
		upgrade_kill_heir(s, slot);
	}
}

/* The server leaves: a worker that is not followed yet will not be. */
static void
upgrade_abandon(struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (s->child[slot].heir != 0 &&
		    succession_of(&s->segment.workers[slot]) <
			SUCCESSION_COMMITTED)
			upgrade_kill_heir(s, slot);
	upgrade_end(s, "another change came in between");
}

/*
 * The successor has ended before it was the worker.  If the worker is dead as
 * well, both are replaced like any dead worker; it may be dying, since its
 * sockets are closed before it can be reaped.  So wait for a sign of life, but
 * not for ever.  Returns whether it has to be waited for.
 */
static bool
upgrade_settle_end(struct supervisor *s, unsigned slot, uint64_t now)
{
	const struct supervisor_child *child = &s->child[slot];

	if (child->pid != 0 && !child->renewed) {
		if (atomic_load(&s->segment.workers[slot].beat) ==
			s->upgrade.beat &&
		    !due_take(&s->due, DUE_HEIR, now))
			return true;
		upgrade_failed(s, slot, s->upgrade.heir_end);
	}
	s->due.at[DUE_HEIR] = DUE_NEVER;
	s->upgrade.heir_end[0] = '\0';
	s->upgrade.slot = slot + 1;
	return false;
}

/* Whether the worker has been told to leave, and is not reaped yet. */
static bool
upgrade_is_leaving(const struct supervisor *s, unsigned slot)
{
	return s->child[slot].pid != 0 && !s->child[slot].claims &&
	       succession_of(&s->segment.workers[slot]) == SUCCESSION_COMMITTED;
}

/* Look at the slot under way.  Returns whether it still is. */
static bool
upgrade_step_slot(struct supervisor *s, unsigned slot, uint64_t now)
{
	struct supervisor_child *child = &s->child[slot];

	upgrade_claims(s, slot);
	if (child->heir != 0) {
		upgrade_watch_heir(s, slot, now);
		return true;
	}
	if (upgrade_is_leaving(s, slot))
		return true;
	return s->upgrade.heir_end[0] != '\0' &&
	       upgrade_settle_end(s, slot, now);
}

void
supervisor_upgrade_step(struct supervisor *s, uint64_t now)
{
	char why[64];

	if (!s->upgrade.active)
		return;
	if (!phase_serves(s->phase)) {
		upgrade_abandon(s);
		return;
	}
	if (s->upgrade.slot < s->config->workers &&
	    upgrade_step_slot(s, s->upgrade.slot, now))
		return;
	if (upgrade_next(s, now))
		return;
	snprintf(why, sizeof(why), "%u of %u workers go on as they were",
	    s->upgrade.failed, s->config->workers);
	upgrade_end(s, s->upgrade.failed > 0 ? why : NULL);
}

/* The slot whose successor this is; false: of none. */
static bool
upgrade_find_heir(const struct supervisor *s, pid_t pid, unsigned *slot)
{
	for (*slot = 0; *slot < s->config->workers; ++*slot)
		if (s->child[*slot].heir == pid)
			return true;
	return false;
}

static void
upgrade_close_heir_asks(struct supervisor_child *child)
{
	if (child->heir_asks != -1)
		close(child->heir_asks);
	child->heir_asks = -1;
}

bool
supervisor_upgrade_heir_ended(struct supervisor *s, pid_t pid, int wait_status)
{
	struct supervisor_child *child;
	char words[LAYOUT_OBITUARY], end[PROCESS_END_MAX];
	unsigned slot;

	if (!upgrade_find_heir(s, pid, &slot))
		return false;
	child = &s->child[slot];
	last_words_take(&s->segment.workers[slot], words);
	snprintf(s->upgrade.heir_end, sizeof(s->upgrade.heir_end),
	    "its successor %s%s%s", process_describe_end(wait_status, end),
	    words[0] != '\0' ? ": " : "", words);
	child->heir = 0;
	upgrade_close_heir_asks(child);
	s->upgrade.beat = atomic_load(&s->segment.workers[slot].beat);
	s->due.at[DUE_HEIR] = clock_monotonic_ms() + UPGRADE_SIGN_MS;
	return true;
}

/* The worker has left, or died with everything given away: the successor is the
 * worker. */
static void
upgrade_install_heir(struct supervisor *s, unsigned slot)
{
	struct supervisor_child *child = &s->child[slot];
	struct layout_worker *worker = &s->segment.workers[slot];
	char words[LAYOUT_OBITUARY];

	watchdog_bury(&s->watchdog, &s->segment, slot);
	last_words_take(worker, words);
	log_info("worker %u[%d] has handed over to [%d]", slot, child->pid,
	    child->heir);
	if (child->asks != -1)
		close(child->asks);
	*child = (struct supervisor_child){
		.pid = child->heir,
		.started_ms = clock_monotonic_ms(),
		.renewed = true,
		.asks = child->heir_asks,
		.heir_asks = -1,
		.claims = true,
	};
	atomic_fetch_add(&worker->starts, 1);
	atomic_store(&worker->started_ms, child->started_ms);
	atomic_store(&worker->pid, child->pid);
}

bool
supervisor_upgrade_promote(struct supervisor *s, unsigned slot)
{
	struct supervisor_child *child = &s->child[slot];
	struct layout_worker *worker = &s->segment.workers[slot];

	if (child->heir == 0)
		return false;
	s->due.at[DUE_HEIR] = DUE_NEVER;
	if (succession_of(worker) != SUCCESSION_COMMITTED &&
	    !succession_step(
		worker, SUCCESSION_REBUILT, SUCCESSION_COMMITTED)) {
		/* What there is of the connections dies with them both. */
		upgrade_kill_heir(s, slot);
		return false;
	}
	upgrade_install_heir(s, slot);
	succession_step(worker, SUCCESSION_COMMITTED, SUCCESSION_GRANTED);
	wakeup_ring(&s->wakeup, slot);
	return true;
}
