/* SPDX-License-Identifier: MIT */
/* client_address.c - see client_address.h. */

#include "worker/http/client_address.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/forwarded.h"
#include "worker/http/refusal.h"
#include "worker/net/admit.h"
#include "worker/net/peer.h"
#include "worker/net/rate.h"

/* Take what the head says of the client. */
static struct peer_verdict
client_address_tell(struct conn *c, const struct http_request *req)
{
	const struct config *config = c->net->config;
	struct ip_address client;

	switch (forwarded_client(
	    req, config->trust_proxy, config->trust_proxy_count, &client)) {
	case FORWARDED_OK:
		return peer_tell(c, &client);
	case FORWARDED_NONE:
		return peer_tell(c, &peer_proxied(c)->peer);
	case FORWARDED_BAD:
		stats_add(&c->net->stats, STATS_BAD_FORWARDED, 1);
		return peer_tell(c, NULL);
	}
	BUG("no result of a parser");
}

bool
client_address_admits(struct conn *c, const struct http_request *req)
{
	struct peer_verdict verdict;

	if (!c->proxied || !peer_proxied(c)->tells)
		return true;
	verdict = client_address_tell(c, req);
	if (verdict.is_refused) {
		admit_count_refusal(c->net, verdict.why);
		http_refusal_answer(c, req, verdict.why);
	} else if (verdict.wait_ms > 0) {
		rate_wait(c, verdict.wait_ms);
	}
	return !verdict.is_refused && verdict.wait_ms == 0;
}
