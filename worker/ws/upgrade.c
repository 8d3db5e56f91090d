/* SPDX-License-Identifier: MIT */
/* upgrade.c - see upgrade.h. */

#include "worker/ws/upgrade.h"

#include "common/config.h"
#include "common/deflate.h"
#include "common/handshake.h"
#include "common/http.h"
#include "common/ws_deflate.h"
#include "worker/access/origin.h"
#include "worker/http/http_conn.h"
#include "worker/net/conn.h"
#include "worker/net/service.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

static bool
upgrade_is_at(const struct protocol *protocol, const struct http_text *path)
{
	return http_text_equal(
	    path, protocol->path != NULL ? protocol->path : "/ws");
}

bool
ws_is_at(const struct conn *c, const struct http_text *path)
{
	const struct service *service = c->net->service;

	for (uint8_t i = 0; i < service->protocols_count; i++)
		if (upgrade_is_at(service->protocols[i], path))
			return true;
	return false;
}

static bool
upgrade_is_offered(
    const struct protocol *protocol, const struct http_request *req)
{
	return protocol->name != NULL && handshake_offers(req, protocol->name);
}

/* Of the service's protocols at this path the first that the client offers, or
 * else the first one. */
static uint8_t
upgrade_choose(const struct service *service, const struct http_request *req)
{
	uint8_t first = service->protocols_count;

	for (uint8_t i = 0; i < service->protocols_count; i++) {
		if (!upgrade_is_at(service->protocols[i], &req->path))
			continue;
		if (upgrade_is_offered(service->protocols[i], req))
			return i;
		if (first == service->protocols_count)
			first = i;
	}
	return first;
}

/*
 * Agree on permessage-deflate, if the client offers it and --compress is set.
 * Returns: the value of Sec-WebSocket-Extensions, written to answer; NULL: none.
 */
static const char *
upgrade_agree(struct conn *c, const struct http_request *req,
    struct ws_deflate *agreed, char answer[WS_DEFLATE_ANSWER_MAX])
{
	struct net *net = c->net;
	unsigned declined;

	if (net->config->compress == CONFIG_COMPRESS_OFF)
		return NULL;
	c->deflate = ws_deflate_choose(req, agreed, &declined);
	stats_add(&net->stats, STATS_DEFLATE_DECLINED, declined);
	if (!c->deflate)
		return NULL;
	stats_add(&net->stats, STATS_DEFLATE_AGREED, 1);
	ws_deflate_answer(agreed, answer);
	return answer;
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
	struct ws_deflate agreed;
	char head[512], answer[WS_DEFLATE_ANSWER_MAX];
	const char *why, *name, *extension;
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
	protocol = protocol_of(c);
	if (protocol->accept != NULL && !protocol->accept(c, req, &why)) {
		upgrade_refuse(c, req, 400, why);
		return;
	}
	if (c->net->draining) {
		upgrade_refuse(c, req, 503, "the server is going away");
		return;
	}
	name = upgrade_is_offered(protocol, req) ? protocol->name : NULL;
	extension = upgrade_agree(c, req, &agreed, answer);
	conn_answer(c, head,
	    handshake_response(req, name, extension, head, sizeof(head)));
	ws_conn_begin(c);
	if (protocol->begin != NULL)
		protocol->begin(c, req);
	if (c->deflate && protocol->compress != NULL &&
	    agreed.window_bits >= DEFLATE_WINDOW_BITS)
		protocol->compress(c);
	/* The 101 says that the topics of the query are subscribed to.  What
	 * comes later is answered when it is done, so nothing else waits. */
	c->held = c->requests_pending > 0;
}
