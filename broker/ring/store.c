/* SPDX-License-Identifier: MIT */
/* store.c - see store.h. */

#include "broker/ring/store.h"

#include "broker/ring/members.h"
#include "broker/ring/ring.h"
#include "broker/shared/lock.h"
#include "broker/shared/questions.h"
#include "broker/shared/stop_point.h"
#include "common/clock.h"

#include <string.h>
#include <unistd.h>

/* Fill the parts of a segment that was just laid out, and finish it. */
static void
store_make_ready(struct segment *seg)
{
	struct layout_header *h = seg->header;

	lock_make(h);
	atomic_store(&h->reserve, ring_first(seg));
	atomic_store(&h->applied, ring_first(seg));
	atomic_store(&h->head, ring_first(seg));
	h->members.pieces_left = seg->pieces_max;
	segment_finish(seg);
}

void
store_format(struct segment *seg, void *base, const struct segment_shape *shape)
{
	segment_lay_out(seg, base, shape);
	store_make_ready(seg);
}

bool
store_create(struct segment *seg, const char *name,
    const struct segment_shape *shape, int *claim,
    char error[SEGMENT_ERROR_MAX])
{
	if (!segment_create(seg, name, shape, claim, error))
		return false;
	store_make_ready(seg);
	return true;
}

bool
store_create_next(struct segment *seg, int fd, const char *name,
    const struct segment_shape *shape, char error[SEGMENT_ERROR_MAX])
{
	if (!segment_make(seg, fd, name, shape, error))
		return false;
	if (!segment_fill(seg, fd, name, error)) {
		segment_close(seg);
		return false;
	}
	store_make_ready(seg);
	return true;
}

/* Nobody of the last run has, or is in, anything. */
static void
store_forget_run(struct segment *seg)
{
	memset(seg->subscribers, 0,
	    (size_t)LAYOUT_WORKERS * seg->topics_max *
		sizeof(*seg->subscribers));
	for (uint32_t slot = 0; slot < seg->topics_max; slot++)
		atomic_store(&seg->topics[slot].interest, 0);
	for (uint32_t i = 0; i * 64 < seg->topics_max; i++)
		atomic_store(&seg->busy[i], 0);
	for (uint32_t i = 0; i < seg->questions_max; i++)
		questions_leave(seg, i);
	member_table_begin_run(seg, clock_monotonic_ms() + MEMBERS_RETURN_MS);
}

void
store_begin_run(struct segment *seg, unsigned workers, uint32_t drain_ms)
{
	struct layout_header *h = seg->header;

	lock_make(h);
	memset(seg->workers, 0, LAYOUT_WORKERS * sizeof(*seg->workers));
	/* Before the first run it is all zeros, and perhaps not in memory yet. */
	if (atomic_load(&h->run.id) != 0)
		store_forget_run(seg);
	atomic_store(&h->following, 0);
	stop_point_here(h, STOP_RUN_HALF_BEGUN);
	atomic_store(&h->sealed, 0);
	atomic_store(&h->owner, 0);
	atomic_store(&h->stop_point_arm, 0);

	atomic_store(&h->run.ready, 0);
	atomic_store(&h->run.kept, 0);
	atomic_store(&h->run.order, RUN_SERVE);
	atomic_store(&h->run.order_ms, 0);
	atomic_store(&h->run.workers, workers);
	atomic_store(&h->run.drain_ms, drain_ms);
	atomic_store(&h->run.deaths, 0);
	atomic_store(&h->run.lock_deaths, 0);
	atomic_store(&h->run.watchdog_kills, 0);
	atomic_store(&h->run.respawns, 0);
	atomic_store(&h->run.returning, h->run.leaving);
	h->run.leaving = 0;
	atomic_store(&h->run.started_ms, clock_monotonic_ms());
	atomic_store(&h->run.started_at, clock_wall_ms());
	atomic_store(&h->run.supervisor, (int32_t)getpid());
	atomic_fetch_add(&h->run.id, 1);
}
