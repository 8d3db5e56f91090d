/* SPDX-License-Identifier: MIT */
/* events.c - see events.h. */

#include "worker/api/events.h"

#include "common/http.h"
#include "worker/api/api.h"
#include "worker/api/query.h"
#include "worker/http/http_conn.h"
#include "worker/http/reply.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/resume.h"
#include "worker/state.h"

#include <inttypes.h>

/* When a client may come back, milliseconds: each another time between. */
#define EVENTS_RETRY_MIN_MS 1000u
#define EVENTS_RETRY_MAX_MS 5000u

/* Without heartbeats a look now and then costs nothing. */
#define EVENTS_LOOK_MS 60000u

#define EVENTS_HEARTBEAT     ":\n"
#define EVENTS_HEARTBEAT_LEN 2u

static void
events_count(struct worker *w, int more)
{
	w->conns.event_streams += (uint32_t)more;
	stats_set(&w->stats, STATS_EVENT_STREAMS, w->conns.event_streams);
}

/* Where the client was, if it says so.  A browser that comes back still has the
 * query that it began with, so the header is the later one. */
static void
events_since(const struct worker *w, const struct http_request *req,
    const struct api_query *query, struct intake_request *want)
{
	const struct http_text *id = http_header_find(req, "Last-Event-ID");
	const char *epoch = w->seg->header->epoch;
	struct api_place place;

	if (id != NULL && id->len > 0)
		place = api_place_parse(id->at, id->len, epoch);
	else if (query->has_since)
		place = api_place_parse(query->since, query->since_len, epoch);
	else
		return;
	want->has_since = true;
	want->is_other_epoch = place.is_other_epoch;
	want->since = place.seq;
}

/* A HEAD: what a GET would be told, and no stream. */
static void
events_head(struct conn *c)
{
	char lines[API_LINES_SIZE];

	api_lines(c->part.api, lines);
	http_reply_events(c, lines);
	conn_close_when_written(c);
}

void
events_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct intake_request want = { .kind = INTAKE_SUBSCRIBE,
		.topic = topic->at,
		.topic_len = topic->len };
	struct query_options options;
	struct api_query query;

	if (query_parse(c->w->config, req->query, &options) != QUERY_OK) {
		api_refuse(c, 400, "bad_request", options.why);
		return;
	}
	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
		return;
	}
	if (c->part.api->head_only) {
		events_head(c);
		return;
	}
	events_since(c->w, req, &query, &want);
	c->state = CONN_EVENTS;
	c->form = FRAMES_EVENT;
	c->buffer_max = options.buffer;
	c->overflow = (uint8_t)options.overflow;
	events_count(c->w, 1);
	intake_add(c->w, c, &want);
	conn_pause(c, PAUSE_INTAKE);
}

void
events_cancel(struct conn *c)
{
	events_end(c);
	c->state = CONN_HTTP;
	c->form = FRAMES_RAW;
	/* What came behind the request was thrown away. */
	c->part.api->keep_alive = false;
}

void
events_end(struct conn *c)
{
	events_count(c->w, -1);
}

static uint32_t
events_interval(const struct conn *c)
{
	uint32_t interval = c->w->config->ping_interval_ms;

	return interval == 0 ? EVENTS_LOOK_MS : interval;
}

/* retry and the first id.  Who resumes begins where it was; its gaps and its
 * replay follow. */
static void
events_put_start(
    struct worker *w, const struct intake_op *op, const struct resume *resume)
{
	uint32_t spread = (uint32_t)(op->conn->number * 2654435761u) %
	                  (EVENTS_RETRY_MAX_MS - EVENTS_RETRY_MIN_MS + 1);

	buf_reset(&w->text);
	buf_printf(&w->text, "retry: %u\nid: %s:%" PRIu64 "\n\n",
	    EVENTS_RETRY_MIN_MS + spread, w->seg->header->epoch,
	    resume->how == RESUME_REPLAY ? op->want.since : op->start.seq);
	conn_answer(op->conn, w->text.at, w->text.len);
}

void
events_answer(struct worker *w, const struct intake_op *op)
{
	struct conn *c = op->conn;
	char lines[API_LINES_SIZE];
	struct resume resume;

	api_lines(c->part.api, lines);
	api_forget(c);
	http_reply_events(c, lines);
	resume_plan(w, op, &resume);
	events_put_start(w, op, &resume);
	resume_begin(w, op, &resume);
	conn_deadline_spread(c, events_interval(c));
}

/*
 * Nothing is heard of a client of this kind, but that it takes what it is sent
 * is as good.  While something waits for it a heartbeat would only wait too.
 */
void
events_due(struct conn *c)
{
	struct worker *w = c->w;
	uint32_t interval = events_interval(c);
	uint64_t silent;

	if (c->paused & PAUSE_INTAKE || c->out == NULL)
		c->last_heard_tick = w->wheel.now;
	silent = (uint64_t)(w->wheel.now - c->last_heard_tick) * WHEEL_TICK_MS;
	if (silent < interval) {
		if (!(c->paused & PAUSE_INTAKE) && c->out == NULL &&
		    w->config->ping_interval_ms != 0)
			conn_answer(c, EVENTS_HEARTBEAT, EVENTS_HEARTBEAT_LEN);
		conn_deadline(c, interval - silent);
	} else if (w->config->ping_interval_ms == 0) {
		conn_deadline(c, interval);
	} else {
		stats_add(&w->stats, STATS_TIMEOUTS, 1);
		conn_abort(c);
	}
}
