/* SPDX-License-Identifier: MIT */
/* conns.c - see conns.h. */

#include "worker/net/conns.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/xmalloc.h"
#include "worker/net/conn.h"
#include "worker/net/io.h"
#include "worker/net/outbox.h"
#include "worker/net/peer.h"
#include "worker/net/rate.h"
#include "worker/net/service.h"
#include "worker/net/tls.h"
#include "worker/net/tls_handshake.h"

#include <stdlib.h>
#include <unistd.h>

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
	address_limits_init(
	    &net->addresses, net->config->conn_rate, net->returning);
	budget_init(&net->budget, net->config, &net->stats);
	arena_init(&net->arena);
	outbox_init(&net->outbox);
	io_init(net);
}

/* proxy: the peer, if it may tell whose the connection is; NULL: it may not. */
static struct conn *
conns_add(struct net *net, int fd, bool loopback_listener,
    const struct ip_address *proxy)
{
	struct conn *c =
	    xcalloc(1, net->service->client_size +
			   (proxy != NULL ? sizeof(struct proxied) : 0));

	ev_io_init(&c->io, io_cb, fd, EV_READ);
	c->io.data = NULL;
	c->net = net;
	c->state = CONN_OPEN;
	c->handler = net->service->handler;
	c->held = true;
	c->loopback = loopback_listener;
	c->number = ++net->conns.numbered;
	c->last_heard_tick = c->last_taken_tick = net->wheel.now;
	if (proxy != NULL) {
		c->proxied = true;
		peer_proxied(c)->peer = *proxy;
	}
	rate_init(c);
	wheel_add(
	    &net->wheel, &c->timeout, wheel_ticks(net->config->request_ms));
	ev_io_start(net->loop, &c->io);
	return c;
}

void
conns_open_admin(struct net *net, int fd, bool loopback_listener)
{
	struct conn *c = conns_add(net, fd, loopback_listener, NULL);

	c->admin = true;
	LIST_INSERT_HEAD(&net->conns.admins, c, link);
	if (++net->conns.admin_count > CONNS_ADMIN_MAX)
		c->handler->refuse(c, CONN_OPERATOR_FULL);
}

void
conns_count_refusal(struct net *net, enum conn_refusal why)
{
	static const enum stats_id counters[] = {
		[CONN_FULL] = STATS_REFUSED_LIMIT,
		[CONN_ADDRESS_FULL] = STATS_REFUSED_ADDRESS,
		[CONN_ADDRESS_RATE] = STATS_REFUSED_CONN_RATE,
	};

	CHECK(why < sizeof(counters) / sizeof(counters[0]));
	stats_add(&net->stats, counters[why], 1);
}

/* Count a refusal, and have the client told. */
static void
conns_refuse(struct conn *c, enum conn_refusal why)
{
	conns_count_refusal(c->net, why);
	c->handler->refuse(c, why);
}

static bool
conns_are_too_many(const struct conns *conns)
{
	return conns->count > conns->max ||
	       conns->count + conns->file_count > conns->fds_max;
}

void
conns_open(struct net *net, int fd, const struct ip_address *peer,
    bool loopback_listener, bool tls)
{
	bool is_proxy = peer != NULL && peer_is_proxy(net, peer);
	struct conn *c =
	    conns_add(net, fd, loopback_listener, is_proxy ? peer : NULL);
	struct peer_verdict verdict = { .wait_ms = 0 };

	if (tls)
		tls_accept(c);
	LIST_INSERT_HEAD(&net->conns.living, c, link);
	net->conns.count++;
	stats_add(&net->stats, STATS_ACCEPTED, 1);
	stats_set(&net->stats, STATS_CONNECTIONS, net->conns.count);
	if (peer != NULL && !is_proxy)
		verdict = peer_count(c, peer);
	if (conns_are_too_many(&net->conns))
		conns_refuse(c, CONN_FULL);
	else if (verdict.is_refused)
		conns_refuse(c, verdict.why);
	else if (verdict.wait_ms > 0)
		rate_wait(c, verdict.wait_ms);
}

static void
conns_free_one(struct conn *c)
{
	struct net *net = c->net;

	LIST_REMOVE(c, link);
	if (c->encrypted)
		tls_session_end(c);
	if (c->out != NULL)
		outq_free(&c->out);
	peer_leave(c);
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
