/* SPDX-License-Identifier: MIT */
/*
 * worker.c - set up, turn, and leave; see worker.h and state.h.
 *
 * The loop is made here, after the fork.  Its callbacks collect; the work of a
 * turn is done in turn_end(), a prepare watcher, the last thing before the loop
 * waits.  To be called again soon we ring our own doorbell: an event fed to
 * oneself would run before libev looks at any other descriptor.
 */

#include "worker/worker.h"

#include "broker/shared/last_words.h"
#include "broker/shared/stop_point.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/container.h"
#include "common/handshake.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "worker/pubsub.h"
#include "worker/sandbox.h"
#include "worker/state.h"
#include "worker/ws/ws_conn.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define WORKER_BEAT_S 0.5 /* the watchdog looks once a second */

/* Allocations from this size on are pages of their own, and of the heap's top
 * so much is kept for the next to come; bytes. */
#define WORKER_MMAP_MIN (256 * 1024)
#define WORKER_TOP_MAX  (1024 * 1024)

/* Descriptors that are not connections, with some to spare. */
#define WORKER_FD_RESERVE 128

/* Do what this turn has collected, in order; then fall asleep. */
static void
turn_end(struct worker *w)
{
	uint64_t head;

	w->more = false;
	stats_add(&w->stats, STATS_TURNS, 1);
	api_lists_turn(w);
	intake_commit(w);
	drain_step(w);
	tail_turn(w);
	replays_turn(w);
	outbox_flush(w);
	latency_settle(w);
	conns_sweep(w);
	/* A connection that was resumed by its output has been read on. */
	if (!intake_empty(&w->intake) && !ev_is_active(&w->intake.retry))
		w->more = true;

	/* Awake means: somebody need not ring.  So first say that we sleep,
	 * then look once more. */
	head = w->tail.cursor.pos;
	wakeup_fall_asleep(w->wakeup);
	/* sleep-3: the look */
	if (w->more || (w->subs.topics > 0 && ring_head(w->seg) != head))
		/* sleep-4: no wait then */
		wakeup_ring(w->wakeup, w->slot);
}

static void
turn_end_cb(struct ev_loop *loop, ev_prepare *prepare, int revents)
{
	(void)loop;
	(void)revents;
	turn_end(container_of(prepare, struct worker, before_wait));
}

/* The first thing after the wait. */
static void
turn_begin_cb(struct ev_loop *loop, ev_check *check, int revents)
{
	struct worker *w = container_of(check, struct worker, after_wait);

	(void)loop;
	(void)revents;
	wakeup_get_up(w->wakeup);
}

/* Silence the doorbell first: what comes after that will ring it again. */
static void
worker_doorbell_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct worker *w = container_of(io, struct worker, doorbell);

	(void)loop;
	(void)revents;
	wakeup_clear(w->wakeup);
}

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
	    &w->seg->workers[w->slot].beat, 1, memory_order_relaxed);
	stats_set(&w->stats, STATS_LOG_DROPPED, log_dropped());
}

static void
worker_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct worker *w = container_of(timer, struct worker, tick);

	(void)loop;
	(void)revents;
	wheel_turn(&w->wheel, conn_due_cb, w);
	address_limits_tick(&w->conns.shares, w->wheel.now);
}

/* Connections that the descriptors allow. */
static uint32_t
worker_max_conns(const struct config *config)
{
	struct rlimit limit;
	uint32_t max = 1;

	if (config->max_conns != 0)
		return config->max_conns;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur > WORKER_FD_RESERVE)
		max = limit.rlim_cur - WORKER_FD_RESERVE < UINT32_MAX
		          ? (uint32_t)(limit.rlim_cur - WORKER_FD_RESERVE)
		          : UINT32_MAX;
	return max;
}

static void
worker_watch(struct worker *w, const struct worker_args *args)
{
	ev_prepare_init(&w->before_wait, turn_end_cb);
	ev_set_priority(&w->before_wait, EV_MINPRI);
	ev_prepare_start(w->loop, &w->before_wait);
	ev_check_init(&w->after_wait, turn_begin_cb);
	ev_set_priority(&w->after_wait, EV_MAXPRI);
	ev_check_start(w->loop, &w->after_wait);
	ev_io_init(
	    &w->doorbell, worker_doorbell_cb, w->wakeup->fd[w->slot], EV_READ);
	ev_io_start(w->loop, &w->doorbell);
	ev_io_init(
	    &w->supervisor, worker_supervisor_cb, args->supervisor_fd, EV_READ);
	ev_io_start(w->loop, &w->supervisor);
	ev_timer_init(&w->beat, worker_beat_cb, 0., WORKER_BEAT_S);
	ev_timer_start(w->loop, &w->beat);
	ev_timer_init(&w->tick, worker_tick_cb, WHEEL_TICK_MS / 1000.,
	    WHEEL_TICK_MS / 1000.);
	ev_timer_start(w->loop, &w->tick);
}

/* Take over the slot: what a dead predecessor left is cleared first, and what
 * it left in the ring is repaired now, not at the next publish. */
static void
worker_take_slot(struct worker *w)
{
	struct layout_worker *self = &w->seg->workers[w->slot];

	last_words_open(self);
	wakeup_claim_slot(w->wakeup, w->slot);
	topics_clear_worker(w->seg, w->slot);
	w->stats.counters = self->counters;
	ring_attach(&w->ring, w->seg, w->slot);
	if (ring_lock(&w->ring) == RING_OK)
		ring_unlock(&w->ring);
	stop_point_here(w->seg->header, STOP_SLOT_TAKEN);
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

static bool
worker_init(struct worker *w, const struct worker_args *args,
    const struct service *service)
{
	const struct config *config = args->config;

	memset(w, 0, sizeof(*w));
	w->args = args;
	w->service = service;
	w->config = config;
	w->seg = args->segment;
	w->wakeup = args->wakeup;
	w->slot = args->slot;
	worker_take_slot(w);
	if (!static_open(&w->files, config->root))
		return false;
	ev_set_allocator(worker_alloc);
	ev_set_syserr_cb(worker_loop_failed_cb);
	w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (w->loop == NULL) {
		log_errorx("no event loop: epoll is not to be had");
		return false;
	}
	conns_init(&w->conns, worker_max_conns(config), config->conn_rate);
	wheel_init(&w->wheel);
	intake_init(&w->intake);
	subs_init(&w->subs, config->max_topics);
	tail_init(&w->tail, w);
	latency_init(&w->delays);
	frames_init(&w->frames);
	outbox_init(&w->outbox);
	drain_init(&w->drain);
	api_lists_init(&w->lists);
	/* What an earlier run has left may be longer than messages are now. */
	replays_init(&w->replays, w->seg->ring_size / RING_RECORDS_MIN);
	json_reader_init(&w->json);
	buf_init(&w->text);
	w->v1 = (struct v1_reader){ .json = &w->json,
		.epoch = w->seg->header->epoch,
		.body_max = config->max_message };
	w->parsers =
	    ws_conn_pool_new((uint64_t)config->max_message + service->slack);
	w->read_buf = xmalloc(WORKER_READ_MAX);
	w->file_buf = xmalloc(WORKER_READ_MAX);
	acceptors_open(w, args);
	worker_watch(w, args);
	return true;
}

/* Give everything back, so that a leak checker has nothing to say. */
static void
worker_fini(struct worker *w)
{
	struct conn *c;

	acceptors_close(w, false);
	while ((c = LIST_FIRST(&w->conns.living)) != NULL ||
	       (c = LIST_FIRST(&w->conns.admins)) != NULL)
		conn_abort(c);
	LIST_FOREACH(c, &w->conns.dead, link)
		c->requests_pending = c->pending = 0;
	conns_sweep(w);
	conns_fini(&w->conns);
	outbox_fini(&w->outbox);
	frames_fini(&w->frames);
	tail_fini(&w->tail);
	latency_fini(&w->delays);
	subs_fini(&w->subs);
	intake_fini(&w->intake);
	api_lists_fini(w);
	replays_fini(&w->replays);
	json_reader_fini(&w->json);
	buf_fini(&w->v1.topic);
	buf_fini(&w->text);
	ws_pool_free(&w->parsers);
	static_close(&w->files);
	free(w->read_buf);
	free(w->file_buf);
	ring_detach(&w->ring);
	ev_loop_destroy(w->loop);
}

/*
 * What a large message took goes back to the system when it is freed.  Left
 * alone, glibc takes the first one for the usual case and has the next on the
 * heap, whose top it keeps up to twice the size: a worker would stay as large
 * as its largest messages.
 */
static void
worker_bound_heap(void)
{
	mallopt(M_MMAP_THRESHOLD, WORKER_MMAP_MIN);
	mallopt(M_TRIM_THRESHOLD, WORKER_TOP_MAX);
}

/* What libraries read from files when first they are used, they read now:
 * OpenSSL its configuration, the C library the time zone. */
static void
worker_touch_libraries(void)
{
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
	char accept[HANDSHAKE_ACCEPT_LEN + 1];

	handshake_accept(key, HANDSHAKE_KEY_LEN, accept);
	tzset();
}

/* Give up what a worker does not need, and say in the table what that is. */
static bool
worker_confine(struct worker *w)
{
	uint32_t confined = CONFINED_NOT_WANTED;

	worker_touch_libraries();
#ifdef NO_SANDBOX /* the Makefile says for which builds, and why */
	confined = CONFINED_NOT_BUILT;
#else
	if (w->config->sandbox && !sandbox_enter(w->files.root, &confined))
		return false;
#endif
	atomic_store(&w->seg->workers[w->slot].confined, confined);
	return true;
}

int
worker_serve(const struct worker_args *args, const struct service *service)
{
	static struct worker worker;
	struct worker *w = &worker;

	worker_bound_heap();
	if (!worker_init(w, args, service) || !worker_confine(w))
		return 1;
	worker_set_state(args, WORKER_READY);
	ev_run(w->loop, 0);
	worker_fini(w);
	return 0;
}

int
worker_main(const struct worker_args *args)
{
	return worker_serve(args, &pubsub_service);
}
