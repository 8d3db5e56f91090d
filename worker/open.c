/* SPDX-License-Identifier: MIT */
/*
 * open.c - see open.h.
 *
 * The loop is made here, so after the fork.
 */

#include "worker/open.h"

#include "broker/ring/member_table.h"
#include "broker/ring/following.h"
#include "broker/ring/topics.h"
#include "broker/shared/last_words.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "broker/status/busiest_json.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/answering.h"
#include "worker/delivery/lost.h"
#include "worker/delivery/ending.h"
#include "worker/delivery/pack.h"
#include "worker/delivery/policies.h"
#include "worker/drain.h"
#include "worker/hand_over.h"
#include "worker/net/conns.h"
#include "worker/net/io.h"
#include "worker/net/tls_handshake.h"
#include "worker/operator_ask.h"
#include "worker/pubsub.h"
#include "worker/reload.h"
#include "worker/requests/caller.h"
#include "worker/requests/waiting.h"
#include "worker/state.h"
#include "worker/take_over.h"
#include "worker/turn.h"
#include "worker/ws/ws_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKER_BEAT_S 0.5 /* the watchdog looks once a second */

/* The pipe that only the supervisor holds open has ended. */
static void
worker_supervisor_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct worker *w = container_of(io, struct worker, supervisor);

	(void)revents;
	ev_io_stop(loop, io);
	drain_orphaned(w);
}

static void
worker_beat_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct worker *w = container_of(timer, struct worker, beat);

	(void)loop;
	(void)revents;
	atomic_fetch_add_explicit(
	    &w->hub.seg->workers[w->hub.slot].beat, 1, memory_order_relaxed);
	stats_set(&w->net.stats, STATS_LOG_DROPPED, log_dropped());
}

static void
worker_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct worker *w = container_of(timer, struct worker, tick);

	(void)loop;
	(void)revents;
	wheel_turn(&w->net.wheel, io_due_cb, NULL);
	address_limits_tick(&w->net.addresses, w->net.wheel.now);
	caller_tick(&w->hub);
	attend_tick(&w->hub);
}

static void
worker_watch(struct worker *w, const struct worker_args *args)
{
	turn_watch(w);
	ev_io_init(
	    &w->supervisor, worker_supervisor_cb, args->supervisor_fd, EV_READ);
	ev_io_start(w->net.loop, &w->supervisor);
	ev_timer_init(&w->beat, worker_beat_cb, 0., WORKER_BEAT_S);
	ev_timer_start(w->net.loop, &w->beat);
	ev_timer_init(&w->tick, worker_tick_cb, WHEEL_TICK_MS / 1000.,
	    WHEEL_TICK_MS / 1000.);
	ev_timer_start(w->net.loop, &w->tick);
}

/* Whether the slot is still another's, who may go on in it. */
static bool
worker_waits_for_slot(const struct worker_args *args)
{
	return args->predecessor != NULL && args->move == NULL;
}

/* Take over the slot: what a dead worker left is cleared first, and what it left
 * in the ring is repaired now, not at the next publish. */
static void
worker_take_slot(struct hub *hub)
{
	wakeup_claim_slot(hub->wakeup, hub->slot);
	topics_clear_worker(hub->seg, hub->slot);
	following_set(hub->seg, hub->slot, false);
	if (ring_lock(&hub->ring) == RING_OK)
		ring_unlock(&hub->ring);
	stop_point_here(hub->seg->header, STOP_SLOT_TAKEN);
}

/* libev's memory is as ours: there is some, or these are the last words. */
static void *
worker_alloc(void *old, long size)
{
	if (size > 0)
		return xreallocarray(old, (size_t)size, 1);
	free(old);
	return NULL;
}

/* Without a loop nothing can be done for anybody; the successor has a new one. */
static void
worker_loop_failed_cb(const char *what)
{
	char why[128];

	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	BUG(why);
}

static struct ev_loop *
worker_loop_new(void)
{
	struct ev_loop *loop;

	ev_set_allocator(worker_alloc);
	ev_set_syserr_cb(worker_loop_failed_cb);
	loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (loop == NULL)
		log_errorx("no event loop: epoll is not to be had");
	return loop;
}

/* The clients of the run before, as long as they may be coming back. */
static _Atomic uint32_t *
worker_returning(struct layout_header *h)
{
	uint64_t age_ms =
	    clock_monotonic_ms() - atomic_load(&h->run.started_ms);

	return age_ms < ADDRESS_RETURN_TICKS * WHEEL_TICK_MS ? &h->run.returning
	                                                     : NULL;
}

static bool
worker_init_net(struct worker *w, const struct service *service)
{
	struct net *net = &w->net;

	net->config = &w->config;
	net->service = service;
	net->world = &w->hub;
	net->stats.counters =
	    worker_waits_for_slot(w->args)
		? w->take_over.counters
		: w->args->segment->workers[w->args->slot].counters;
	net->returning = worker_returning(w->args->segment->header);
	conns_init(net, reload_max_conns(w), w->descriptors);
	ws_conn_open_pool(net);
	return w->args->tls == NULL || tls_open(net, w->args->tls);
}

/* What a dead worker had of members; if the lock cannot be had now, the first turn
 * does it. */
static void
worker_take_members(struct hub *hub)
{
	member_forget_watching(hub->seg, UINT64_C(1) << hub->slot);
	hub->attend->must_clear = true;
	if (ring_lock(&hub->ring) == RING_BUSY)
		return;
	attend_take_slot(hub);
	ring_unlock(&hub->ring);
}

/* The parts of the hub, and what the protocols and the API need. */
static void
worker_init_hub(struct worker *w)
{
	struct hub *hub = &w->hub;
	const struct config *config = &w->config;
	/* What an earlier run has left may be longer than messages are now. */
	uint64_t record_max = hub->seg->ring_size / RING_RECORDS_MIN;

	hub->net = &w->net;
	hub->access = &w->access;
	hub->forms = pubsub_forms;
	hub->tail = &w->tail;
	hub->attend = &w->attend;
	hub->watches = &w->watches;
	hub->replays = &w->replays;
	hub->paces = &w->paces;
	hub->latency = &w->latency;
	hub->intake = &w->intake;
	hub->protocols = &w->protocols;
	hub->api = &w->api;
	subs_init(&hub->subs, config->max_topics);
	policies_renew(hub);
	tail_init(&w->tail, hub->seg, config->max_message);
	hub->lost = lost_place(hub->seg);
	replays_init(&w->replays, record_max);
	paces_init(&w->paces, record_max);
	latency_init(&w->latency, TAIL_TURN_RECORDS);
	intake_init(&w->intake, record_max);
	protocols_init(
	    &w->protocols, hub->seg->header->epoch, config->max_message);
	if (config->cluster_count > 0)
		waiting_open(hub);
	buf_init(&w->api.text);
	api_lists_init(&w->lists);
	w->api.lists = &w->lists;
	if (!worker_waits_for_slot(w->args))
		worker_take_members(hub);
}

bool
worker_open(struct worker *w, const struct worker_args *args,
    const struct service *service)
{
	memset(w, 0, sizeof(*w));
	w->args = args;
	w->hub.seg = args->segment;
	w->hub.wakeup = args->wakeup;
	w->hub.slot = args->slot;
	reload_init(w);
	last_words_open(&w->hub.seg->workers[w->hub.slot]);
	ring_attach(&w->hub.ring, w->hub.seg, w->hub.slot);
	if (!worker_waits_for_slot(args)) {
		reload_tell(w);
		worker_take_slot(&w->hub);
	}
	if (args->predecessor != NULL && !take_over_open(w))
		return false;
	if (!static_open(&w->files, args->root, args->config->root))
		return false;
	w->net.loop = worker_loop_new();
	if (w->net.loop == NULL)
		return false;
	if (!worker_init_net(w, service) ||
	    !access_open(&w->access, args->access, &w->net.stats))
		return false;
	worker_init_hub(w);
	drain_init(&w->drain);
	answering_init(w);
	operator_asks_init(&w->operator_asks);
	acceptors_open(&w->acceptors, &w->net, args);
	worker_watch(w, args);
	hand_over_init(w);
	return true;
}

void
worker_close(struct worker *w)
{
	hand_over_fini(w);
	acceptors_fini(&w->acceptors);
	conns_fini(&w->net);
	attend_fini(&w->hub);
	watches_fini(&w->hub);
	endings_fini(&w->hub.endings);
	access_close(&w->access);
	ws_conn_close_pool(&w->net);
	tls_close(&w->net);
	tail_fini(&w->tail);
	latency_fini(&w->latency);
	subs_fini(&w->hub.subs);
	waiting_close(&w->hub);
	intake_fini(&w->intake);
	policies_close(&w->hub);
	api_lists_fini(&w->lists, w->net.loop);
	buf_fini(&w->api.text);
	replays_fini(&w->replays);
	pack_fini(&w->hub.packer);
	paces_fini(&w->paces);
	protocols_fini(&w->protocols);
	static_close(&w->files);
	answering_fini(w);
	operator_asks_fini(w);
	busiest_free(w->busiest);
	ring_detach(&w->hub.ring);
	ev_loop_destroy(w->net.loop);
}
