/* SPDX-License-Identifier: MIT */
/* feed.c - see feed.h. */

#include "worker/api/feed.h"

#include "common/http.h"
#include "common/xmalloc.h"
#include "worker/api/answer.h"
#include "worker/api/events.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/delivery/subscribe.h"
#include "worker/requests/intake.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/resume.h"

#include <stdlib.h>
#include <string.h>

/* What belongs to the request while it waits. */
struct feed_job {
	uint32_t left;             /* subscriptions that are not done yet */
	enum intake_result result; /* of the first that was refused */
	bool is_back;              /* it was here before */
	bool is_other_epoch;       /* with another ring */
	bool has_start;            /* last or every_ms */
	uint32_t count;            /* of subscriptions */
};

static void
feed_free_job(struct conn *c, void *job)
{
	(void)c;
	free(job);
}

/* The first event, and for who was here before that it missed something. */
static void
feed_put_start(struct hub *hub, struct conn *c, bool is_back, bool is_other)
{
	const char *epoch = hub->seg->header->epoch;
	struct buf *text = api_text(c);

	buf_printf(text,
	    "retry: %u\nid: %s\nevent: ready\n"
	    "data: {\"type\":\"ready\",\"epoch\":\"%s\"}\n\n",
	    api_retry_ms(c), epoch, epoch);
	if (is_back) {
		stats_add(&c->net->stats, STATS_GAPS, 1);
		buf_printf(text,
		    "event: gap\ndata: {\"type\":\"gap\",\"reason\":"
		    "\"%s\"}\n\n",
		    is_other ? "epoch" : "reconnected");
	}
	events_send(c, text);
}

/* One was refused: none is left. */
static void
feed_refuse(struct hub *hub, const struct intake_op *op)
{
	struct intake_op refused = *op;
	const struct feed_job *job = api_request_of(op->conn)->job;

	refused.result = job->result;
	subscribe_end_all(op->conn);
	client_of(op->conn)->form = FORM_TEXT;
	api_answer_failure(hub, &refused);
}

/* Begin each subscription as it asks for.  They were added one behind the other,
 * and done in the same turn. */
static void
feed_resume(struct hub *hub, const struct intake_op *first, uint32_t count)
{
	struct resume resume;

	for (const struct intake_op *op = first; op < first + count; op++) {
		resume_plan(hub, op, &resume);
		resume_begin(hub, op, &resume);
	}
}

/* With the last one the stream begins. */
static void
feed_answer(struct hub *hub, const struct intake_op *op)
{
	struct feed_job *job = api_request_of(op->conn)->job;
	struct feed_job copy;

	if (job->result == INTAKE_DONE)
		job->result = op->result;
	if (--job->left > 0)
		return;
	if (job->result != INTAKE_DONE) {
		feed_refuse(hub, op);
		return;
	}
	copy = *job; /* which ends with the request */
	events_open(op->conn);
	feed_put_start(hub, op->conn, copy.is_back, copy.is_other_epoch);
	if (copy.has_start)
		feed_resume(hub, op - (copy.count - 1), copy.count);
}

/* Whether the client says that it was here before, and if with this ring. */
static void
feed_since(const struct conn *c, const struct http_request *req,
    const struct api_query *query, struct feed_job *job)
{
	const struct http_text *id = http_header_find(req, "Last-Event-ID");
	const char *epoch = hub_of(c)->seg->header->epoch;
	const struct api_query_place *asked =
	    query->last_event_id.given ? &query->last_event_id : &query->since;
	struct http_text place = { asked->at, asked->given ? asked->len : 0 };

	if (id != NULL && id->len > 0)
		place = *id;
	job->is_back = place.len > 0 || asked->given;
	job->is_other_epoch = !http_text_equal(&place, epoch);
}

void
feed_begin(struct conn *c, const struct http_request *req)
{
	struct api_request *r = api_request_of(c);
	struct query_options options;
	struct api_query query;
	struct feed_job *job;

	if (query_parse(c->net->config, req->query, &options) != QUERY_OK) {
		api_refuse(c, 400, "bad_request", options.why);
		return;
	}
	if (options.topics + options.patterns == 0) {
		api_refuse(c, 400, "bad_request",
		    "which topics? ?topic=NAME or ?pattern=PATTERN");
		return;
	}
	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
		return;
	}
	if (options.patterns > 0 && (query.last || query.every_ms != 0)) {
		api_refuse(c, 400, "bad_request",
		    "last and every_ms are of topics, not of patterns");
		return;
	}
	if (r->head_only) {
		events_head(c);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->count = job->left = options.topics + options.patterns;
	job->has_start = query.last || query.every_ms != 0;
	feed_since(c, req, &query, job);
	r->job = job;
	r->free_job = feed_free_job;
	client_of(c)->form = r->takes_chunks ? FORM_FEED_CHUNK : FORM_FEED;
	c->buffer_max = options.buffer;
	c->overflow = (uint8_t)options.overflow;
	query_subscribe(c, req->query,
	    &(struct intake_request){ .answer = feed_answer,
		.follows = true,
		.last = query.last,
		.every_ms = query.every_ms });
	conn_pause(c, PAUSE_INTAKE);
}
