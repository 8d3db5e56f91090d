/* SPDX-License-Identifier: MIT */
/* pubsub.c - see pubsub.h. */

#include "worker/pubsub.h"

#include "common/http.h"
#include "worker/api/api.h"
#include "worker/protocol/plain.h"
#include "worker/requests/listen_query.h"
#include "worker/state.h"
#include "worker/protocol/v1_request.h"
#include "worker/protocol/v1_answer.h"

/* Subscribe to each ?topic=. */
static void
pubsub_subscribe_query(struct conn *c, const struct http_request *req)
{
	struct http_text query = req->query, topic;
	char room[QUERY_TOPIC_ROOM];

	while (query_topic_next(&query, room, &topic)) {
		const struct intake_request want = {
			.kind = INTAKE_SUBSCRIBE,
			.topic = topic.at,
			.topic_len = (uint8_t)topic.len,
		};

		intake_add(c->w, c, &want);
	}
}

static void
pubsub_begin_v1(struct conn *c, const struct http_request *req)
{
	c->form = FRAMES_ENVELOPE;
	v1_welcome(c);
	pubsub_subscribe_query(c, req);
}

/* The plain contract has no word for it: what is sent stays unread. */
static void
pubsub_drain_plain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	(void)in_ms;
	(void)spread_ms;
	conn_pause(c, PAUSE_DRAIN);
}

static bool
pubsub_serve(struct conn *c, const struct http_request *req)
{
	if (!api_has(&req->path))
		return false;
	api_serve(c, req);
	return true;
}

static const struct protocol pubsub_protocols[] = {
	{
	    .begin = pubsub_subscribe_query,
	    .message = plain_message,
	    .drain = pubsub_drain_plain,
	},
	{
	    .name = V1_PROTOCOL,
	    .begin = pubsub_begin_v1,
	    .message = v1_message,
	    .drain = v1_drain,
	},
};

const struct service pubsub_service = {
	.protocols = pubsub_protocols,
	.protocols_count =
	    sizeof(pubsub_protocols) / sizeof(pubsub_protocols[0]),
	.slack = CONFIG_ENVELOPE_SLACK,
	.serve = pubsub_serve,
};
