/* SPDX-License-Identifier: MIT */
/* conns.c - see conns.h. */

#include "worker/net/conns.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/http/http_conn.h"
#include "worker/net/budget.h"
#include "worker/state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
conns_init(struct conns *conns, uint32_t max, uint32_t rate)
{
	memset(conns, 0, sizeof(*conns));
	LIST_INIT(&conns->living);
	LIST_INIT(&conns->admins);
	LIST_INIT(&conns->dead);
	address_limits_init(&conns->shares, rate);
	conns->max = max;
}

static struct conn *
conns_add(struct worker *w, int fd, bool loopback_listener)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	ev_io_init(&c->io, conn_io_cb, fd, EV_READ);
	c->w = w;
	c->state = CONN_HTTP;
	c->loopback = loopback_listener;
	c->number = ++w->conns.numbered;
	c->last_heard_tick = w->wheel.now;
	rate_init(c);
	SLIST_INIT(&c->subs);
	wheel_add(&w->wheel, &c->timeout, wheel_ticks(w->config->request_ms));
	ev_io_start(w->loop, &c->io);
	return c;
}

void
conns_open_admin(struct worker *w, int fd, bool loopback_listener)
{
	struct conn *c = conns_add(w, fd, loopback_listener);

	c->admin = true;
	LIST_INSERT_HEAD(&w->conns.admins, c, link);
	if (++w->conns.admin_count > CONNS_ADMIN_MAX)
		http_conn_refuse(c, NULL, 503,
		    "too many connections for the operator", NULL);
}

void
conns_open(struct worker *w, int fd, const struct sockaddr_storage *peer,
    bool loopback_listener)
{
	struct conn *c = conns_add(w, fd, loopback_listener);

	bool within = true;

	LIST_INSERT_HEAD(&w->conns.living, c, link);
	w->conns.count++;
	stats_add(&w->stats, STATS_ACCEPTED, 1);
	stats_set(&w->stats, STATS_CONNECTIONS, w->conns.count);
	if (!address_is_exempt(peer))
		c->share = address_add_conn(
		    &w->conns.shares, peer, w->wheel.now, &within);
	if (w->conns.count > w->conns.max) {
		stats_add(&w->stats, STATS_REFUSED_LIMIT, 1);
		http_conn_refuse(
		    c, NULL, 503, "this server is full, try later", NULL);
	} else if (c->share != NULL &&
		   address_count(c->share) > w->config->max_conns_per_address) {
		stats_add(&w->stats, STATS_REFUSED_ADDRESS, 1);
		http_conn_refuse(
		    c, NULL, 429, "too many connections from here", NULL);
	} else if (!within) {
		stats_add(&w->stats, STATS_REFUSED_CONN_RATE, 1);
		http_conn_refuse(
		    c, NULL, 429, "too many new connections from here", NULL);
	}
}

static void
conns_free_one(struct conn *c)
{
	struct worker *w = c->w;

	LIST_REMOVE(c, link);
	if (c->out != NULL) {
		w->conns.buffered -= c->out->bytes;
		outq_fini(c->out);
		free(c->out);
	}
	if (c->share != NULL)
		address_remove_conn(&w->conns.shares, c->share, w->wheel.now);
	close(c->io.fd);
	if (c->admin)
		w->conns.admin_count--;
	else
		w->conns.count--;
	free(c);
}

void
conns_sweep(struct worker *w)
{
	struct conn *c, *next;
	bool freed = false;

	stats_set(&w->stats, STATS_INPUT_BYTES, budget_input(w));
	for (c = LIST_FIRST(&w->conns.dead); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		/* Not while its requests wait for the ring's lock, nor while
		 * the outbox has it: it died there, after it was added. */
		if (c->requests_pending != 0 || c->pending != 0)
			continue;
		conns_free_one(c);
		freed = true;
	}
	if (!freed)
		return;
	stats_set(&w->stats, STATS_CONNECTIONS, w->conns.count);
	stats_set(&w->stats, STATS_BUFFERED_BYTES, w->conns.buffered);
	acceptors_descriptors_freed(w);
}

void
conns_fini(struct conns *conns)
{
	CHECK(LIST_EMPTY(&conns->living) && LIST_EMPTY(&conns->admins) &&
	      LIST_EMPTY(&conns->dead) && conns->input == 0);
	address_limits_fini(&conns->shares);
}
