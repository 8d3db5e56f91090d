/* SPDX-License-Identifier: MIT */
/* conns.c - see conns.h. */

#include "worker/net/conns.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/config.h"
#include "common/xmalloc.h"
#include "worker/net/conn.h"
#include "worker/net/admit.h"
#include "worker/net/drops.h"
#include "worker/net/io.h"
#include "worker/net/outbox.h"
#include "worker/net/peer.h"
#include "worker/net/proxy.h"
#include "worker/net/rate.h"
#include "worker/net/service.h"
#include "worker/net/tls.h"
#include "worker/net/tls_handshake.h"

#include <stdlib.h>
#include <unistd.h>

#define CONNS_NUMBER_SECOND (UINT64_C(1) << CONN_NUMBER_BITS)

/* The first number of this second. */
static uint64_t
conns_number_of_now(void)
{
	return clock_monotonic_ms() / 1000 << CONN_NUMBER_BITS;
}

static uint64_t
conns_number(struct conns *conns)
{
	uint64_t now = conns_number_of_now();

	conns->numbered++;
	if (conns->numbered < now)
		conns->numbered = now;
	return conns->numbered;
}

void
conns_init(struct net *net, uint32_t max, uint32_t fds_max)
{
	CHECK(net->service->client_size >= sizeof(struct conn));
	wheel_init(&net->wheel);
	LIST_INIT(&net->conns.living);
	LIST_INIT(&net->conns.admins);
	LIST_INIT(&net->conns.dead);
	net->conns.max = max;
	net->conns.fds_max = fds_max;
	/* A predecessor may have numbered some in this second. */
	net->conns.numbered = conns_number_of_now() + CONNS_NUMBER_SECOND;
	address_limits_init(
	    &net->addresses, net->config->conn_rate, net->returning);
	budget_init(&net->budget, net->config, &net->stats);
	arena_init(&net->arena);
	outbox_init(&net->outbox);
	io_init(net);
}

/* proxied: its other end may tell whose the connection is. */
static struct conn *
conns_add(struct net *net, int fd, uint64_t number, bool proxied)
{
	size_t more = proxied ? sizeof(struct proxied) : 0;
	struct conn *c = xcalloc(1, net->service->client_size + more);

	ev_io_init(&c->io, io_cb, fd, EV_READ);
	c->io.data = NULL;
	c->net = net;
	c->state = CONN_OPEN;
	c->handler = net->service->handler;
	c->held = true;
	c->number = number;
	c->last_heard_tick = c->last_taken_tick = net->wheel.now;
	c->proxied = proxied;
	rate_init(c);
	wheel_add(
	    &net->wheel, &c->timeout, wheel_ticks(net->config->request_ms));
	ev_io_start(net->loop, &c->io);
	return c;
}

void
conns_open_admin(struct net *net, int fd, bool loopback_listener)
{
	struct conn *c = conns_add(net, fd, conns_number(&net->conns), false);

	c->loopback = loopback_listener;
	c->admin = true;
	LIST_INSERT_HEAD(&net->conns.admins, c, link);
	if (++net->conns.admin_count > CONNS_ADMIN_MAX)
		c->handler->refuse(c, CONN_OPERATOR_FULL);
}

/* One that is not the operator's. */
static struct conn *
conns_add_client(struct net *net, int fd, uint64_t number, bool proxied)
{
	struct conn *c = conns_add(net, fd, number, proxied);

	LIST_INSERT_HEAD(&net->conns.living, c, link);
	net->conns.count++;
	stats_set(&net->stats, STATS_CONNECTIONS, net->conns.count);
	return c;
}

static bool
conns_are_too_many(const struct conns *conns)
{
	return conns->count > conns->max ||
	       conns->count + conns->file_count > conns->fds_max;
}

void
conns_open(struct net *net, int fd, const struct ip_address *peer,
    const struct conns_listener *from)
{
	bool may_tell = from->proxy || peer_is_proxy(net, peer);
	struct conn *c =
	    conns_add_client(net, fd, conns_number(&net->conns), may_tell);

	c->loopback = from->loopback;
	if (may_tell)
		peer_proxied(c)->peer = *peer;
	if (from->proxy)
		proxy_accept(c, from->tls);
	else if (from->tls)
		tls_accept(c);
	stats_add(&net->stats, STATS_ACCEPTED, 1);
	if (conns_are_too_many(&net->conns))
		admit_refuse(c, CONN_FULL);
	else if (!from->proxy)
		admit_peer(c, peer);
}

struct conn *
conns_adopt(
    struct net *net, int fd, uint64_t number, const struct proxied *proxied)
{
	struct conn *c = conns_add_client(net, fd, number, proxied != NULL);

	if (proxied != NULL)
		*peer_proxied(c) = *proxied;
	return c;
}

void
conns_adopted(struct net *net)
{
	struct conn_list reversed = net->conns.living;
	struct conn *c;

	LIST_INIT(&net->conns.living);
	while ((c = LIST_FIRST(&reversed)) != NULL) {
		LIST_FIRST(&reversed) = LIST_NEXT(c, link);
		LIST_INSERT_HEAD(&net->conns.living, c, link);
	}
}

static void
conns_free_one(struct conn *c)
{
	struct net *net = c->net;

	LIST_REMOVE(c, link);
	if (net->service->forget != NULL)
		net->service->forget(c);
	if (c->encrypted)
		tls_session_end(c);
	if (c->out != NULL)
		outq_free(&c->out);
	peer_leave(c);
	drops_forget(c);
	close(c->io.fd);
	if (c->admin)
		net->conns.admin_count--;
	else
		net->conns.count--;
	free(c);
}

bool
conns_sweep(struct net *net)
{
	struct conn *c, *next;
	bool freed = false;

	for (c = LIST_FIRST(&net->conns.dead); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		/* Not while its requests wait for the ring's lock, nor while
		 * the outbox has it: it died there, after it was added. */
		if (c->requests_pending != 0 || c->pending != 0)
			continue;
		conns_free_one(c);
		freed = true;
	}
	if (freed)
		stats_set(&net->stats, STATS_CONNECTIONS, net->conns.count);
	return freed;
}

void
conns_fini(struct net *net)
{
	struct conn *c;

	while ((c = LIST_FIRST(&net->conns.living)) != NULL ||
	       (c = LIST_FIRST(&net->conns.admins)) != NULL)
		conn_abort(c);
	LIST_FOREACH(c, &net->conns.dead, link)
		c->requests_pending = c->pending = 0;
	conns_sweep(net);
	CHECK(LIST_EMPTY(&net->conns.dead) &&
	      net->budget.held[BUDGET_INPUT] == 0 &&
	      net->budget.held[BUDGET_OUTPUT] == 0);
	address_limits_fini(&net->addresses);
	outbox_fini(&net->outbox);
	arena_fini(&net->arena);
	io_fini(net);
}
