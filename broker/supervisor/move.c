/* SPDX-License-Identifier: MIT */
/*
 * move.c - an upgrade to a program that cannot go on in this segment, because its
 * layout, or the options that shape a segment, are other ones; see state.h.
 *
 *	this program, the supervisor of the workers at work
 *	    fork the nursery	the new program: it makes a segment, and forks
 *				successors, who ask the workers (nursery.c)
 *	    it ends		all have everything, and are our children
 *	    commit		one word for all (upgrade_page.h); the workers end
 *	    rename		the new segment has the name
 *	    grant		the successors serve
 *	    execve(2)		the new program goes on with them
 *
 * Until the commit, this program, with the options that it has read, can do all that
 * it could before; so whatever fails till then leaves the workers where they are.
 * That is why it does not become the other program first, as for an upgrade that
 * keeps the segment (upgrade.c): that program could not serve on in this segment.
 */

#include "broker/host/process.h"
#include "broker/shared/stats.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the nursery may take to make a segment and to fork, and then the
 * successors, beyond what the connections may take to come to rest, twice. */
#define MOVE_MAKE_MS  60000
#define MOVE_HEIRS_MS 5000

/* How long the nursery may take to say why a worker has called it off. */
#define MOVE_LAST_MS 1000

/* How often it is looked whether it has forked. */
#define MOVE_LOOK_MS 50

/* Fork the nursery.  Those that it forks become our children when it ends. */
static bool
move_fork(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	struct supervisor_move *m = &s->move;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
	    (m->nursery = fork()) == -1) {
		snprintf(error, SEGMENT_ERROR_MAX, "cannot fork: %s",
		    strerror(errno));
		m->nursery = 0;
		return false;
	}
	if (m->nursery == 0)
		supervisor_become_nursery(s);
	return true;
}

/* Who is asked has to be there. */
static bool
move_has_workers(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (s->child[slot].pid == 0 || s->child[slot].asks == -1) {
			snprintf(error, SEGMENT_ERROR_MAX,
			    "worker %u is not there, or has no socket for "
			    "that",
			    slot);
			return false;
		}
	if (s->page != NULL)
		return true;
	snprintf(error, SEGMENT_ERROR_MAX,
	    "this kernel has no memory for it (memfd_create)");
	return false;
}

void
supervisor_move_begin(struct supervisor *s, const char *differs)
{
	struct supervisor_move *m = &s->move;
	uint64_t now = clock_monotonic_ms();
	char error[SEGMENT_ERROR_MAX];

	supervisor_move_init(s);
	if (!move_has_workers(s, error)) {
		supervisor_upgrade_refuse(s, error);
		return;
	}
	move_begin(s->page, s->config->workers, now);
	atomic_store(&s->page->stop_point_arm,
	    atomic_load(&s->segment.header->stop_point_arm));
	m->number = move_number(s->page);
	m->not_handed_over = supervisor_counted(s, STATS_NOT_HANDED_OVER);
	if (!supervisor_move_open(s, error) || !move_fork(s, error)) {
		move_call_off(s->page, m->number);
		supervisor_move_close(s);
		segment_remove_next(s->config->name);
		supervisor_upgrade_refuse(s, error);
		return;
	}
	m->active = true;
	m->until_ms = now + MOVE_MAKE_MS;
	s->due.at[DUE_HEIR] = now + MOVE_LOOK_MS;
	log_info("upgrade: all go to another ring, for %s", differs);
}

/* End a successor, or all; they may be the nursery's children still. */
static void
move_kill_heirs(struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->move.kept.workers; slot++) {
		pid_t pid = atomic_load(&s->page->pid[slot]);

		if (pid > 0)
			kill(pid, SIGKILL);
	}
}

/* Workers that died meanwhile were not replaced. */
static void
move_fork_missing(struct supervisor *s)
{
	uint64_t now = clock_monotonic_ms();

	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (s->child[slot].pid == 0 && s->config->respawn &&
		    phase_serves(s->phase))
			s->due.at[DUE_FORK + slot] = now;
}

/* It comes to nothing: all go on as they were. */
static void
move_give_up(struct supervisor *s, const char *why)
{
	char said[UPGRADE_PAGE_WHY];

	snprintf(said, sizeof(said), "%s", why);
	move_call_off(s->page, s->move.number);
	s->move.active = false;
	s->due.at[DUE_HEIR] = DUE_NEVER;
	if (s->move.nursery != 0)
		kill(s->move.nursery, SIGKILL);
	move_kill_heirs(s);
	supervisor_move_close(s);
	segment_remove_next(s->config->name);
	wakeup_ring_all(&s->wakeup);
	move_fork_missing(s);
	supervisor_upgrade_refuse(s, said);
}

/* The first successor that is dead; -1: none is. */
static int
move_find_dead(const struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->move.kept.workers; slot++) {
		pid_t pid = atomic_load(&s->page->pid[slot]);
		siginfo_t info = { .si_pid = 0 };

		if (pid <= 0 ||
		    waitid(P_PID, (id_t)pid, &info,
			WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    info.si_pid != 0)
			return (int)slot;
	}
	return -1;
}

/* The workers, who are frozen, have nothing to do any more but to end. */
static void
move_end_workers(struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (s->child[slot].pid != 0)
			kill(s->child[slot].pid, SIGKILL);
	s->page->closed = supervisor_counted(s, STATS_NOT_HANDED_OVER) -
	                  s->move.not_handed_over;
}

/* From here on there is no way back. */
static void
move_go(struct supervisor *s)
{
	struct supervisor_move *m = &s->move;

	stop_point_here(s->segment.header, STOP_MOVE_COMMITTED);
	move_end_workers(s);
	if (!segment_name_next(s->config->name))
		log_error("the new ring cannot get its name");
	stop_point_here(s->segment.header, STOP_MOVE_NAMED);
	move_step(s->page, m->number, MOVE_COMMITTED, MOVE_GRANTED);
	for (unsigned slot = 0; slot < m->kept.workers; slot++)
		wakeup_ring_fd(m->kept.doorbell[slot]);
	supervisor_exec_moved(s);
}

/* The nursery has ended well: it is for us to decide. */
static void
move_commit(struct supervisor *s)
{
	int dead = move_find_dead(s);
	char why[64];

	if (dead != -1) {
		snprintf(why, sizeof(why), "the successor of worker %d is dead",
		    dead);
		move_give_up(s, why);
	} else if (!phase_serves(s->phase)) {
		move_give_up(s, "another change came in between");
	} else if (move_step(
		       s->page, s->move.number, MOVE_OPEN, MOVE_COMMITTED)) {
		move_go(s);
	} else {
		move_give_up(s, "a worker goes on as it was");
	}
}

/* The nursery has not. */
static void
move_failed(struct supervisor *s, int wait_status)
{
	char why[UPGRADE_PAGE_WHY], end[PROCESS_END_MAX];

	s->page->words[sizeof(s->page->words) - 1] = '\0';
	if (s->page->words[0] != '\0')
		snprintf(why, sizeof(why), "%s", s->page->words);
	else
		snprintf(why, sizeof(why), "%s, told to make a ring, %s",
		    s->program, process_describe_end(wait_status, end));
	move_give_up(s, why);
}

bool
supervisor_move_reaped(struct supervisor *s, pid_t pid, int wait_status)
{
	struct supervisor_move *m = &s->move;

	if (pid != m->nursery || pid == 0)
		return false;
	m->nursery = 0;
	if (!m->active)
		move_kill_heirs(
		    s); /* it was killed before it had told of them */
	else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
		move_commit(s);
	else
		move_failed(s, wait_status);
	return true;
}

/* Its program, to become it later, whatever is done to its name meanwhile.  Not if
 * the name is that of another file, a script perhaps that passes on more. */
static void
move_open_program(struct supervisor *s)
{
	struct stat named, runs;
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)s->move.nursery);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1 && fstat(fd, &runs) == 0 &&
	    stat(s->program, &named) == 0 && runs.st_dev == named.st_dev &&
	    runs.st_ino == named.st_ino)
		s->move.program = fd;
	else if (fd != -1)
		close(fd);
}

/* Once the successors are forked their time begins. */
static void
move_look(struct supervisor *s, uint64_t now)
{
	struct supervisor_move *m = &s->move;

	if (!m->has_forked &&
	    atomic_load(&s->page->pid[m->kept.workers - 1]) != 0) {
		m->has_forked = true;
		move_open_program(s);
		m->until_ms =
		    now + MOVE_HEIRS_MS + 2 * (uint64_t)s->config->handover_ms;
	}
	if (!m->is_off && move_state(s->page, m->number) == MOVE_OFF) {
		m->is_off = true;
		m->until_ms = now + MOVE_LAST_MS;
	}
	s->due.at[DUE_HEIR] = now + MOVE_LOOK_MS;
}

void
supervisor_move_step(struct supervisor *s, uint64_t now)
{
	struct supervisor_move *m = &s->move;

	if (!m->active)
		return;
	if (!phase_serves(s->phase))
		move_give_up(s, "another change came in between");
	else if (now >= m->until_ms)
		move_give_up(s, m->is_off
				    ? "a worker goes on as it was"
				    : "the successors take too long: killed");
	else if (due_take(&s->due, DUE_HEIR, now))
		move_look(s, now);
}
