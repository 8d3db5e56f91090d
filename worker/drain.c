/* SPDX-License-Identifier: MIT */
/* drain.c - see drain.h. */

#include "worker/drain.h"

#include "broker/shared/stop_point.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/ws.h"
#include "worker/http/http_conn.h"
#include "worker/state.h"

/* How often an unfinished drain looks around, seconds. */
#define DRAIN_TICK_S 0.001

static void
drain_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop; /* the turn's end does the work */
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
	const struct protocol *protocol = conn_protocol(c);
	uint64_t now = clock_monotonic_ms();
	uint64_t left = w->drain.until_ms > now ? w->drain.until_ms - now : 0;

	if (protocol->drain != NULL)
		protocol->drain(c, left * DRAIN_CLOSE_PERCENT / 100,
		    DRAIN_RETRY_MS + w->conns.count / DRAIN_CLOSES_PER_MS);
}

/* 1. Stop reading what could be published. */
static void
drain_begin(struct worker *w, unsigned code, uint64_t began_ms)
{
	struct drain *d = &w->drain;
	struct conn *c;

	/* seal-1: nothing more is read that would be published */
	d->phase = DRAIN_STOP;
	d->code = code;
	d->began_ms = began_ms;
	d->until_ms = began_ms + w->config->drain_ms;
	d->newcomers = w->conns.numbered;
	d->commits = w->intake.commits;
	LIST_FOREACH(c, &w->conns.living, link)
		if (c->state == CONN_WS)
			drain_tell(w, c);
	ev_timer_start(w->loop, &d->tick);
	log_info("draining %u connections", w->conns.count);
	stop_point_here(w->seg->header, STOP_DRAIN_BEGUN);
}

void
drain_orphaned(struct worker *w)
{
	acceptors_close(w, true);
	w->drain.orphaned = true;
	if (drain_begun(&w->drain))
		return;
	log_warnx("the supervisor died");
	drain_begin(w, WS_CODE_GOING_AWAY, clock_monotonic_ms());
}

static void
drain_read_order(struct worker *w)
{
	struct layout_header *h = w->seg->header;

	switch ((enum run_order)atomic_load_explicit(
	    &h->run.order, memory_order_acquire)) {
	case RUN_SERVE:
		break;
	case RUN_DRAIN:
		if (!drain_begun(&w->drain))
			drain_begin(w, WS_CODE_GOING_AWAY,
			    atomic_load(&h->run.order_ms));
		break;
	case RUN_DRAIN_RESTART:
		if (!drain_begun(&w->drain))
			drain_begin(
			    w, WS_CODE_RESTART, atomic_load(&h->run.order_ms));
		break;
	case RUN_QUIT:
		w->drain.at_once = true;
		break;
	}
}

/* Whether what was read before the drain has been done.  What has come since
 * need not be waited for: publishes among it are refused, and of questions
 * there may be no end. */
static bool
drain_has_done_all(const struct worker *w)
{
	return intake_empty(&w->intake) || w->intake.commits > w->drain.commits;
}

/* What was read is in the ring: say that nothing more comes from here. */
static void
drain_say_stopped(struct worker *w)
{
	/* seal-2: the last commit of what was read is behind us */
	worker_set_state(w->args, WORKER_STOPPED);
	stop_point_here(w->seg->header, STOP_DRAIN_STOPPED);
	/* seal-3: they may be waiting for us */
	wakeup_ring_all(w->wakeup);
	w->drain.phase = DRAIN_SETTLE;
}

/* Whether a worker is dead.  Who has a supervisor hears it from there. */
static bool
drain_is_dead(const struct worker *w, unsigned slot, uint32_t state)
{
	if (state == WORKER_NONE || state == WORKER_GONE)
		return true;
	return w->drain.orphaned && slot != w->slot &&
	       !worker_lives(w->args, slot);
}

/* Whether every worker, as far as it lives, has come to this state. */
static bool
drain_all_are(const struct worker *w, enum worker_state wanted)
{
	unsigned n = segment_workers(w->seg);

	for (unsigned i = 0; i < n; i++) {
		uint32_t state = atomic_load_explicit(
		    &w->seg->workers[i].state, memory_order_acquire);

		if (state < (uint32_t)wanted && !drain_is_dead(w, i, state))
			return false;
	}
	return true;
}

/* 2. Seal the ring; what is in it now is all there will ever be. */
static void
drain_seal(struct worker *w)
{
	struct drain *d = &w->drain;
	uint64_t half = d->began_ms + (d->until_ms - d->began_ms) / 2;

	/* seal-4: so that nothing that was read has to be refused */
	if (!drain_all_are(w, WORKER_STOPPED) && clock_monotonic_ms() < half)
		return;
	if (ring_lock(&w->ring) == RING_BUSY)
		return;
	/* seal-5: whoever has the lock after us publishes nothing */
	ring_seal(&w->ring);
	ring_unlock(&w->ring);
	/* seal-6: so this is the last there will be */
	d->final_head = ring_head(w->seg);
	d->sealed = true;
	w->more = true;
}

/* Everything is with its connection's socket or queue. */
static bool
drain_settled(const struct worker *w)
{
	/* Who resumes may be slow, and knows where it was: half of the time. */
	if (w->replays.count > 0 &&
	    clock_monotonic_ms() < (w->drain.began_ms + w->drain.until_ms) / 2)
		return false;
	return w->drain.sealed &&
	       (w->subs.topics == 0 || tail_reached(w, w->drain.final_head)) &&
	       w->outbox.runs_count == 0; /* answers and files come in order */
}

/* Whether nothing has come from it for so long that nothing will. */
static bool
drain_is_silent(const struct worker *w, const struct conn *c)
{
	return w->wheel.now - c->last_heard_tick >= wheel_ticks(DRAIN_ASK_MS);
}

/* It has just come, been answered or sent a part of a head: it may be about to
 * ask something, and then the answer is 503.  Not for as long as it likes. */
static bool
drain_may_ask(const struct worker *w, const struct conn *c)
{
	const struct drain *d = &w->drain;
	uint64_t until = DRAIN_ASK_MS +
	                 (c->number <= d->newcomers ? d->began_ms : d->last_ms);

	if (c->state != CONN_HTTP || c->part.api != NULL ||
	    drain_is_silent(w, c))
		return false;
	return (c->number > d->newcomers && d->phase < DRAIN_LAST) ||
	       clock_monotonic_ms() < until;
}

/* Close one connection that is still in use.  Returns whether it was. */
static bool
drain_close_conn(struct worker *w, struct conn *c)
{
	switch ((enum conn_state)c->state) {
	case CONN_WS:
		conn_close(c, w->drain.code,
		    w->drain.code == WS_CODE_RESTART ? "the server restarts"
						     : "the server goes away");
		return true;
	case CONN_EVENTS:
	case CONN_HTTP:
	case CONN_BODY:
		http_conn_go_away(c);
		return true;
	case CONN_LINGER:
		/* HTTP knows no word for "closed, too"; and there is nothing
		 * unread that would make a reset of it. */
		if (!c->upgraded && drain_is_silent(w, c)) {
			c->peer_closed_cleanly = true;
			conn_abort(c);
		}
		break;
	case CONN_FILE: /* ends by itself, or at the deadline */
	case CONN_CLOSING:
	case CONN_DEAD:
		break;
	}
	return false;
}

/* How many may be closed in this turn: a pace, but done in time.  A turn takes
 * far less than a millisecond, so each of these is given out once. */
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
	if (w->conns.count / (last - now) > DRAIN_CLOSES_PER_MS)
		return w->conns.count / (last - now) + 1;
	return DRAIN_CLOSES_PER_MS;
}

/* 3.  Returns whether anybody is left who was there when it began. */
static bool
drain_close_some(struct worker *w)
{
	uint64_t left = drain_pace(w);
	struct conn *c, *next;
	bool old_ones = false;

	for (c = LIST_FIRST(&w->conns.living); c != NULL && left > 0;
	     c = next) {
		next = LIST_NEXT(c, link);
		if (!drain_may_ask(w, c) && drain_close_conn(w, c))
			left--;
		if (c->number <= w->drain.newcomers)
			old_ones = true;
	}
	return old_ones || left == 0;
}

/* 4. */
static void
drain_say_drained(struct worker *w)
{
	worker_set_state(w->args, WORKER_DRAINED);
	w->drain.phase = DRAIN_WAIT;
}

/* 5.  Or newcomers could go on for ever.  Whoever comes now waits in the
 * socket's queue; after a restart there will be somebody to serve it. */
static void
drain_let_nobody_in(struct worker *w)
{
	acceptors_close(w, false);
	w->drain.last_ms = clock_monotonic_ms();
	w->drain.phase = DRAIN_LAST;
}

/* 6. */
static void
drain_leave(struct worker *w)
{
	struct conn *c;
	uint64_t cut = 0;

	LIST_FOREACH(c, &w->conns.living, link)
		cut++;
	stats_add(&w->stats, STATS_CUT, cut);
	w->drain.phase = DRAIN_OUT;
	ev_break(w->loop, EVBREAK_ALL);
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
	if (d->phase == DRAIN_SETTLE && drain_settled(w)) {
		stop_point_here(w->seg->header, STOP_DRAIN_SETTLED);
		d->phase = DRAIN_CLOSE;
	}
	if (d->phase >= DRAIN_CLOSE && !drain_close_some(w) &&
	    d->phase == DRAIN_CLOSE)
		drain_say_drained(w);
	if (d->phase == DRAIN_WAIT && drain_all_are(w, WORKER_DRAINED))
		drain_let_nobody_in(w);
	if (d->at_once || (d->phase == DRAIN_LAST && w->conns.count == 0) ||
	    (d->phase != DRAIN_NOT && clock_monotonic_ms() >= d->until_ms))
		drain_leave(w);
}

void
drain_conn_gone(struct worker *w, bool clean)
{
	if (drain_begun(&w->drain) && clean)
		stats_add(&w->stats, STATS_CLOSED_CLEANLY, 1);
}
