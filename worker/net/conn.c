/* SPDX-License-Identifier: MIT */
/* conn.c - the life of a connection; see conn.h. */

#include "worker/net/conn.h"

#include "common/bug.h"
#include "common/container.h"
#include "common/ws.h"
#include "common/xmalloc.h"
#include "worker/api/api.h"
#include "worker/api/events.h"
#include "worker/http/http_conn.h"
#include "worker/state.h"
#include "worker/ws/ws_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long to wait, milliseconds. */
#define CONN_LINGER_MS  5000  /* for the peer to close, after us */
#define CONN_CLOSING_MS 10000 /* for the peer to take the last thing */

void
conn_io_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct conn *c = container_of(io, struct conn, io);

	(void)loop;
	if (revents & EV_ERROR) {
		conn_abort(c);
		return;
	}
	if (revents & EV_WRITE) {
		c->last_heard_tick =
		    c->w->wheel.now; /* it takes what it gets */
		outbox_drain_conn(c->w, c);
	}
	if (!(revents & EV_READ) || c->paused != 0)
		return;
	switch ((enum conn_state)c->state) {
	case CONN_HTTP:
	case CONN_BODY:
	case CONN_FILE:
	case CONN_EVENTS:
		http_conn_read(c);
		break;
	case CONN_WS:
		ws_conn_read(c);
		break;
	case CONN_CLOSING:
	case CONN_LINGER:
		conn_read(c); /* and throw it away */
		break;
	case CONN_DEAD:
		break;
	}
}

/* Free what only a living connection needs. */
static void
conn_strip(struct conn *c)
{
	struct worker *w = c->w;

	subs_drop_all(w, c);
	switch ((enum conn_state)c->state) {
	case CONN_WS:
		conn_return_parser(c);
		w->conns.websockets--;
		stats_set(&w->stats, STATS_WEBSOCKETS, w->conns.websockets);
		break;
	case CONN_FILE:
		close(c->part.file->fd);
		free(c->part.file);
		c->part.file = NULL;
		break;
	case CONN_EVENTS:
		events_end(c);
		api_forget(c);
		break;
	case CONN_HTTP:
	case CONN_BODY:
		api_forget(c);
		break;
	case CONN_CLOSING:
	case CONN_LINGER:
	case CONN_DEAD:
		break;
	}
	free(conn_take_input(c));
}

void
conn_abort(struct conn *c)
{
	struct worker *w = c->w;

	if (c->state == CONN_DEAD)
		return;
	conn_strip(c);
	if (!c->admin)
		drain_conn_gone(w, c->peer_closed_cleanly);
	c->state = CONN_DEAD;
	ev_io_stop(w->loop, &c->io);
	wheel_remove(&c->timeout);
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&w->conns.dead, c, link);
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	wheel_set(&c->w->wheel, &c->timeout, wheel_ticks(ms));
}

void
conn_deadline_spread(struct conn *c, uint32_t ms)
{
	conn_deadline(
	    c, ms / 2 + (uint32_t)(c->number * 2654435761u) % (ms / 2 + 1));
}

void
conn_close_when_written(struct conn *c)
{
	if (c->state >= CONN_CLOSING)
		return;
	conn_strip(c);
	c->state = CONN_CLOSING;
	conn_deadline(c, CONN_CLOSING_MS);
	outbox_touch(&c->w->outbox, c);
	c->paused = 0;
	conn_update_events(c);
}

void
conn_close(struct conn *c, unsigned code, const char *reason)
{
	uint8_t frame[WS_OUTPUT_MAX];

	if (c->state != CONN_WS)
		return;
	conn_answer(c, frame, ws_close_frame(frame, code, reason));
	conn_close_when_written(c);
}

void
conn_too_slow(struct conn *c)
{
	if (c->state == CONN_WS)
		conn_close(c, WS_CODE_TOO_SLOW, "too slow: subscribe again");
	else
		conn_close_when_written(c); /* it knows the last event it got */
}

const struct protocol *
conn_protocol(const struct conn *c)
{
	return &c->w->service->protocols[c->protocol];
}

void
conn_answer(struct conn *c, const void *data, size_t len)
{
	struct worker *w = c->w;

	if (c->state == CONN_DEAD || len == 0)
		return;
	outbox_answer(w, c, data, len);
	outbox_touch(&w->outbox, c);
}

void
conn_pause(struct conn *c, enum conn_pause why)
{
	if (c->state >= CONN_CLOSING || c->paused & why)
		return;
	c->paused |= (uint8_t)why;
	conn_update_events(c);
}

void
conn_resume(struct conn *c, enum conn_pause why)
{
	if (!(c->paused & why))
		return;
	c->paused &= (uint8_t)~why;
	if (c->paused != 0)
		return;
	conn_update_events(c);
	c->last_heard_tick =
	    c->w->wheel.now; /* it may well have been talking */
	if (c->input == NULL)
		return;
	if (c->state == CONN_WS)
		ws_conn_feed_kept(c);
	else if (c->state == CONN_HTTP || c->state == CONN_BODY)
		http_conn_feed_kept(c);
}

void
conn_update_events(struct conn *c)
{
	struct ev_loop *loop = c->w->loop;
	int events = 0;

	if (c->state == CONN_DEAD)
		return;
	if (c->paused == 0)
		events |= EV_READ;
	if (c->blocked && c->out != NULL && !conn_is_held(c))
		events |= EV_WRITE;
	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	if (events != 0)
		ev_io_start(loop, &c->io);
}

void
conn_written(struct conn *c)
{
	switch ((enum conn_state)c->state) {
	case CONN_FILE:
		http_conn_more_file(c);
		break;
	case CONN_CLOSING:
		shutdown(c->io.fd, SHUT_WR);
		c->state = CONN_LINGER;
		conn_deadline(c, CONN_LINGER_MS);
		if (c->paused & PAUSE_EOF) {
			c->peer_closed_cleanly = true;
			conn_abort(c);
		}
		break;
	case CONN_WS:
	case CONN_EVENTS:
		replays_resume(c);
		break;
	case CONN_HTTP:
		conn_resume(c, PAUSE_WRITTEN);
		break;
	case CONN_BODY:
	case CONN_LINGER:
	case CONN_DEAD:
		break;
	}
}

size_t
conn_read(struct conn *c)
{
	struct worker *w = c->w;
	ssize_t n = recv(c->io.fd, w->read_buf, WORKER_READ_MAX, 0);

	if (n > 0) {
		c->last_heard_tick = w->wheel.now;
		c->pinged = false;
		stats_add(&w->stats, STATS_BYTES_IN, (uint64_t)n);
		return (size_t)n;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	c->peer_closed_cleanly = n == 0 && c->state == CONN_LINGER;
	if (n == -1 || c->out == NULL || c->state == CONN_WS) {
		conn_abort(c);
		return 0;
	}
	/* It only will not send any more: it may still read our answers. */
	conn_close_when_written(c);
	c->paused |= PAUSE_EOF;
	conn_update_events(c);
	return 0;
}

void
conn_keep_input(struct conn *c, const void *data, size_t len)
{
	size_t had = c->input != NULL ? c->input->len : 0;

	if (len == 0)
		return;
	c->input = xreallocarray(c->input, 1, sizeof(*c->input) + had + len);
	if (had == 0)
		c->input->scanned = 0;
	memcpy(c->input->data + had, data, len);
	c->input->len = had + len;
	c->w->conns.input += len;
}

struct conn_input *
conn_take_input(struct conn *c)
{
	struct conn_input *input = c->input;

	c->input = NULL;
	if (input != NULL)
		c->w->conns.input -= input->len;
	return input;
}

void
conn_return_parser(struct conn *c)
{
	if (c->part.ws == NULL || c->feeding)
		return; /* in the latter case ws_conn.c does it afterwards */
	ws_return(c->w->parsers, &c->part.ws);
	stats_set(&c->w->stats, STATS_PARSERS, ws_pool_lent(c->w->parsers));
}

void
conn_due_cb(struct wheel_entry *entry, void *arg)
{
	struct conn *c = container_of(entry, struct conn, timeout);
	struct worker *w = arg;

	switch ((enum conn_state)c->state) {
	case CONN_HTTP:
	case CONN_BODY:
	case CONN_EVENTS:
		http_conn_due(c);
		break;
	case CONN_WS:
		ws_conn_due(c);
		break;
	case CONN_FILE:
	case CONN_CLOSING:
	case CONN_LINGER:
		stats_add(&w->stats, STATS_TIMEOUTS, 1);
		conn_abort(c);
		break;
	case CONN_DEAD:
		BUG("a dead connection is still in the wheel");
	}
}
