/* SPDX-License-Identifier: MIT */
/* take_over_move.c - see take_over_move.h. */

#include "worker/take_over_move.h"

#include "broker/ring/topics_floor.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "worker/handover/conn_restore.h"
#include "worker/requests/caller.h"
#include "worker/state.h"

#include <poll.h>
#include <time.h>

/* How often the page is looked at anyway, milliseconds. */
#define TAKE_OVER_LOOK_MS 250

/* How soon the ring's lock is tried again. */
static const struct timespec take_over_retry = { .tv_nsec = 1000000 };

/* Whether the predecessor has another segment, and with it another slot. */
bool
take_over_moves(const struct worker *w)
{
	return w->args->move != NULL;
}

static struct layout_worker *
take_over_move_slot(const struct worker *w)
{
	return &w->hub.seg->workers[w->hub.slot];
}

/* Have the ring's lock.  The watchdog ends who holds it for too long. */
void
take_over_lock(struct worker *w)
{
	while (ring_lock(&w->hub.ring) == RING_BUSY) {
		atomic_fetch_add_explicit(
		    &take_over_move_slot(w)->beat, 1, memory_order_relaxed);
		nanosleep(&take_over_retry, NULL);
	}
}

/* Numbers go on above all that the ring before has given: a client that does not
 * understand that it has come to another would take lower ones for messages that it
 * has had. */
void
take_over_floor(struct worker *w)
{
	uint64_t floor = atomic_load(&w->args->move->floor);

	take_over_lock(w);
	topics_raise_floor(w->hub.seg, floor);
	ring_unlock(&w->hub.ring);
}

/* Wait until it is decided that all go on in the other segment, and that has the
 * name.  Without a supervisor the former is enough. */
bool
take_over_await_move(struct worker *w)
{
	struct pollfd fds[] = {
		{ .fd = w->args->supervisor_fd, .events = POLLIN },
		{ .fd = w->hub.wakeup->fd[w->hub.slot], .events = POLLIN },
	};
	struct upgrade_page *page = w->args->move;
	bool is_orphan = false;

	while (move_state(page, w->take_over.move) != MOVE_GRANTED) {
		if (move_state(page, w->take_over.move) == MOVE_OFF ||
		    is_orphan)
			return move_is_decided(page, w->take_over.move);
		poll(fds, 2, TAKE_OVER_LOOK_MS);
		is_orphan = fds[0].revents != 0;
		if (fds[1].revents != 0)
			wakeup_clear(w->hub.wakeup);
	}
	return true;
}

/* The connections are ours: go on with them in the new ring. */
void
take_over_go_on(struct worker *w)
{
	struct layout_worker *self = take_over_move_slot(w);

	stop_point_here(w->hub.seg->header, STOP_GRANTED);
	stop_point_use(NULL, NULL);
	stats_add(&w->net.stats, STATS_HANDED_OVER, w->net.conns.count);
	w->net.more = true;
	caller_hold_to_rules(&w->hub);
	conn_restore_tell(&w->hub);
	conn_restore_go_on(&w->net);
	succession_step(self, SUCCESSION_REBUILT, SUCCESSION_NONE);
}
