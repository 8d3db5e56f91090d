/* SPDX-License-Identifier: MIT */
/* events.c - see events.h. */

#include "worker/api/events.h"

#include "common/config.h"
#include "common/http.h"
#include "common/http_chunked.h"
#include "worker/api/answer.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/http/reply.h"
#include "worker/net/progress.h"
#include "worker/delivery/place.h"
#include "worker/requests/intake.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/resume.h"

#include <inttypes.h>
#include <string.h>

/* Without heartbeats a look now and then costs nothing. */
#define EVENTS_LOOK_MS 60000u

/* A heartbeat that has not arrived when the next is due has this part of the
 * interval more, and never less than that, milliseconds: as a ping has for its
 * pong (ws_conn.c). */
#define EVENTS_LOOK_PART   9
#define EVENTS_LOOK_MIN_MS 2000u

#define EVENTS_HEARTBEAT ":\n"

static bool
events_is_chunked(struct conn *c)
{
	return hub_of(c)->forms[client_of(c)->form]->in_chunks;
}

void
events_send(struct conn *c, struct buf *text)
{
	if (events_is_chunked(c))
		http_chunk_close(text, 0);
	conn_answer(c, text->at, text->len);
}

/* The stream ends here, and with it the connection. */
static void
events_close(struct conn *c)
{
	if (events_is_chunked(c))
		conn_answer(c, HTTP_CHUNK_LAST, strlen(HTTP_CHUNK_LAST));
	conn_close_when_written(c);
}

/* Where the client was, if it says so.  A browser that comes back still has the
 * query that it began with, so the header is the later one; what cannot set the
 * header has ?lastEventId= in its place, behind the ?since= that it began with.
 */
static void
events_since(const struct conn *c, const struct http_request *req,
    const struct api_query *query, struct intake_request *want)
{
	const struct http_text *id = http_header_find(req, "Last-Event-ID");
	const char *epoch = hub_of(c)->seg->header->epoch;
	const struct api_query_place *asked =
	    query->last_event_id.given ? &query->last_event_id : &query->since;
	struct api_place place;

	if (id != NULL && id->len > 0)
		place = api_place_parse(id->at, id->len, epoch);
	else if (asked->given)
		place = api_place_parse(asked->at, asked->len, epoch);
	else
		return;
	want->has_since = true;
	want->is_other_epoch = place.is_other_epoch;
	want->since = place.seq;
	want->has_place = place.has_place;
	want->since_place = place.place;
}

void
events_head(struct conn *c)
{
	const struct api_request *r = api_request_of(c);
	char lines[API_LINES_SIZE];

	api_lines(r, lines);
	http_reply_events(c, lines, r->takes_chunks);
	conn_close_when_written(c);
}

static uint32_t
events_interval(const struct conn *c)
{
	uint32_t interval = c->net->config->ping_interval_ms;

	return interval == 0 ? EVENTS_LOOK_MS : interval;
}

/* retry, the first id, and an object that says the same: some libraries hand
 * every block to the page, which takes the data of each for JSON.  A client that
 * resumes begins where it was; its gaps and its replay follow. */
static void
events_put_start(
    struct hub *hub, const struct intake_op *op, const struct resume *resume)
{
	bool is_replay = resume->how == RESUME_REPLAY;
	uint64_t seq = !is_replay                ? op->start.seq
	               : op->want.is_other_epoch ? resume->chain.low - 1
	                                         : op->want.since;
	uint64_t place = is_replay ? op->want.since_place : op->place;
	char place_id[PLACE_TEXT_MAX + 1] = ":";
	const char *epoch = hub->seg->header->epoch;
	struct buf *text = api_text(op->conn);

	buf_printf(text, "retry: %u\nid: %s:%" PRIu64, api_retry_ms(op->conn),
	    epoch, seq);
	if (place != 0)
		buf_add(text, place_id, 1 + place_text(place_id + 1, place));
	buf_puts(text, "\nevent: ready\ndata: {\"type\":\"ready\",\"topic\":");
	buf_json_string(
	    text, intake_topic(hub->intake, op), op->want.topic_len);
	buf_printf(
	    text, ",\"epoch\":\"%s\",\"seq\":%" PRIu64 "}\n\n", epoch, seq);
	events_send(op->conn, text);
}

void
events_open(struct conn *c)
{
	char lines[API_LINES_SIZE];

	api_lines(api_request_of(c), lines);
	api_forget(c);
	conn_speak(c, &events_handler, NULL);
	stats_add(&c->net->stats, STATS_EVENT_STREAMS, 1);
	http_reply_events(c, lines, events_is_chunked(c));
	conn_deadline_spread(c, events_interval(c));
}

/* It is subscribed: begin the stream.  Or it is a request like any other. */
static void
events_answer(struct hub *hub, const struct intake_op *op)
{
	struct resume resume;

	if (op->result != INTAKE_DONE) {
		client_of(op->conn)->form = FORM_TEXT;
		api_answer_failure(hub, op);
		return;
	}
	events_open(op->conn);
	resume_plan(hub, op, &resume);
	events_put_start(hub, op, &resume);
	resume_begin(hub, op, &resume);
}

static void
events_heartbeat(struct conn *c)
{
	struct buf *text = api_text(c);

	buf_puts(text, EVENTS_HEARTBEAT);
	events_send(c, text);
}

/* How soon to look again when something has been found to wait. */
static uint32_t
events_look_ms(uint32_t interval)
{
	uint32_t part = interval / EVENTS_LOOK_PART;

	return part > EVENTS_LOOK_MIN_MS ? part : EVENTS_LOOK_MIN_MS;
}

/*
 * Nothing is heard of a client of this kind, but that it takes what it is sent
 * is as good.  While something waits for it a heartbeat would only wait too.
 */
static void
events_due(struct conn *c)
{
	struct net *net = c->net;
	uint32_t interval = events_interval(c);

	switch (progress_look(c, 0, interval)) {
	case PROGRESS_IDLE:
	case PROGRESS_MADE:
		if (!(c->paused & PAUSE_INTAKE) && c->out == NULL &&
		    net->config->ping_interval_ms != 0)
			events_heartbeat(c);
		conn_deadline(c, interval);
		break;
	case PROGRESS_NONE:
		conn_deadline(c, events_look_ms(interval));
		break;
	case PROGRESS_STALLED:
	case PROGRESS_GONE:
		conn_time_out(c);
		break;
	}
}

/* A client of this kind has no further requests. */
static size_t
events_feed(struct conn *c, char *data, size_t len)
{
	(void)c;
	(void)data;
	return len;
}

static void
events_end(struct conn *c)
{
	subscribe_end_all(c);
	stats_sub(&c->net->stats, STATS_EVENT_STREAMS, 1);
}

/* It knows the last event it got. */
static void
events_refuse(struct conn *c, enum conn_refusal why)
{
	(void)why;
	events_close(c);
}

/* A browser asks again, and is told that by a status. */
static void
events_expire(struct conn *c, uint64_t in_ms, const char *why)
{
	(void)why;
	if (in_ms == 0)
		events_close(c);
}

/* Who has no grant for a part of the stream has none for it. */
static void
events_revoked(struct conn *c, const char *name, size_t len, bool is_pattern)
{
	(void)name;
	(void)len;
	(void)is_pattern;
	events_close(c);
}

static void
events_go_away(struct conn *c, bool restart)
{
	(void)restart;
	events_close(c);
}

/* What the client sends is thrown away, and all else is in the queue. */
static bool
events_at_rest(const struct conn *c)
{
	(void)c;
	return true;
}

static void
events_go_on(struct conn *c)
{
	stats_add(&c->net->stats, STATS_EVENT_STREAMS, 1);
}

const struct conn_handler events_handler = {
	.feed = events_feed,
	.asks_nothing = true,
	.written = replays_resume,
	.due = events_due,
	.end = events_end,
	.refuse = events_refuse,
	.dropped = gap_dropped,
	.expire = events_expire,
	.revoked = events_revoked,
	.go_away = events_go_away,
	.at_rest = events_at_rest,
	.go_on = events_go_on,
};

void
events_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct intake_request want = { .kind = INTAKE_SUBSCRIBE,
		.answer = events_answer,
		.topic = topic->at,
		.topic_len = topic->len };
	struct query_options options;
	struct api_query query;

	if (query_parse(c->net->config, req->query, &options) != QUERY_OK) {
		api_refuse(c, 400, "bad_request", options.why);
		return;
	}
	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
		return;
	}
	if (api_request_of(c)->head_only) {
		events_head(c);
		return;
	}
	events_since(c, req, &query, &want);
	want.last = query.last;
	want.every_ms = query.every_ms;
	client_of(c)->form =
	    api_request_of(c)->takes_chunks ? FORM_CHUNK : FORM_EVENT;
	c->buffer_max = options.buffer;
	c->overflow = (uint8_t)options.overflow;
	intake_add(c, &want);
	conn_pause(c, PAUSE_INTAKE);
}
