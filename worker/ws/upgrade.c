/* SPDX-License-Identifier: MIT */
/* upgrade.c - see upgrade.h. */

#include "worker/ws/upgrade.h"

#include "common/handshake.h"
#include "common/http.h"
#include "worker/access/origin.h"
#include "worker/http/http_conn.h"
#include "worker/net/conn.h"
#include "worker/net/service.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

/* The first protocol of the service's list that the client offers, or else the
 * first one, which needs no subprotocol. */
static uint8_t
upgrade_choose(const struct service *service, const struct http_request *req)
{
	for (uint8_t i = 1; i < service->protocols_count; i++)
		if (handshake_offers(req, service->protocols[i]->name))
			return i;
	return 0;
}

/* Refuse the upgrade; the connection ends. */
static void
upgrade_refuse(
    struct conn *c, const struct http_request *req, int status, const char *why)
{
	const char *extra = status == 426   ? HANDSHAKE_VERSION_LINE
	                    : status == 405 ? "Allow: GET, OPTIONS\r\n"
	                                    : NULL;

	stats_add(&c->net->stats, STATS_REFUSED_REQUEST, 1);
	http_conn_refuse(c, req, status, why, extra);
}

void
ws_upgrade(struct conn *c, const struct http_request *req)
{
	enum origin_verdict verdict;
	const struct protocol *protocol;
	char head[512];
	const char *why;
	int status = handshake_check(req, &why);

	if (status != 101) {
		upgrade_refuse(c, req, status, why);
		return;
	}
	verdict = origin_check(c->net->config, req);
	if (verdict != ORIGIN_OK) {
		http_conn_refuse_origin(c, req, verdict);
		return;
	}
	c->protocol = upgrade_choose(c->net->service, req);
	protocol = ws_conn_protocol(c);
	if (protocol->accept != NULL && !protocol->accept(c, req, &why)) {
		upgrade_refuse(c, req, 400, why);
		return;
	}
	if (c->net->draining) {
		upgrade_refuse(c, req, 503, "the server is going away");
		return;
	}
	conn_answer(c, head,
	    handshake_response(req, protocol->name, head, sizeof(head)));
	ws_conn_begin(c);
	if (protocol->begin != NULL)
		protocol->begin(c, req);
	/* The 101 says that the topics of the query are subscribed to.  What
	 * comes later is answered when it is done, so nothing else waits. */
	c->held = c->requests_pending > 0;
}
