/* SPDX-License-Identifier: MIT */
/*
 * state.h - what the supervisor's own files share; nobody else includes this.
 * Each calls only those below it.
 *
 *	supervisor.c  the event loop, signals
 *	open.c        the parts: open or take over, close
 *	orphans.c     wait for the workers of a killed server
 *	child.c       fork, reap, start again
 *	bridge.c      the bridge to a cluster
 *	aside.c       rings that were given up, for the bridge
 *	upgrade.c     give each worker a successor
 *	move.c        give all workers successors in another segment
 *	move_parts.c  what those share with us
 *	nursery.c     be the process that makes that segment, and forks them
 *	fork.c        fork a worker, first or successor
 *	inherit.c     go on with what the program before us had
 *	become.c      what a fork does until it is a worker
 *	life.c        begin a run, get ready, drain, renew, end
 *	exec.c        restart: try the program on disk, then become it
 *	pass_on.c     what is passed on over execve(2)
 *	own_segment.c the segment: found or made, kept or removed
 *	tls.c         certificates, and keys of tickets
 *	access.c      who may what
 *	reload.c      change options while serving
 *	names.c       see that our files keep their names
 *	changed.c     tell of addresses that a restart does not change
 *	order.c       change the phase; say why a start fails
 *	manager.c     take a service manager's sockets, tell it how we are
 *
 * A *run* is the time from forking N workers to having reaped them all.  What the
 * supervisor is doing is its phase (phase.h), and changes by supervisor_event()
 * alone; what it has to do later is in one list (due.h).
 */

#ifndef BROKER_SUPERVISOR_STATE_H
#define BROKER_SUPERVISOR_STATE_H

#include "broker/host/listeners.h"
#include "broker/host/logfile.h"
#include "broker/host/lockfile.h"
#include "broker/host/report.h"
#include "broker/host/tls_files.h"
#include "broker/shared/access_store.h"
#include "broker/shared/live.h"
#include "broker/supervisor/args.h"
#include "broker/supervisor/due.h"
#include "broker/supervisor/handover.h"
#include "broker/supervisor/phase.h"
#include "broker/supervisor/policy.h"
#include "broker/supervisor/terms.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The supervisor's own knowledge of a slot, beyond the worker table. */
struct supervisor_child {
	pid_t pid; /* 0: none */
	uint64_t started_ms;
	unsigned deaths; /* in a row */
	bool killed;     /* by the watchdog; the end is yet to come */
	bool succeeds;   /* a dead one, and has not been ready yet */
	bool renewed;    /* it runs this program, not the one before */
	int asks;        /* where a successor asks it; -1: nowhere */
	/* The successor, until it has the slot. */
	pid_t heir;    /* 0: none */
	int heir_asks; /* as asks */
	bool claims;   /* it is the worker now, and does not serve yet */
};

/* The bridge to the other hosts of a cluster. */
struct supervisor_bridge {
	pid_t pid; /* 0: none */
	uint64_t started_ms;
	unsigned deaths; /* in a row */
	bool gave_up;    /* this ring, which cannot go on with the log */
};

/* An upgrade under way. */
struct supervisor_upgrade {
	bool active;
	unsigned slot; /* that gets its successor */
	unsigned failed;
	uint64_t began_ms;
	uint64_t handed_over, not_handed_over; /* connections, before */
	/* How the slot's successor ended, without having been the worker; "":
	 * it has not. */
	char heir_end[LAYOUT_DEATH];
	uint64_t beat; /* of the worker, when its successor ended */
};

/* An upgrade to another segment under way. */
struct supervisor_move {
	bool active;
	bool has_forked;   /* the nursery has forked the successors */
	bool is_off;       /* a worker has called it off; why is to be said */
	pid_t nursery;     /* 0: it has ended */
	uint64_t number;   /* upgrade_page.h */
	uint64_t until_ms; /* it may take so long; monotonic clock */
	int segment;       /* its file; owned, like the next two */
	int program;       /* the nursery's, O_RDONLY; -1: by its name */
	struct handover_kept kept; /* what it shares with the successors */
	uint64_t not_handed_over;  /* connections, before */
};

struct supervisor {
	const struct supervisor_args *args;
	const struct config *config; /* in force */
	struct live *live;           /* likewise, for the workers that run */
	char *program;               /* absolute path, for a restart */

	struct lockfile lockfile;
	struct logfile logfile;
	struct listeners listeners;
	struct listeners admin; /* the operator's; count 0: none */
	struct segment segment;
	int root;         /* of --root, O_PATH; -1: not opened yet */
	int claim;        /* of the segment, segment_claim(); -1: none */
	bool has_history; /* the segment is an earlier server's */
	bool lock_lost, segment_lost;    /* without a name, which was told */
	struct tls_store *tls;           /* owned; NULL: no TLS */
	struct tls_files next_tls;       /* of a reload under way */
	struct access_store *access;     /* owned */
	struct access_texts next_access; /* of a reload under way */
	int next_log; /* of a reload under way; -1: as before */
	struct wakeup wakeup;
	sigset_t signals; /* that the loop reads: */
	int signal_fd;
	int state_fd; /* eventfd: a worker changed its state */
	int life[2];  /* pipe that ends for the workers when we die */

	struct supervisor_child child[CONFIG_WORKERS_MAX];
	unsigned alive;      /* children that are workers */
	pid_t trial;         /* the program on disk being tried; 0: none */
	int trial_words;     /* what it says; only while there is one */
	bool trial_upgrades; /* it is for an upgrade, not for a restart */
	struct supervisor_bridge bridge;
	struct supervisor_upgrade upgrade;
	struct supervisor_move move;
	struct upgrade_page *page; /* owned; NULL: there is none to be had */
	int page_fd;               /* -1: likewise */
	struct handover_kept kept; /* of the program before; workers 0: none */

	enum phase phase;
	struct due due;
	bool restart_wanted; /* asked for while STARTING */
	uint64_t stop_ms;    /* when told to stop; 0: not yet */
	enum exit_status status;

	struct watchdog watchdog;
	struct lock_deaths lock_deaths;
};

/* The descriptor of a store that workers look at; -1: it is to be made. */
static inline int
supervisor_kept_store(const struct supervisor *s, enum handover_store which)
{
	return s->kept.workers > 0 ? s->kept.store[which] : -1;
}

/* Whether the workers are this program's already, begun by a nursery. */
static inline bool
supervisor_has_moved(const struct supervisor *s)
{
	return supervisor_kept_store(s, HANDOVER_LIVE) != -1 && s->page != NULL;
}

/* Why a start came to nothing that was told to stop. */
#define SUPERVISOR_TOLD_EARLY "told to stop before it was ready"

/* open.c */

/*
 * Open all parts, in this order: whoever has the lock is the one server of this
 * name, and whoever has the port will serve.  Returns false, having told why
 * (supervisor_report()) and left nothing behind.
 */
bool supervisor_open(struct supervisor *s);

/* Kill the workers that are left, close all parts and leave nothing behind. */
void supervisor_close(struct supervisor *s);

/* Bound what the kernel holds for clients. */
void supervisor_tune_listeners(struct supervisor *s);

/* orphans.c */

/*
 * Wait for the workers of a killed server, which leave within their drain.  A
 * worker that does not hangs, and the supervisor whose watchdog would have ended
 * it is dead; so it is killed here.
 * Blocks:  as long as that takes, or until SIGTERM or SIGINT.
 * Returns: false, having told why, if some are still there or it was told to
 *          stop.
 */
bool supervisor_wait_orphans(struct supervisor *s);

/* order.c */

/* Say why this start comes to nothing, and how the process will end. */
void supervisor_report(
    struct supervisor *s, enum exit_status status, const char *why);

/* The start comes to nothing because of the workers: that, and they quit. */
void supervisor_fail(struct supervisor *s, const char *fmt, ...) LOG_FMT(2);

/*
 * Something has happened: go on to the phase that phase.h says, and give the
 * workers the order that goes with it.
 * Returns whether it means anything in this phase.
 */
bool supervisor_event(struct supervisor *s, enum event event);

/* manager.c */

/* Take the sockets that a service manager has passed on, if it has; TLS is
 * spoken where --tls-listen names the address.  Returns false, having told
 * why. */
bool supervisor_take_passed_sockets(struct supervisor *s);

/* Whether the public sockets are such ones. */
bool supervisor_has_passed_sockets(const struct supervisor *s);

/* Tell the service manager that every worker serves, again if need be. */
void supervisor_notify_ready(const struct supervisor *s);

/* Tell it that a change has begun, which what names. */
void supervisor_notify_changing(const char *what);

/* Tell it that the server drains, and ends then. */
void supervisor_notify_stopping(void);

/* Tell it that the loops of all workers turn, if it wants to hear that and if
 * they do, by what the watchdog has just seen. */
void supervisor_notify_beat(const struct supervisor *s);

/* become.c */

/* The sockets by which workers follow one another on a slot; -1: none. */
struct supervisor_sockets {
	int asked;  /* where a successor asks this worker */
	int asks;   /* where this worker asks its predecessor */
	bool moves; /* which has another segment */
};

/*
 * The life of worker `slot', from the fork to its end.
 * Callers: the child.
 */
_Noreturn void supervisor_become_worker(struct supervisor *s, unsigned slot,
    const struct supervisor_sockets *sockets);

/* The life of the bridge's process until it is the bridge's program. */
_Noreturn void supervisor_become_bridge(struct supervisor *s);

/* bridge.c */

/* Whether this host is one of a cluster. */
bool supervisor_has_bridge(const struct supervisor *s);

/* A run begins, or goes on with this program: start it. */
void supervisor_bridge_begin(struct supervisor *s, uint64_t now);
void supervisor_bridge_due(struct supervisor *s, uint64_t now);

/* Whether a process that was reaped was the bridge. */
bool supervisor_bridge_reaped(
    struct supervisor *s, pid_t pid, int wait_status, uint64_t now);

/* What the watchdog has found. */
void supervisor_bridge_judge(
    struct supervisor *s, enum watchdog_verdict verdict);

/* End it, for now.  Blocks: until it is gone, which SIGKILL sees to. */
void supervisor_bridge_end(struct supervisor *s);

/* aside.c */

/* If it was the bridge that gave this ring up, set its segment aside: it has another
 * name then, and the claim is still open.  No worker is alive.  Returns whether it
 * is, having told why not. */
bool supervisor_set_aside(struct supervisor *s);

/* Remove the one that was set aside first, for lack of room, which `why' tells.  Returns
 * false if there is none, or it cannot be removed. */
bool supervisor_drop_aside(struct supervisor *s, const char *why);

/* Bytes of all of them. */
uint64_t supervisor_aside_bytes(const struct supervisor *s);

/* Open them for the bridge.  fds: by place, -1: none.  Owns: the caller. */
void supervisor_open_asides(
    const struct supervisor *s, int fds[SEGMENT_ASIDE_MAX]);

/* Remove all. */
void supervisor_remove_asides(struct supervisor *s);

/* Remove those of which the bridge says that they are needed no more. */
void supervisor_tend_asides(struct supervisor *s);

/* fork.c */

/* Whether there is a directory to serve; opened once. */
bool supervisor_open_root(struct supervisor *s);

/* Fork worker `slot'; asks: a copy of its end of the predecessor's socket, or
 * -1.  Returns its pid, -1 with errno, and where its successor can ask it in
 * *asked.  Callers: they note that in the table. */
pid_t supervisor_fork_worker(
    struct supervisor *s, unsigned slot, int asks, int *asked);

/* inherit.c */

/* Take over from the program that was executed before us, if there was one.
 * Returns the descriptor of its log file; -1: none. */
int supervisor_inherit(struct supervisor *s);

/* The page of upgrades: that of the program before, if it had one.  No process that
 * is forked has any use for it. */
void supervisor_open_page(struct supervisor *s);

/* Go on with the workers of an upgrade, and what they share with us. */
void supervisor_adopt_descriptors(struct supervisor *s);
void supervisor_adopt_workers(struct supervisor *s);

/* upgrade.c */

/* An upgrade does not happen: tell the command that waits, and the log. */
void supervisor_upgrade_refuse(struct supervisor *s, const char *why);

/* A counter of all workers. */
uint64_t supervisor_counted(const struct supervisor *s, enum stats_id id);

/* Give each worker a successor, one after another. */
void supervisor_upgrade_begin(struct supervisor *s);

/* Go on with that. */
void supervisor_upgrade_step(struct supervisor *s, uint64_t now);

/* A process has been reaped.  Returns whether it was a successor that had not
 * come to serve. */
bool supervisor_upgrade_heir_ended(
    struct supervisor *s, pid_t pid, int wait_status);

/* The worker of a slot has been reaped.  Returns whether its successor is the
 * worker now. */
bool supervisor_upgrade_promote(struct supervisor *s, unsigned slot);

/* move_parts.c */

/* Nothing is open yet.  Open all, or not, with a reason; close what is open. */
void supervisor_move_init(struct supervisor *s);
bool supervisor_move_open(struct supervisor *s, char error[SEGMENT_ERROR_MAX]);
void supervisor_move_close(struct supervisor *s);

/* move.c */

/* Give all workers successors in a segment that the program on disk makes, for
 * what differs says. */
void supervisor_move_begin(struct supervisor *s, const char *differs);

/* Go on with that. */
void supervisor_move_step(struct supervisor *s, uint64_t now);

/* A process has been reaped.  Returns whether it was the nursery. */
bool supervisor_move_reaped(struct supervisor *s, pid_t pid, int wait_status);

/* nursery.c */

/* Be the nursery.  Callers: supervisor_open(), if the program before says so. */
_Noreturn void supervisor_nurse(struct supervisor *s);

/* child.c */

/* Fork what is due. */
void supervisor_fork_due(struct supervisor *s, uint64_t now);

/* Tell of the successors of dead workers that have become ready. */
void supervisor_tell_successors(struct supervisor *s);

/* Reap all that died, and decide what follows from it. */
void supervisor_reap(struct supervisor *s, uint64_t now);

/* SIGKILL every worker that lives. */
void supervisor_kill_all(struct supervisor *s);

/* Look at the workers, and, with --watchdog, kill those that hang. */
void supervisor_watch(struct supervisor *s);

/* life.c */

/* Write this process's identity into the header. */
void supervisor_sign_header(struct supervisor *s);

/* Begin a run: a new worker table, and all workers due; of a start also what
 * supervisor_fill_segment() does. */
void supervisor_begin_run(struct supervisor *s);

/* See whether all workers are ready by now, and tell. */
void supervisor_check_ready(struct supervisor *s, uint64_t now);

/* The last worker of a run that ends is reaped: do what the phase says. */
void supervisor_conclude(struct supervisor *s);

/* own_segment.c */

/* The shape of the segment that these options ask for. */
struct segment_shape supervisor_shape(const struct config *config);

/* Whether the control group may have the memory of a segment, and so many bytes
 * beside: to allocate more than it may is SIGKILL, and not an error. */
bool supervisor_has_memory(const struct config *config, uint64_t beside,
    char error[SEGMENT_ERROR_MAX]);

/* Claim the segment that is there and go on with it, or make one.
 * Returns: EXIT_STATUS_OK, or what the command ends with, and a reason. */
enum exit_status supervisor_open_segment(
    struct supervisor *s, char error[SEGMENT_ERROR_MAX]);

/*
 * Have the segment in memory in full, or let the start fail.  The workers have been
 * forked and get ready meanwhile, which takes them about as long; nobody is told
 * that the server has started before this has returned.
 * Blocks: as segment_fill() does.
 */
void supervisor_fill_segment(struct supervisor *s);

/* Give up the segment for a new one, which is in memory in full.  Returns false with
 * a reason.  Blocks: as segment_fill() does. */
bool supervisor_renew_segment(
    struct supervisor *s, char error[SEGMENT_ERROR_MAX]);

/* Remove the segment; or (--keep-ring) leave it to the next start, unless this one
 * has made it and not got ready. */
void supervisor_close_segment(struct supervisor *s);

/* tls.c */

/* Read the certificates, if there are any, for the workers to come.  Returns
 * false, having told why (supervisor_report()). */
bool supervisor_open_tls(struct supervisor *s);
void supervisor_close_tls(struct supervisor *s);

/* As a part of a reload (reload.c): read the certificates anew.  Handshakes that
 * begin when they are in force use them, and connections go on. */
bool supervisor_prepare_tls(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX]);
void supervisor_settle_tls(
    struct supervisor *s, const struct config *next, bool in_force);

/* Make another key for tickets, and set when the next is due. */
void supervisor_rotate_tickets(struct supervisor *s, uint64_t now);

/* access.c */

/* Gather what options and key files say, for the workers to come.  Returns
 * false, having told why (supervisor_report()). */
bool supervisor_open_access(struct supervisor *s);
void supervisor_close_access(struct supervisor *s);

/* As a part of a reload (reload.c), before the workers': they look when they are
 * told of other options.  The files are read anew even if no option changed. */
bool supervisor_prepare_access(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX]);
void supervisor_settle_access(
    struct supervisor *s, const struct config *next, bool in_force);

/* names.c */

/* Look whether somebody removed the lock file or the segment's name, put back
 * what can be, and tell once. */
void supervisor_check_names(struct supervisor *s);

/* reload.c */

/*
 * Read the configuration again and put it in force.  If anything is wrong, or
 * needs a restart, nothing is changed.  Either way the log and the segment's
 * header say what came of it.
 */
void supervisor_reload(struct supervisor *s);

/* changed.c */

/* Tell of the addresses that the sockets taken over do not have. */
void supervisor_tell_changed_addresses(const struct supervisor *s);

/* Note on which of the sockets taken over TLS is spoken or a PROXY header comes
 * first, which a socket itself does not know: as the options say of its
 * address. */
void supervisor_mark_tls_listeners(struct supervisor *s);

/* exec.c */

/* Start a restart, or an upgrade: see whether the program on disk would start. */
void supervisor_try_program(struct supervisor *s, bool upgrade);

/* End a trial that has had its time. */
void supervisor_end_trial(struct supervisor *s);

/* The trial has ended, with this waitpid(2) status: drain, or go on. */
void supervisor_trial_ended(struct supervisor *s, int wait_status);

/* Become the program on disk.  Returns only if that failed, having told. */
void supervisor_exec(struct supervisor *s);

/* pass_on.c */

/* Have all live on over execve(2) that the next program gets, and tell it which is
 * which; or not, after all. */
void supervisor_pass_on(struct supervisor *s, const struct handover_kept *kept);
void supervisor_keep_back(
    struct supervisor *s, const struct handover_kept *kept);

/* The pipe ends with us: what the next program says before it has one of its own
 * goes to the file. */
void supervisor_let_go_of_log(struct supervisor *s);

/* In the child: become the program on disk, as the nursery of a move. */
_Noreturn void supervisor_become_nursery(struct supervisor *s);

/* Become the program whose workers serve in the new segment. */
_Noreturn void supervisor_exec_moved(struct supervisor *s);

#endif
