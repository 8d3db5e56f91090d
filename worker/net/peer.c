/* SPDX-License-Identifier: MIT */
/* peer.c - see peer.h. */

#include "worker/net/peer.h"

#include "common/bug.h"
#include "common/config.h"
#include "worker/net/service.h"

#include <stdio.h>
#include <sys/socket.h>

bool
peer_is_proxy(const struct net *net, const struct ip_address *ip)
{
	const struct config *config = net->config;

	return ip_is_among(ip, config->trust_proxy, config->trust_proxy_count);
}

struct proxied *
peer_proxied(struct conn *c)
{
	CHECK(c->proxied);
	return (void *)((char *)c + c->net->service->client_size);
}

void
peer_leave(struct conn *c)
{
	struct net *net = c->net;

	if (c->io.data != NULL)
		address_remove_conn(
		    &net->addresses, c->io.data, net->wheel.now);
	c->io.data = NULL;
}

/* Count the connection for one address, and for no other. */
static struct peer_verdict
peer_move(struct conn *c, const struct ip_address *ip, bool is_new)
{
	struct net *net = c->net;
	struct peer_verdict verdict = { .wait_ms = 0 };
	struct address_share *share = c->io.data;

	if (share != NULL && address_is_of(share, ip))
		return verdict;
	peer_leave(c);
	c->io.data = share = address_add_conn(&net->addresses, ip,
	    net->wheel.now, is_new ? &verdict.wait_ms : NULL);
	if (address_count(share) > net->config->max_conns_per_address)
		verdict = (struct peer_verdict){ .is_refused = true,
			.why = CONN_ADDRESS_FULL };
	else if (verdict.wait_ms == ADDRESS_REFUSED)
		verdict = (struct peer_verdict){ .is_refused = true,
			.why = CONN_ADDRESS_RATE };
	return verdict;
}

/* Whether who comes from there stands for all its clients. */
static bool
peer_is_exempt(const struct ip_address *ip)
{
	return ip_is_loopback(ip) || ip_is_unspecified(ip);
}

struct peer_verdict
peer_count(struct conn *c, const struct ip_address *ip)
{
	if (peer_is_exempt(ip))
		return (struct peer_verdict){ .wait_ms = 0 };
	return peer_move(c, ip, true);
}

struct peer_verdict
peer_tell(struct conn *c, const struct ip_address *client)
{
	struct proxied *proxied = peer_proxied(c);
	bool is_new = !proxied->is_told;

	proxied->is_told = true;
	proxied->client = client != NULL ? *client : proxied->peer;
	if (client == NULL || !peer_is_exempt(client))
		return peer_move(c, &proxied->client, is_new);
	peer_leave(c);
	return (struct peer_verdict){ .wait_ms = 0 };
}

/* The address that one of no proxy is from.  False: it was reset, and has none any
 * more; it ends at its first event. */
static bool
peer_ask(struct conn *c, struct ip_address *ip)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	return getpeername(c->io.fd, (struct sockaddr *)&from, &len) == 0 &&
	       ip_from_sockaddr(ip, &from);
}

void
peer_adopt(struct conn *c, bool counts)
{
	const struct proxied *proxied;
	struct ip_address ip;

	if (!counts)
		return;
	if (c->proxied) {
		proxied = peer_proxied(c);
		ip = proxied->is_told ? proxied->client : proxied->peer;
	} else if (!peer_ask(c, &ip)) {
		return;
	}
	peer_move(c, &ip, false);
}

const char *
peer_format(struct conn *c, char out[IP_TEXT_MAX])
{
	struct ip_address ip;

	if (c->proxied) {
		struct proxied *proxied = peer_proxied(c);

		return ip_format(
		    proxied->is_told ? &proxied->client : &proxied->peer, out);
	}
	if (peer_ask(c, &ip))
		return ip_format(&ip, out);
	snprintf(out, IP_TEXT_MAX, "nowhere");
	return out;
}
