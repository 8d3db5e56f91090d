/* SPDX-License-Identifier: MIT */
/* hand_over.c - see hand_over.h. */

#include "worker/hand_over.h"

#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/hand_over_send.h"
#include "worker/handover/hub_record.h"
#include "worker/handover/parcel.h"
#include "worker/moving.h"
#include "worker/net/feed.h"
#include "worker/state.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often a worker looks whether all are at rest, seconds. */
#define HAND_OVER_TICK_S 0.002

/* Connections closed in such a time: as many per millisecond as in a drain. */
#define HAND_OVER_CLOSES 20

/* How often a frozen one says that it lives, milliseconds. */
#define HAND_OVER_BEAT_MS 250

static struct layout_worker *
hand_over_slot(const struct worker *w)
{
	return &w->hub.seg->workers[w->hub.slot];
}

/* Nobody wants the connections any more: read them again. */
static void
hand_over_end(struct worker *w)
{
	struct hand_over *h = &w->hand_over;
	struct conn *c, *next;

	h->phase = HAND_OVER_IDLE;
	ev_io_stop(w->net.loop, &h->gone);
	close(h->gone.fd);
	ev_timer_stop(w->net.loop, &h->tick);
	moving_end(w);
	w->net.handing_over = false;
	w->net.more = true;
	acceptors_wait(&w->acceptors, false);
	for (c = LIST_FIRST(&w->net.conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link); /* c may die */
		conn_resume(c, PAUSE_HANDOVER);
	}
}

static void
hand_over_gone_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct hand_over *h = container_of(io, struct hand_over, gone);

	(void)loop;
	(void)revents;
	log_warnx("the successor is gone before it got anything");
	hand_over_end(container_of(h, struct worker, hand_over));
}

static void
hand_over_tick_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop; /* turn_end() does the work */
	(void)timer;
	(void)revents;
}

/* A successor is there: have all come to rest. */
static void
hand_over_gather(struct worker *w, int successor)
{
	struct hand_over *h = &w->hand_over;

	h->phase = HAND_OVER_GATHER;
	h->until_ms = clock_monotonic_ms() + w->config.handover_ms;
	w->net.handing_over = true;
	w->net.more = true;
	acceptors_wait(&w->acceptors, true);
	ev_io_set(&h->gone, successor, EV_READ);
	ev_io_start(w->net.loop, &h->gone);
	ev_timer_start(w->net.loop, &h->tick);
}

/* What is left of a parcel that could not be taken, for lack of a descriptor
 * perhaps: the next one begins behind it. */
static void
hand_over_discard(int socket)
{
	char bytes[256];

	while (recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		continue;
}

/* The socket of a successor that asks, and the page where a move is decided, or -1;
 * -1: that is none. */
static int
hand_over_take_socket(struct parcel *parcel, const struct buf *body, int *page)
{
	bool moves = parcel->kind == HUB_PARCEL_ASK_TO_MOVE;
	struct hub_hello hello;
	int fd = parcel->fds[0];

	if ((moves || parcel->kind == HUB_PARCEL_ASK) &&
	    parcel->fds_count == (moves ? 2 : 1) &&
	    hub_hello_take(&hello, body)) {
		*page = moves ? parcel->fds[1] : -1;
		return fd;
	}
	parcel_close(parcel);
	return -1;
}

/* Somebody has asked.  Owns: both descriptors. */
static void
hand_over_begin(struct worker *w, int successor, int page)
{
	bool may = w->hand_over.phase == HAND_OVER_IDLE && !w->net.draining;

	if (!may && page != -1)
		close(page);
	if (may && (page == -1 || moving_begin(w, page)))
		hand_over_gather(w, successor);
	else
		close(successor);
}

static void
hand_over_asked_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct hand_over *h = container_of(io, struct hand_over, asked);
	struct worker *w = container_of(h, struct worker, hand_over);
	enum parcel_status status;
	struct parcel parcel;
	struct buf body;
	int fd = -1, page = -1;

	(void)revents;
	buf_init(&body);
	status = parcel_receive(io->fd, &parcel, &body);
	if (status == PARCEL_OK)
		fd = hand_over_take_socket(&parcel, &body, &page);
	else if (status == PARCEL_GONE)
		ev_io_stop(loop, io); /* the supervisor is dead */
	else
		hand_over_discard(io->fd);
	buf_fini(&body);
	if (status == PARCEL_GONE)
		return;
	if (fd == -1)
		log_warnx("asked for the connections, but by nobody who could "
			  "take them");
	else
		hand_over_begin(w, fd, page);
}

void
hand_over_init(struct worker *w)
{
	struct hand_over *h = &w->hand_over;

	ev_init(&h->gone, hand_over_gone_cb);
	ev_timer_init(
	    &h->tick, hand_over_tick_cb, HAND_OVER_TICK_S, HAND_OVER_TICK_S);
	ev_init(&h->asked, hand_over_asked_cb);
	if (w->args->successor == NULL)
		return;
	ev_io_set(&h->asked, *w->args->successor, EV_READ);
	ev_io_start(w->net.loop, &h->asked);
}

void
hand_over_fini(struct worker *w)
{
	ev_io_stop(w->net.loop, &w->hand_over.asked);
	if (w->hand_over.phase != HAND_OVER_IDLE)
		hand_over_end(w);
}

/* Whether a connection can never go over: the keys of TLS are OpenSSL's. */
static bool
hand_over_cannot(const struct conn *c)
{
	return c->state == CONN_OPEN && c->encrypted;
}

/* Connections that cannot go over as they are. */
static uint32_t
hand_over_busy(const struct worker *w)
{
	uint32_t busy = 0;
	struct conn *c;

	LIST_FOREACH(c, &w->net.conns.living, link)
		busy += !conn_is_at_rest(c) || hand_over_cannot(c);
	return busy;
}

/* Their time is over. */
static void
hand_over_close_busy(struct worker *w)
{
	struct conn *c, *next;

	for (c = LIST_FIRST(&w->net.conns.living); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (conn_is_at_rest(c) && !hand_over_cannot(c))
			continue;
		if (c->state != CONN_OPEN)
			continue; /* counted when it was closed */
		stats_add(&w->net.stats, STATS_NOT_HANDED_OVER, 1);
		c->handler->go_away(c, true);
	}
	w->net.more = true; /* for what they are told */
}

/* Those who cannot go over, however quiet, are told at once, but not all in one
 * turn. */
static void
hand_over_close_others(struct worker *w)
{
	uint32_t left = HAND_OVER_CLOSES;
	struct conn *c, *next;

	for (c = LIST_FIRST(&w->net.conns.living); c != NULL && left > 0;
	     c = next) {
		next = LIST_NEXT(c, link);
		if (!hand_over_cannot(c) || c->requests_pending > 0)
			continue;
		c->handler->go_away(c, true);
		if (c->state == CONN_OPEN)
			continue; /* a file ends by itself */
		stats_add(&w->net.stats, STATS_NOT_HANDED_OVER, 1);
		left--;
	}
}

/* Whether it is decided that the successor goes on. */
static bool
hand_over_is_decided(struct worker *w)
{
	return moving_is(w)
	           ? moving_is_decided(w)
	           : succession_of(hand_over_slot(w)) == SUCCESSION_COMMITTED;
}

/* Wait for the supervisor's word, or for the successor's end.  Returns whether
 * the worker has to leave. */
static bool
hand_over_await(struct worker *w)
{
	struct layout_worker *self = hand_over_slot(w);
	struct pollfd fds[] = {
		{ .fd = w->hand_over.gone.fd, .events = POLLIN },
		{ .fd = w->hub.wakeup->fd[w->hub.slot], .events = POLLIN },
	};

	while (!hand_over_is_decided(w) && !moving_is_off(w)) {
		poll(fds, 2, HAND_OVER_BEAT_MS);
		atomic_fetch_add_explicit(&self->beat, 1, memory_order_relaxed);
		if (fds[0].revents != 0)
			break;
		if (fds[1].revents != 0)
			wakeup_clear(w->hub.wakeup);
	}
	return hand_over_is_decided(w);
}

/* Go on, unless it is too late for that. */
static bool
hand_over_thaw(struct worker *w)
{
	struct layout_worker *self = hand_over_slot(w);

	if (moving_is(w) && !moving_call_off(w))
		return false;
	/* In this order: it becomes REBUILT, never FROZEN again. */
	return succession_step(self, SUCCESSION_FROZEN, SUCCESSION_NONE) ||
	       succession_step(self, SUCCESSION_REBUILT, SUCCESSION_NONE);
}

/* Send all, and leave; or go on. */
static void
hand_over_freeze(struct worker *w)
{
	struct layout_worker *self = hand_over_slot(w);

	stop_point_here(w->hub.seg->header, STOP_FREEZING);
	if (!succession_step(self, SUCCESSION_NONE, SUCCESSION_FROZEN)) {
		hand_over_end(w);
		return;
	}
	moving_note_floor(w);
	stop_point_here(w->hub.seg->header, STOP_FROZEN);
	if ((hand_over_send(w, w->hand_over.gone.fd) && hand_over_await(w)) ||
	    !hand_over_thaw(w)) {
		stop_point_here(w->hub.seg->header, STOP_LEAVING);
		_exit(0);
	}
	atomic_fetch_add_explicit(&self->beat, 1, memory_order_relaxed);
	log_warnx("the successor is gone: going on with %u connections",
	    w->net.conns.count);
	hand_over_end(w);
}

void
hand_over_step(struct worker *w)
{
	struct hand_over *h = &w->hand_over;
	bool late;

	if (h->phase == HAND_OVER_IDLE)
		return;
	if (w->net.draining || moving_is_off(w)) {
		hand_over_end(w);
		return;
	}
	late = clock_monotonic_ms() >= h->until_ms;
	if (h->phase == HAND_OVER_GATHER)
		hand_over_close_others(w);
	if (intake_empty(&w->intake) && w->attend.gone_count == 0 &&
	    (h->phase == HAND_OVER_LATE || hand_over_busy(w) == 0)) {
		if (moving_may_freeze(w))
			hand_over_freeze(w);
	} else if (late && h->phase == HAND_OVER_GATHER) {
		h->phase = HAND_OVER_LATE;
		h->until_ms = clock_monotonic_ms() + w->config.handover_ms;
		hand_over_close_busy(w);
	} else if (late) {
		log_warnx("requests wait for the ring's lock: going on without "
			  "a successor");
		hand_over_end(w);
	}
}
