/* SPDX-License-Identifier: MIT */
/* conn.c - the life of a connection; see conn.h. */

#include "worker/net/conn.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/net/outbox.h"
#include "worker/net/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long to wait, milliseconds. */
#define CONN_LINGER_MS  5000  /* for the peer to close, after us */
#define CONN_CLOSING_MS 10000 /* for the peer to take the last thing */

/* End the parts that only an open connection has. */
static void
conn_end(struct conn *c)
{
	if (c->state == CONN_OPEN && c->handler->end != NULL)
		c->handler->end(c);
	c->data = NULL;
	free(conn_take_input(c));
}

void
conn_abort(struct conn *c)
{
	struct net *net = c->net;

	if (c->state == CONN_DEAD)
		return;
	conn_end(c);
	if (net->draining && c->peer_closed_cleanly && !c->admin)
		stats_add(&net->stats, STATS_CLOSED_CLEANLY, 1);
	c->state = CONN_DEAD;
	ev_io_stop(net->loop, &c->io);
	wheel_remove(&c->timeout);
	LIST_REMOVE(c, link);
	LIST_INSERT_HEAD(&net->conns.dead, c, link);
}

void
conn_cut(struct conn *c)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->io.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	conn_abort(c);
}

void
conn_time_out(struct conn *c)
{
	stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
	conn_cut(c);
}

void
conn_deadline(struct conn *c, uint64_t ms)
{
	wheel_set(&c->net->wheel, &c->timeout, wheel_ticks(ms));
}

uint32_t
conn_spread(const struct conn *c, uint32_t below)
{
	uint32_t of_second =
	    (uint32_t)c->number & ((1u << CONN_NUMBER_BITS) - 1);

	return of_second * 2654435761u % below;
}

void
conn_deadline_spread(struct conn *c, uint32_t ms)
{
	conn_deadline(c, ms / 2 + conn_spread(c, ms / 2 + 1));
}

void
conn_close_when_written(struct conn *c)
{
	if (c->state != CONN_OPEN)
		return;
	conn_end(c);
	c->state = CONN_CLOSING;
	conn_deadline(c, CONN_CLOSING_MS);
	outbox_touch(&c->net->outbox, c);
	c->paused = 0;
	conn_update_events(c);
}

void
conn_speak(struct conn *c, const struct conn_handler *handler, void *data)
{
	CHECK(c->state == CONN_OPEN);
	c->handler = handler;
	c->data = data;
}

/* Have a queue that this turn sends.  Returns false if the connection is
 * dead. */
static bool
conn_opens_queue(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return false;
	if (c->out == NULL)
		c->out = outq_new(&c->net->budget);
	outbox_touch(&c->net->outbox, c);
	return true;
}

void *
conn_answer_room(struct conn *c, size_t len)
{
	return conn_opens_queue(c) ? outq_answer_room(c->out, (uint32_t)len)
	                           : NULL;
}

void
conn_answer(struct conn *c, const void *data, size_t len)
{
	void *room = len > 0 ? conn_answer_room(c, len) : NULL;

	if (room != NULL)
		memcpy(room, data, len);
}

void
conn_answer_kept(struct conn *c, struct kept *kept)
{
	if (conn_opens_queue(c))
		outq_add_kept(c->out, kept);
}

void
conn_pause(struct conn *c, enum conn_pause why)
{
	if (c->state != CONN_OPEN || c->paused & why)
		return;
	c->paused |= (uint8_t)why;
	conn_update_events(c);
}

void
conn_update_events(struct conn *c)
{
	struct ev_loop *loop = c->net->loop;
	int events = 0;

	if (c->state == CONN_DEAD)
		return;
	if (c->paused == 0 && !c->eof)
		events |= EV_READ;
	if ((c->blocked && c->out != NULL && !conn_is_held(c)) ||
	    transport_is_behind(c))
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
	if (c->state == CONN_OPEN && c->handler->written != NULL)
		c->handler->written(c);
	if (c->state != CONN_CLOSING || c->out != NULL)
		return;
	if (!transport_shut(c))
		return;
	c->state = CONN_LINGER;
	conn_deadline(c, CONN_LINGER_MS);
	if (c->eof) {
		c->peer_closed_cleanly = true;
		conn_abort(c);
	}
}

void
conn_keep_input(struct conn *c, const void *data, size_t len)
{
	size_t had = c->input != NULL ? c->input->len : 0;

	if (len == 0)
		return;
	c->input = xreallocarray(c->input, 1, sizeof(*c->input) + had + len);
	memcpy(c->input->data + had, data, len);
	c->input->len = had + len;
	budget_change(&c->net->budget, BUDGET_INPUT, had, had + len);
}

struct conn_input *
conn_take_input(struct conn *c)
{
	struct conn_input *input = c->input;

	c->input = NULL;
	if (input != NULL)
		budget_change(&c->net->budget, BUDGET_INPUT, input->len, 0);
	return input;
}
