/* SPDX-License-Identifier: MIT */
/* moving.c - see moving.h. */

#include "worker/moving.h"

#include "broker/ring/topics_floor.h"
#include "broker/shared/upgrade_page.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/delivery/tail.h"
#include "worker/state.h"

#include <unistd.h>

/* How long one that is at rest waits for the others, beyond what their
 * connections may take to come to rest, twice; milliseconds.  Longer than the
 * supervisor waits, who calls it off. */
#define MOVING_PATIENCE_MS 10000

bool
moving_is(const struct worker *w)
{
	return w->hand_over.page != NULL;
}

bool
moving_begin(struct worker *w, int page)
{
	struct hand_over *h = &w->hand_over;

	h->page = upgrade_page_map(page, true);
	close(page);
	if (h->page == NULL) {
		log_warnx("asked to move, but by nobody who says where that is "
			  "decided");
		return false;
	}
	h->move = move_number(h->page);
	h->quiet_until_ms = 0;
	if (move_state(h->page, h->move) == MOVE_OPEN)
		return true;
	moving_end(w);
	return false;
}

void
moving_end(struct worker *w)
{
	struct hand_over *h = &w->hand_over;

	if (h->page == NULL)
		return;
	move_call_off(h->page, h->move);
	upgrade_page_close(h->page);
	h->page = NULL;
}

/* Whether it has waited too long for the others. */
static bool
moving_is_late(struct worker *w)
{
	const struct hand_over *h = &w->hand_over;

	return h->quiet_until_ms != 0 &&
	       clock_monotonic_ms() >= h->quiet_until_ms;
}

bool
moving_is_off(struct worker *w)
{
	const struct hand_over *h = &w->hand_over;

	return h->page != NULL &&
	       (move_state(h->page, h->move) == MOVE_OFF || moving_is_late(w));
}

/* Say that nothing is taken here any more. */
static void
moving_be_quiet(struct worker *w)
{
	struct hand_over *h = &w->hand_over;

	if (h->quiet_until_ms != 0)
		return;
	h->quiet_until_ms = clock_monotonic_ms() + MOVING_PATIENCE_MS +
	                    2 * (uint64_t)w->config.handover_ms;
	atomic_fetch_or(&h->page->quiet, UINT64_C(1) << w->hub.slot);
}

/* Whether all that can be delivered is: what is left of replays waits for sockets
 * that take no more. */
static bool
moving_has_delivered(const struct worker *w)
{
	return (!hub_follows(&w->hub) ||
		   tail_reached(&w->hub, ring_head(w->hub.seg))) &&
	       TAILQ_EMPTY(&w->replays.ready);
}

bool
moving_may_freeze(struct worker *w)
{
	if (w->hand_over.page == NULL)
		return true;
	moving_be_quiet(w);
	return move_all_quiet(w->hand_over.page) && moving_has_delivered(w);
}

void
moving_note_floor(struct worker *w)
{
	if (w->hand_over.page != NULL)
		atomic_store(
		    &w->hand_over.page->floor, topics_highest(w->hub.seg));
}

bool
moving_is_decided(const struct worker *w)
{
	const struct hand_over *h = &w->hand_over;

	return h->page != NULL && move_is_decided(h->page, h->move);
}

bool
moving_call_off(struct worker *w)
{
	return move_call_off(w->hand_over.page, w->hand_over.move);
}
