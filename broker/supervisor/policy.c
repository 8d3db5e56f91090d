/* SPDX-License-Identifier: MIT */
/* policy.c - see policy.h. */

#include "broker/supervisor/policy.h"

#include "broker/shared/stop_point.h"

#include <string.h>

void
watchdog_init(struct watchdog *watchdog)
{
	memset(watchdog, 0, sizeof(*watchdog));
}

/* Whether a worker runs on this slot. */
static bool
watchdog_runs(const struct layout_worker *worker)
{
	switch ((enum worker_state)atomic_load_explicit(
	    &worker->state, memory_order_acquire)) {
	case WORKER_STARTING:
	case WORKER_READY:
	case WORKER_STOPPED:
		return true;
	case WORKER_NONE:
	case WORKER_GONE:
		break;
	}
	return false;
}

/* Look at one beat.  Returns how many looks it has stood still. */
static unsigned
watchdog_look_at_beat(struct watchdog *watchdog,
    const struct layout_worker *worker, unsigned slot)
{
	uint64_t beat =
	    atomic_load_explicit(&worker->beat, memory_order_relaxed);

	if (beat != watchdog->beat[slot]) {
		watchdog->beat[slot] = beat;
		watchdog->still[slot] = 0;
		return 0;
	}
	return ++watchdog->still[slot];
}

void
watchdog_look(struct watchdog *watchdog, const struct segment *seg,
    unsigned workers, enum watchdog_verdict verdict[LAYOUT_WORKERS])
{
	uint64_t owner =
	    atomic_load_explicit(&seg->header->owner, memory_order_relaxed);
	bool held = owner != 0 && owner == watchdog->owner;

	for (unsigned slot = 0; slot < workers; slot++) {
		const struct layout_worker *worker = &seg->workers[slot];

		verdict[slot] = WATCHDOG_FINE;
		if (!watchdog_runs(worker))
			continue;
		if (watchdog_look_at_beat(watchdog, worker, slot) >=
		    WATCHDOG_STILL_MAX)
			verdict[slot] = WATCHDOG_SILENT;
		if (held && layout_owner_slot(owner) == slot &&
		    owner != watchdog->died_in[slot])
			verdict[slot] = WATCHDOG_HOLDS;
	}
	watchdog->owner = owner;
}

bool
watchdog_bury(
    struct watchdog *watchdog, const struct segment *seg, unsigned slot)
{
	/* Look at the owner first: the next holder of the lock names the dead
	 * one before it signs itself, so one of the two words names the
	 * slot. */
	uint64_t owner =
	    atomic_load_explicit(&seg->header->owner, memory_order_acquire);
	uint64_t word;
	bool held;

	stop_point_here(seg->header, STOP_BURYING);
	word = atomic_load_explicit(
	    &seg->workers[slot].died_in, memory_order_relaxed);
	if (word == 0 || word == watchdog->died_in[slot])
		word = owner;
	held =
	    layout_owner_slot(word) == slot && word != watchdog->died_in[slot];
	watchdog->still[slot] = 0;
	if (held)
		watchdog->died_in[slot] = word;
	return held;
}

uint64_t
backoff_ms(unsigned deaths)
{
	uint64_t ms = 50;

	if (deaths <= 1)
		return 0;
	for (; deaths > 2 && ms < BACKOFF_MAX_MS; deaths--)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

bool
lock_deaths_add(struct lock_deaths *deaths, uint64_t now_ms)
{
	unsigned at = deaths->count++ % LOCK_DEATHS_MAX;
	unsigned oldest = deaths->count % LOCK_DEATHS_MAX;

	deaths->at_ms[at] = now_ms;
	if (deaths->count < LOCK_DEATHS_MAX ||
	    now_ms - deaths->at_ms[oldest] > LOCK_DEATHS_SPAN_MS)
		return false;
	deaths->count = 0;
	return true;
}
