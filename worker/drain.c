/* SPDX-License-Identifier: MIT */
/* drain.c - see drain.h. */

#include "worker/drain.h"

#include "broker/shared/stop_point.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/ws.h"
#include "worker/http/http_conn.h"
#include "worker/requests/waiting.h"
#include "worker/state.h"

/* How often an unfinished drain looks around, seconds. */
#define DRAIN_TICK_S 0.001

static void
drain_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop; /* turn_end() does the work */
	(void)timer;
	(void)revents;
}

void
drain_init(struct drain *drain)
{
	*drain = (struct drain){ .phase = DRAIN_NOT };
	ev_timer_init(&drain->tick, drain_tick_cb, DRAIN_TICK_S, DRAIN_TICK_S);
}

/* How long it has, and when to come back, the more of them the later. */
static void
drain_tell(struct worker *w, struct conn *c)
{
	uint64_t now = clock_monotonic_ms();
	uint64_t left = w->drain.until_ms > now ? w->drain.until_ms - now : 0;

	if (c->state == CONN_OPEN && c->handler->drain != NULL)
		c->handler->drain(c, left * DRAIN_CLOSE_PERCENT / 100,
		    DRAIN_RETRY_MS + w->net.conns.count / DRAIN_CLOSES_PER_MS);
}

/* 1. Stop reading messages. */
static void
drain_begin(struct worker *w, unsigned code, uint64_t began_ms)
{
	struct drain *d = &w->drain;
	struct conn *c;

	/* seal-1: no more messages are read */
	d->phase = DRAIN_STOP;
	d->code = code;
	d->began_ms = began_ms;
	d->until_ms = began_ms + w->net.config->drain_ms;
	d->commits = w->intake.commits;
	w->net.draining = true;
	LIST_FOREACH(c, &w->net.conns.living, link)
		drain_tell(w, c);
	ev_timer_start(w->net.loop, &d->tick);
	log_info("draining %u connections", w->net.conns.count);
	stop_point_here(w->hub.seg->header, STOP_DRAIN_BEGUN);
}

void
drain_orphaned(struct worker *w)
{
	acceptors_close(&w->acceptors);
	w->drain.orphaned = true;
	if (w->net.draining)
		return;
	log_warnx("the supervisor died");
	drain_begin(w, WS_CODE_GOING_AWAY, clock_monotonic_ms());
}

bool
drain_is_final(const struct worker *w)
{
	return w->net.draining && w->drain.code != WS_CODE_RESTART;
}

static void
drain_read_order(struct worker *w)
{
	struct layout_header *h = w->hub.seg->header;

	switch ((enum run_order)atomic_load_explicit(
	    &h->run.order, memory_order_acquire)) {
	case RUN_SERVE:
		break;
	case RUN_DRAIN:
		if (!w->net.draining)
			drain_begin(w, WS_CODE_GOING_AWAY,
			    atomic_load(&h->run.order_ms));
		break;
	case RUN_DRAIN_RESTART:
		if (!w->net.draining)
			drain_begin(
			    w, WS_CODE_RESTART, atomic_load(&h->run.order_ms));
		break;
	case RUN_QUIT:
		w->drain.at_once = true;
		break;
	}
}

/* Whether the requests that were read before the drain have been done.  Later
 * requests need not be waited for: publishes among them are refused, and
 * questions may never end. */
static bool
drain_has_done_all(const struct worker *w)
{
	uint64_t half =
	    w->drain.began_ms + (w->drain.until_ms - w->drain.began_ms) / 2;

	if (!waiting_is_empty(&w->hub) && clock_monotonic_ms() < half)
		return false; /* the cluster's log has them */
	return intake_empty(&w->intake) || w->intake.commits > w->drain.commits;
}

/* All messages that were read are in the ring: say that this worker publishes
 * no more. */
static void
drain_say_stopped(struct worker *w)
{
	/* seal-2: the last commit of messages that were read is behind us */
	worker_set_state(w->args, WORKER_STOPPED);
	stop_point_here(w->hub.seg->header, STOP_DRAIN_STOPPED);
	/* seal-3: other workers may be waiting for us */
	wakeup_ring_all(w->hub.wakeup);
	w->drain.phase = DRAIN_SETTLE;
}

/* Whether a worker is dead.  While the supervisor lives, it says so. */
static bool
drain_is_dead(const struct worker *w, unsigned slot, uint32_t state)
{
	if (state == WORKER_NONE || state == WORKER_GONE)
		return true;
	return w->drain.orphaned && slot != w->hub.slot &&
	       !worker_lives(w->args, slot);
}

/* Whether every living worker has come to this state. */
static bool
drain_all_are(const struct worker *w, enum worker_state wanted)
{
	unsigned n = segment_workers(w->hub.seg);

	for (unsigned i = 0; i < n; i++) {
		uint32_t state = atomic_load_explicit(
		    &w->hub.seg->workers[i].state, memory_order_acquire);

		if (state < (uint32_t)wanted && !drain_is_dead(w, i, state))
			return false;
	}
	return true;
}

/* 2. Seal the ring: no message can be added any more. */
static void
drain_seal(struct worker *w)
{
	struct drain *d = &w->drain;
	uint64_t half = d->began_ms + (d->until_ms - d->began_ms) / 2;

	/* seal-4: so that no message that was read has to be refused */
	if (!drain_all_are(w, WORKER_STOPPED) && clock_monotonic_ms() < half)
		return;
	if (ring_lock(&w->hub.ring) == RING_BUSY)
		return;
	/* seal-5: no later holder of the lock publishes anything */
	ring_seal(&w->hub.ring);
	ring_unlock(&w->hub.ring);
	/* seal-6: so this head is final */
	d->final_head = ring_head(w->hub.seg);
	d->sealed = true;
	w->net.more = true;
}

/* Whether every message is in the socket or the queue of its connection. */
static bool
drain_settled(const struct worker *w)
{
	/* Wait for replays for half of the time only: their clients may be
	 * slow, and can resume later. */
	if (w->replays.count > 0 &&
	    clock_monotonic_ms() < (w->drain.began_ms + w->drain.until_ms) / 2)
		return false;
	return w->drain.sealed &&
	       (!hub_follows(&w->hub) ||
		   tail_reached(&w->hub, w->drain.final_head)) &&
	       w->net.outbox.runs_count ==
	           0; /* answers and files come in order */
}

/* Whether the client has been silent for so long that no request is coming. */
static bool
drain_is_silent(const struct worker *w, const struct conn *c)
{
	return w->net.wheel.now - c->last_heard_tick >=
	       wheel_ticks(DRAIN_ASK_MS);
}

/* The client may be about to send a request: it is new, was just answered, or
 * has sent half a head.  Wait up to DRAIN_ASK_MS so that it gets an answer
 * rather than a closed socket. */
static bool
drain_may_ask(const struct worker *w, const struct conn *c)
{
	return c->state == CONN_OPEN && c->handler == &http_conn_handler &&
	       !drain_is_silent(w, c) &&
	       clock_monotonic_ms() < w->drain.closing_ms + DRAIN_ASK_MS;
}

/* Close one connection that is still in use.  Returns whether that has begun. */
static bool
drain_close_conn(struct worker *w, struct conn *c)
{
	if (drain_may_ask(w, c))
		return false;
	if (c->state == CONN_OPEN) {
		c->handler->go_away(c, w->drain.code == WS_CODE_RESTART);
		return c->state != CONN_OPEN; /* a file ends by itself */
	}
	/* HTTP has no answer to a close, and no input is unread that would make
	 * the close a reset. */
	if (c->state == CONN_LINGER && !c->upgraded && drain_is_silent(w, c)) {
		c->peer_closed_cleanly = true;
		conn_abort(c);
	}
	return false;
}

/* How many connections may be closed in this turn: at a pace, but all in time.
 * A turn takes far less than a millisecond, so each millisecond's share is
 * given out once. */
static uint64_t
drain_pace(struct worker *w)
{
	struct drain *d = &w->drain;
	uint64_t now = clock_monotonic_ms();
	uint64_t last = d->began_ms +
	                (d->until_ms - d->began_ms) * DRAIN_CLOSE_PERCENT / 100;

	if (now >= last)
		return UINT64_MAX;
	if (now == d->paced_ms)
		return 0;
	d->paced_ms = now;
	if (w->net.conns.count / (last - now) > DRAIN_CLOSES_PER_MS)
		return w->net.conns.count / (last - now) + 1;
	return DRAIN_CLOSES_PER_MS;
}

/* 3.  Nobody is let in any more: after a restart the queue is the successor's.
 * After a stop there is none, so the sockets are closed and newcomers refused
 * by the kernel.  The operator's listener stays. */
static void
drain_begin_closing(struct worker *w)
{
	stop_point_here(w->hub.seg->header, STOP_DRAIN_SETTLED);
	acceptors_leave(&w->acceptors, w->drain.code != WS_CODE_RESTART);
	w->drain.closing_ms = clock_monotonic_ms();
	w->drain.phase = DRAIN_CLOSE;
}

static void
drain_close_some(struct worker *w)
{
	uint64_t left = drain_pace(w);
	struct conn *c, *next;

	for (c = LIST_FIRST(&w->net.conns.living); c != NULL && left > 0;
	     c = next) {
		next = LIST_NEXT(c, link);
		if (drain_close_conn(w, c))
			left--;
	}
}

/* 4. */
static void
drain_leave(struct worker *w)
{
	struct conn *c;
	uint64_t cut = 0;

	LIST_FOREACH(c, &w->net.conns.living, link)
		cut++;
	stats_add(&w->net.stats, STATS_CUT, cut);
	w->drain.phase = DRAIN_OUT;
	ev_break(w->net.loop, EVBREAK_ALL);
}

void
drain_step(struct worker *w)
{
	struct drain *d = &w->drain;

	drain_read_order(w);
	if (d->phase == DRAIN_STOP && drain_has_done_all(w))
		drain_say_stopped(w);
	if (d->phase == DRAIN_SETTLE && !d->sealed)
		drain_seal(w);
	if (d->phase == DRAIN_SETTLE && drain_settled(w))
		drain_begin_closing(w);
	if (d->phase == DRAIN_CLOSE)
		drain_close_some(w);
	if (d->at_once ||
	    (d->phase == DRAIN_CLOSE && w->net.conns.count == 0) ||
	    (d->phase != DRAIN_NOT && clock_monotonic_ms() >= d->until_ms))
		drain_leave(w);
}
