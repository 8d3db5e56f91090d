/* SPDX-License-Identifier: MIT */
/*
 * policy.h - when to kill, when to start again, when to give up.
 *
 * The supervisor's decisions without its deeds: nothing here knows a process or
 * a clock, so each is tested with numbers.
 */

#ifndef BROKER_SUPERVISOR_POLICY_H
#define BROKER_SUPERVISOR_POLICY_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds from one look of the watchdog to the next. */
#define WATCHDOG_LOOK_MS 1000

/* Looks in a row at which a beat stood still: the worker hangs. */
#define WATCHDOG_STILL_MAX 5

/* The watchdog's findings at its last look. */
struct watchdog {
	uint64_t owner;                   /* the lock's owner word */
	uint64_t died_in[LAYOUT_WORKERS]; /* owner word of the last holding that
	                                   * ended with the slot's death */
	uint64_t beat[LAYOUT_WORKERS];
	unsigned still[LAYOUT_WORKERS]; /* looks since the beat moved */
};

enum watchdog_verdict {
	WATCHDOG_FINE = 0,
	WATCHDOG_HOLDS,  /* has had the lock since the last look, as one holding
	                  */
	WATCHDOG_SILENT, /* has not beaten for WATCHDOG_STILL_MAX looks */
};

/* Start afresh, for a new run.  */
void watchdog_init(struct watchdog *watchdog);

/*
 * Look once at all workers of the segment and judge each.  Looks are counted,
 * not timed: if the supervisor itself was stopped meanwhile, the workers are
 * not to blame, and a late look counts once.
 */
void watchdog_look(struct watchdog *watchdog, const struct segment *seg,
    unsigned workers, enum watchdog_verdict verdict[LAYOUT_WORKERS]);

/*
 * A worker is dead.  What it left in the owner word is not its successor's.
 * Returns whether it held the lock.
 */
bool watchdog_bury(
    struct watchdog *watchdog, const struct segment *seg, unsigned slot);

/* Milliseconds to wait before a slot is started again after so many deaths in a
 * row (1, 2, ...): 0, 50, 100, 200 and so on, at most BACKOFF_MAX_MS. */
#define BACKOFF_MAX_MS 1000
uint64_t backoff_ms(unsigned deaths);

/* A worker that lived this long is in good health: its death is the first. */
#define BACKOFF_HEALTHY_MS 10000

/* So many deaths with the lock held within so long: the ring itself is taken to
 * be broken. */
#define LOCK_DEATHS_MAX     3
#define LOCK_DEATHS_SPAN_MS 10000

struct lock_deaths {
	uint64_t at_ms[LOCK_DEATHS_MAX];
	unsigned count; /* ever */
};

/* Note one more.  Returns whether it is time to give the ring up; then the
 * count starts anew. */
bool lock_deaths_add(struct lock_deaths *deaths, uint64_t now_ms);

#endif
