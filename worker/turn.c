/* SPDX-License-Identifier: MIT */
/*
 * turn.c - see turn.h.
 *
 * The callbacks of a turn only collect; its work is done in turn_end(), a
 * prepare watcher, the last thing before the loop waits.  To be called again
 * soon we ring our own doorbell: an event fed to oneself would run before libev
 * looks at any other descriptor.
 */

#include "worker/turn.h"

#include "broker/shared/wakeup.h"
#include "common/container.h"
#include "worker/delivery/subscribe.h"
#include "worker/net/conns.h"
#include "worker/net/flush.h"
#include "worker/requests/commit.h"
#include "worker/requests/inquiry.h"
#include "worker/requests/waiting.h"
#include "worker/answering.h"
#include "worker/drain.h"
#include "worker/hand_over.h"
#include "worker/reload.h"
#include "worker/operator_ask.h"
#include "worker/state.h"

void
turn_end(struct worker *w)
{
	struct net *net = &w->net;
	struct hub *hub = &w->hub;
	uint64_t head;

	net->more = false;
	stats_add(&net->stats, STATS_TURNS, 1);
	inquiries_turn(hub);
	api_lists_turn(hub);
	waiting_turn(hub);
	commit_turn(hub);
	drain_step(w);
	tail_turn(hub);
	if (waiting_is_ready(hub))
		net->more = true;
	replays_turn(hub);
	paces_turn(hub);
	if (asked_may_be(&w->asked, hub->seg))
		answering_turn(w);
	operator_asks_turn(w);
	flush_turn(net);
	subscribe_end_noted(hub);
	latency_settle(hub);
	if (conns_sweep(net))
		acceptors_descriptors_freed(&w->acceptors);
	hand_over_step(w);
	/* A connection that was resumed by its output has been read on. */
	if (!intake_empty(&w->intake) && !ev_is_active(&w->intake.retry))
		net->more = true;

	/* Publishers skip the doorbell of an awake worker.  Mark ourselves
	 * asleep first, then look at head again, or a message published in
	 * between would not wake us. */
	head = w->tail.cursor.pos;
	wakeup_fall_asleep(hub->wakeup);
	/* sleep-3: the look */
	if (net->more || (hub_follows(hub) && ring_head(hub->seg) != head))
		/* sleep-4: no wait then */
		wakeup_ring(hub->wakeup, hub->slot);
}

static void
turn_end_cb(struct ev_loop *loop, ev_prepare *prepare, int revents)
{
	(void)loop;
	(void)revents;
	turn_end(container_of(prepare, struct worker, before_wait));
}

/* Called first after the wait. */
static void
turn_begin_cb(struct ev_loop *loop, ev_check *check, int revents)
{
	struct worker *w = container_of(check, struct worker, after_wait);

	(void)loop;
	(void)revents;
	wakeup_get_up(w->hub.wakeup);
	reload_turn(w);
}

/* Clear the doorbell before the turn's work: a message published after that
 * rings it again. */
static void
turn_doorbell_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct worker *w = container_of(io, struct worker, doorbell);

	(void)loop;
	(void)revents;
	wakeup_clear(w->hub.wakeup);
}

void
turn_watch(struct worker *w)
{
	struct ev_loop *loop = w->net.loop;

	ev_prepare_init(&w->before_wait, turn_end_cb);
	ev_set_priority(&w->before_wait, EV_MINPRI);
	ev_prepare_start(loop, &w->before_wait);
	ev_check_init(&w->after_wait, turn_begin_cb);
	ev_set_priority(&w->after_wait, EV_MAXPRI);
	ev_check_start(loop, &w->after_wait);
	ev_io_init(&w->doorbell, turn_doorbell_cb,
	    w->hub.wakeup->fd[w->hub.slot], EV_READ);
	ev_io_start(loop, &w->doorbell);
}
