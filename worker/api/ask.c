/* SPDX-License-Identifier: MIT */
/* ask.c - see ask.h. */

#include "worker/api/ask.h"

#include "worker/api/answer.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/requests/intake.h"

void
api_ask(
    struct conn *c, const struct api_name *topic, struct intake_request *want)
{
	want->topic = topic->at;
	want->topic_len = topic->len;
	intake_add(c, want);
	conn_pause(c, PAUSE_INTAKE);
}

void
api_ask_history(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct intake_request want = { .kind = INTAKE_HISTORY,
		.answer = api_answer_history,
		.limit = INTAKE_HISTORY_MAX };
	struct api_query query;

	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
		return;
	}
	if (query.has_limit && query.limit < want.limit)
		want.limit = query.limit;
	want.has_before = query.has_before;
	want.before = query.before;
	api_ask(c, topic, &want);
}

void
api_ask_last(struct conn *c, const struct api_name *topic)
{
	struct intake_request want = { .kind = INTAKE_LAST,
		.answer = api_answer_last };

	api_ask(c, topic, &want);
}
