/* SPDX-License-Identifier: MIT */
/* pubsub.c - see pubsub.h. */

#include "worker/pubsub.h"

#include "common/config.h"
#include "common/http.h"
#include "worker/api/api.h"
#include "worker/api/event_form.h"
#include "worker/api/events.h"
#include "worker/api/feed_form.h"
#include "worker/delivery/ending.h"
#include "worker/describe.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/policies.h"
#include "worker/handover/conn_record.h"
#include "worker/http/http_conn.h"
#include "worker/protocol/centrifuge.h"
#include "worker/protocol/plain.h"
#include "worker/protocol/v1.h"
#include "worker/requests/caller.h"
#include "worker/requests/intake.h"
#include "worker/site.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

static bool
pubsub_route(struct conn *c, const struct http_request *req)
{
	if (!api_has(&req->path))
		return false;
	api_serve(c, req);
	return true;
}

static void
pubsub_serve(struct conn *c, const struct http_request *req)
{
	site_serve(c, req, pubsub_route);
}

static void
pubsub_refuse(
    struct conn *c, const struct http_request *req, enum conn_refusal why)
{
	site_refuse(c, req, why, api_put_off_events);
}

_Static_assert(POLICY_OVERFLOW_DROP == OUTQ_DROP + 1 &&
		   POLICY_OVERFLOW_LATEST == OUTQ_LATEST + 1 &&
		   POLICY_OVERFLOW_CLOSE == OUTQ_CLOSE + 1,
    "the same behind that of the client");

/* The client has a subscription to the topic, or had one in this turn. */
static uint8_t
pubsub_overflow(const struct conn *c, uint32_t topic)
{
	struct hub *hub = hub_of(c);
	uint8_t overflow;

	if (hub->endings.count > 0 &&
	    ending_has(&hub->endings, (const struct client *)c, topic))
		return OUTQ_ENDED;
	overflow = policy_of(hub, topic)->overflow;
	return overflow == POLICY_OVERFLOW_CLIENT ? c->overflow
	                                          : (uint8_t)(overflow - 1);
}

const struct form *const pubsub_forms[FORMS] = {
	[FORM_TEXT] = &plain_form,
	[FORM_ENVELOPE] = &v1_form,
	[FORM_EVENT] = &event_form,
	[FORM_CHUNK] = &event_chunk_form,
	[FORM_FEED] = &feed_form,
	[FORM_FEED_CHUNK] = &feed_chunk_form,
	[FORM_TEXT_DEFLATED] = &plain_form,
	[FORM_ENVELOPE_DEFLATED] = &v1_form,
	[FORM_PUSH] = &centrifuge_form,
};

static const struct protocol *const pubsub_protocols[] = {
	&plain_protocol,
	&v1_protocol,
	&centrifuge_protocol,
};

static const struct conn_handler *const pubsub_moving[] = {
	[CONN_RECORD_HTTP] = &http_conn_handler,
	[CONN_RECORD_WEBSOCKET] = &ws_conn_handler,
	[CONN_RECORD_EVENTS] = &events_handler,
};

const struct service pubsub_service = {
	.client_size = sizeof(struct client),
	.handler = &http_conn_handler,
	.protocols = pubsub_protocols,
	.protocols_count =
	    sizeof(pubsub_protocols) / sizeof(pubsub_protocols[0]),
	.moving = pubsub_moving,
	.moving_count = sizeof(pubsub_moving) / sizeof(pubsub_moving[0]),
	.slack = CONFIG_ENVELOPE_SLACK,
	.serve = pubsub_serve,
	.refuse = pubsub_refuse,
	.forget = caller_forget,
	.hold = intake_hold,
	.overflow = pubsub_overflow,
	.describe = describe_conn,
};
