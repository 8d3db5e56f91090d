/* SPDX-License-Identifier: MIT */
/* io.c - see io.h. */

#include "worker/net/io.h"

#include "common/bug.h"
#include "common/container.h"
#include "common/xmalloc.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/flush.h"
#include "worker/net/progress.h"
#include "worker/net/service.h"
#include "worker/net/tls.h"
#include "worker/net/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

void
io_init(struct net *net)
{
	net->read_buf = xmalloc(IO_READ_MAX);
}

void
io_fini(struct net *net)
{
	free(net->read_buf);
	net->read_buf = NULL;
}

/* The peer will send no more, but may still read: write the output that
 * waits. */
static void
io_half_closed(struct conn *c)
{
	conn_close_when_written(c);
	c->eof = true;
	conn_update_events(c);
}

/*
 * Read from the socket into the worker's buffer.  Returns how many bytes; 0 if
 * there are none.  At the end of the input the connection is aborted or, if
 * output waits, closed when that is written.
 */
static size_t
io_receive(struct conn *c)
{
	struct net *net = c->net;
	ssize_t n = transport_receive(c, net->read_buf, IO_READ_MAX);

	if (n > 0) {
		c->last_heard_tick = net->wheel.now;
		c->pinged = false;
		stats_add(&net->stats, STATS_BYTES_IN, (uint64_t)n);
		return (size_t)n;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	c->peer_closed_cleanly = n == 0 && c->state == CONN_LINGER;
	if (n == -1 || c->out == NULL || (c->state == CONN_OPEN && c->upgraded))
		conn_abort(c);
	else
		io_half_closed(c);
	return 0;
}

/* TLS keeps parts of records, and answers some by itself. */
static void
io_settle_encrypted(struct conn *c)
{
	conn_update_events(c);
	if (tls_held(c) > 0)
		conn_enforce_input_budget(c);
}

void
io_read(struct conn *c)
{
	const struct service *service = c->net->service;
	size_t n;

	if (c->state == CONN_OPEN && c->handler->receive != NULL) {
		c->handler->receive(c);
		return;
	}
	if (c->net->handing_over && c->state == CONN_OPEN &&
	    conn_is_at_rest(c)) {
		conn_pause(c, PAUSE_HANDOVER);
		return;
	}
	if (c->state == CONN_OPEN && !c->handler->asks_nothing &&
	    service->hold != NULL && service->hold(c))
		return;
	n = io_receive(c);
	if (c->encrypted)
		io_settle_encrypted(c);
	if (n > 0 && c->state == CONN_OPEN)
		conn_feed(c, (char *)c->net->read_buf, n);
}

void
io_cb(struct ev_loop *loop, ev_io *io, int revents)
{
	struct conn *c = container_of(io, struct conn, io);

	(void)loop;
	if (revents & EV_ERROR) {
		conn_abort(c);
		return;
	}
	if (revents & EV_WRITE) {
		c->last_heard_tick = c->net->wheel.now; /* it takes bytes */
		flush_conn(c);
	}
	if (revents & EV_READ && c->paused == 0 && c->state != CONN_DEAD)
		io_read(c);
}

void
io_due_cb(struct wheel_entry *entry, void *arg)
{
	struct conn *c = container_of(entry, struct conn, timeout);

	(void)arg;
	CHECK(c->state != CONN_DEAD);
	if (c->state == CONN_OPEN)
		c->handler->due(c);
	else
		progress_leaving_due(c);
}
