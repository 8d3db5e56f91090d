/* SPDX-License-Identifier: MIT */
/* proxy.c - see proxy.h. */

#include "worker/net/proxy.h"

#include "common/config.h"
#include "common/log.h"
#include "common/proxy_header.h"
#include "worker/net/admit.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/peer.h"
#include "worker/net/service.h"
#include "worker/net/tls_handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* How long a connection that is refused may take for its header. */
#define PROXY_REFUSED_MS 2000u

/* A line about connections without a header is logged so seldom, ticks. */
#define PROXY_QUIET_TICKS (60000u / WHEEL_TICK_MS)

/* It has no header, or a broken one: close it, and tell the operator, who may
 * have configured only one of both ends. */
static void
proxy_fail(struct conn *c, const char *why)
{
	struct net *net = c->net;
	char address[IP_TEXT_MAX];

	stats_add(&net->stats, STATS_BAD_PROXY_HEADER, 1);
	if (net->proxy_quiet_until <= net->wheel.now) {
		net->proxy_quiet_until = net->wheel.now + PROXY_QUIET_TICKS;
		log_warnx("closed to %s: no PROXY header, but %s",
		    peer_format(c, address), why);
	}
	conn_abort(c);
}

/* The header tells the client: from here on it is as if that had connected. */
static void
proxy_done(struct conn *c, const struct proxy_header *header)
{
	struct proxied *proxied = peer_proxied(c);

	free(conn_take_input(c));
	if (header->has_address)
		proxied->peer = header->client;
	if (proxied->has_tls)
		tls_accept(c);
	else
		conn_speak(c, c->net->service->handler, NULL);
	if (proxied->is_refused)
		c->handler->refuse(c, proxied->why);
	else
		admit_peer(c, &proxied->peer);
}

/* Take bytes that have been peeked at off the socket.  Returns false if that
 * does not work; the connection is closed then. */
static bool
proxy_consume(struct conn *c, size_t len)
{
	if (recv(c->io.fd, c->net->read_buf, len, 0) == (ssize_t)len) {
		stats_add(&c->net->stats, STATS_BYTES_IN, len);
		return true;
	}
	conn_abort(c);
	return false;
}

/* Some bytes have come, behind those that are kept. */
static void
proxy_feed(struct conn *c, size_t kept, size_t fresh)
{
	char *data = (char *)c->net->read_buf;
	struct proxy_header header;

	if (kept > 0)
		memcpy(data, c->input->data, kept);
	switch (proxy_header_parse(
	    data, kept + fresh, c->net->config->max_head, &header)) {
	case PROXY_HEADER_OK:
		if (proxy_consume(c, header.len - kept))
			proxy_done(c, &header);
		return;
	case PROXY_HEADER_PARTIAL:
		conn_keep_input(c, data + kept, fresh);
		if (proxy_consume(c, fresh))
			conn_enforce_input_budget(c);
		return;
	case PROXY_HEADER_BAD:
		proxy_fail(c, header.why);
		return;
	}
}

static void
proxy_receive(struct conn *c)
{
	struct net *net = c->net;
	size_t kept = c->input != NULL ? c->input->len : 0;
	size_t room = net->config->max_head;
	ssize_t n = recv(c->io.fd, net->read_buf + kept,
	    kept < room ? room - kept : 1, MSG_PEEK);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	c->last_heard_tick = net->wheel.now;
	if (n > 0)
		proxy_feed(c, kept, (size_t)n);
	else if (kept > 0)
		proxy_fail(c, "half of one");
	else
		conn_abort(c); /* somebody looked whether the port is open */
}

static void
proxy_due(struct conn *c)
{
	conn_time_out(c);
}

/* The client is told behind the header, if the server can wait for that. */
static void
proxy_refuse(struct conn *c, enum conn_refusal why)
{
	struct proxied *proxied = peer_proxied(c);

	if (proxied->has_tls || why == CONN_NO_INPUT_MEMORY) {
		conn_cut(c);
		return;
	}
	proxied->is_refused = true;
	proxied->why = why;
	conn_deadline(c, PROXY_REFUSED_MS);
}

static void
proxy_go_away(struct conn *c, bool restart)
{
	(void)restart;
	c->peer_closed_cleanly = true; /* it has asked for nothing */
	conn_abort(c);
}

static const struct conn_handler proxy_handler = {
	.receive = proxy_receive,
	.asks_nothing = true,
	.due = proxy_due,
	.refuse = proxy_refuse,
	.go_away = proxy_go_away,
};

void
proxy_accept(struct conn *c, bool tls)
{
	peer_proxied(c)->has_tls = tls;
	conn_speak(c, &proxy_handler, NULL);
}
