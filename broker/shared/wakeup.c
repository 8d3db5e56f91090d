/* SPDX-License-Identifier: MIT */
/* wakeup.c - ring, answer, fall asleep; see wakeup.h. */

#include "broker/shared/wakeup.h"

#include "broker/shared/stop_point.h"
#include "common/bug.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool
wakeup_open(struct wakeup *wakeup, struct segment *seg, unsigned n)
{
	CHECK(n >= 1 && n <= LAYOUT_WORKERS);
	memset(wakeup, 0, sizeof(*wakeup));
	wakeup->seg = seg;
	for (unsigned i = 0; i < n; i++) {
		wakeup->fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (wakeup->fd[i] == -1) {
			int err = errno;

			wakeup_close(wakeup);
			errno = err;
			return false;
		}
		wakeup->count++;
	}
	return true;
}

void
wakeup_adopt(
    struct wakeup *wakeup, struct segment *seg, const int *fds, unsigned n)
{
	CHECK(n >= 1 && n <= LAYOUT_WORKERS);
	memset(wakeup, 0, sizeof(*wakeup));
	wakeup->seg = seg;
	wakeup->count = n;
	memcpy(wakeup->fd, fds, n * sizeof(*fds));
}

void
wakeup_close(struct wakeup *wakeup)
{
	while (wakeup->count > 0)
		close(wakeup->fd[--wakeup->count]);
}

void
wakeup_claim_slot(struct wakeup *wakeup, unsigned self)
{
	CHECK(self < wakeup->count);
	wakeup->self = self;
	memset(wakeup->woke, 0, sizeof(wakeup->woke));
	wakeup_get_up(wakeup);
}

void
wakeup_ring_fd(int doorbell)
{
	uint64_t one = 1;
	ssize_t n = write(doorbell, &one, sizeof(one));

	(void)n; /* full: it has been rung often enough */
}

void
wakeup_ring(const struct wakeup *wakeup, unsigned slot)
{
	wakeup_ring_fd(wakeup->fd[slot]);
}

void
wakeup_ring_all(const struct wakeup *wakeup)
{
	for (unsigned i = 0; i < wakeup->count; i++)
		wakeup_ring(wakeup, i);
}

void
wakeup_clear(const struct wakeup *wakeup)
{
	uint64_t rings;
	/* sleep-6: after the wait, before the turn looks for work */
	ssize_t n = read(wakeup->fd[wakeup->self], &rings, sizeof(rings));

	(void)n; /* was silent already */
	stop_point_here(wakeup->seg->header, STOP_SILENCED);
}

void
wakeup_fall_asleep(struct wakeup *wakeup)
{
	_Atomic uint64_t *at = &wakeup->seg->workers[wakeup->self].sleeping;
	uint64_t value = atomic_load_explicit(at, memory_order_relaxed);

	/* sleep-1: first say so, then look at the head */
	atomic_store_explicit(at, value | 1, memory_order_relaxed);
	/* sleep-2: the other half of this fence is in ring_interest() */
	atomic_thread_fence(memory_order_seq_cst);
	stop_point_here(wakeup->seg->header, STOP_ASLEEP);
}

void
wakeup_get_up(struct wakeup *wakeup)
{
	_Atomic uint64_t *at = &wakeup->seg->workers[wakeup->self].sleeping;
	uint64_t value = atomic_load_explicit(at, memory_order_relaxed);

	/* sleep-5: a new value, so that publishers ring again */
	if (value & 1)
		atomic_store_explicit(at, value + 1, memory_order_relaxed);
}

unsigned
wakeup_wake(struct wakeup *wakeup, uint64_t who)
{
	unsigned rung = 0;

	who &= ~(UINT64_C(1) << wakeup->self);
	while (who != 0) {
		unsigned slot = (unsigned)__builtin_ctzll(who);
		uint64_t value;

		who &= who - 1;
		if (slot >= wakeup->count)
			continue;
		/* wake-3: remember the value, not only whether it sleeps */
		value = atomic_load_explicit(
		    &wakeup->seg->workers[slot].sleeping, memory_order_relaxed);
		if (!(value & 1) || wakeup->woke[slot] == value)
			continue;
		wakeup->woke[slot] = value;
		/* wake-4: if this worker dies before it, the supervisor
		 * rings */
		wakeup_ring(wakeup, slot);
		rung++;
		stop_point_here(wakeup->seg->header, STOP_HALF_WOKEN);
	}
	return rung;
}
