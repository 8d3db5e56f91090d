/* SPDX-License-Identifier: MIT */
/* admit.c - see admit.h. */

#include "worker/net/admit.h"

#include "common/bug.h"
#include "worker/net/peer.h"
#include "worker/net/rate.h"

void
admit_count_refusal(struct net *net, enum conn_refusal why)
{
	static const enum stats_id counters[] = {
		[CONN_FULL] = STATS_REFUSED_LIMIT,
		[CONN_ADDRESS_FULL] = STATS_REFUSED_ADDRESS,
		[CONN_ADDRESS_RATE] = STATS_REFUSED_CONN_RATE,
	};

	CHECK(why < sizeof(counters) / sizeof(counters[0]));
	stats_add(&net->stats, counters[why], 1);
}

void
admit_refuse(struct conn *c, enum conn_refusal why)
{
	admit_count_refusal(c->net, why);
	c->handler->refuse(c, why);
}

void
admit_peer(struct conn *c, const struct ip_address *peer)
{
	struct peer_verdict verdict;

	if (peer_is_proxy(c->net, peer)) {
		peer_proxied(c)->tells = true;
		return;
	}
	verdict = peer_count(c, peer);
	if (verdict.is_refused)
		admit_refuse(c, verdict.why);
	else if (verdict.wait_ms > 0)
		rate_wait(c, verdict.wait_ms);
}
