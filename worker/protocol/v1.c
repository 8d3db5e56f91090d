/* SPDX-License-Identifier: MIT */
/* v1.c - see v1.h. */

#include "worker/protocol/v1.h"

#include "common/config.h"
#include "common/http.h"
#include "common/ws.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/place.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/protocol/protocols.h"
#include "worker/protocol/v1_answer.h"
#include "worker/requests/caller.h"
#include "worker/requests/listen_query.h"
#include "worker/ws/protocol.h"

#include <inttypes.h>
#include <string.h>

/* When a client may come back, milliseconds: at random between these. */
#define V1_RETRY_MIN_MS 500
#define V1_RETRY_MAX_MS 15000

/* The words of an envelope. */
#define V1_TYPE  "{\"type\":\"message\",\"topic\":"
#define V1_SEQ   ",\"seq\":"
#define V1_TIME  ",\"time\":"
#define V1_VALUE ",\"message\":"

/* Those of a message without a number. */
#define V1_EPHEMERAL "{\"type\":\"ephemeral\",\"topic\":"
/* What a topic's last value has beyond (requests/last.h). */
#define V1_RETAINED ",\"retained\":true"

/* Copy bytes.  Returns where they end. */
static char *
v1_put(char *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

#define V1_PUT(at, word) v1_put(at, word, sizeof(word) - 1)

/* A time and what stands around it, as it is written. */
struct v1_time {
	uint64_t ms;
	size_t len; /* 0: nothing has been written yet */
	char text[sizeof(V1_TIME V1_VALUE) + BUF_DIGITS_MAX];
};

/* Most messages of a turn came in at the same millisecond: write that once. */
static const struct v1_time *
v1_time_of(uint64_t ms)
{
	static struct v1_time last;
	char *at = last.text;

	if (last.len != 0 && last.ms == ms)
		return &last;
	at = V1_PUT(at, V1_TIME);
	at += buf_digits(at, ms);
	at = V1_PUT(at, V1_VALUE);
	last.ms = ms;
	last.len = (size_t)(at - last.text);
	return &last;
}

/* A type of its own: who knows only messages with numbers leaves it alone. */
static void
v1_put_ephemeral(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	size_t start = ws_text_open(out);

	(void)epoch; /* it was in the ack */
	buf_puts(out, V1_EPHEMERAL);
	buf_add(out, topic->json.at, topic->json.len);
	buf_puts(out, V1_TIME);
	buf_number(out, rec->time_ms);
	buf_puts(out, V1_VALUE);
	buf_add(out, rec->body, rec->body_len);
	buf_puts(out, "}");
	ws_text_close(out, start);
}

/* The length of the text decides that of the header, so what it is not known of,
 * the numbers, is written first. */
static void
v1_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	const struct v1_time *time = v1_time_of(rec->time_ms);
	char seq[BUF_DIGITS_MAX];
	size_t seq_len = buf_digits(seq, rec->seq);
	bool is_retained = rec->pos == 0; /* not from the ring */
	char place[PLACE_MEMBER_MAX];
	size_t place_len =
	    place_of(rec) != 0 ? place_member(place, place_of(rec)) : 0;
	size_t len = sizeof(V1_TYPE V1_SEQ "}") - 1 + topic->json.len +
	             seq_len + place_len + time->len + rec->body_len +
	             (is_retained ? sizeof(V1_RETAINED) - 1 : 0);
	char *start = buf_room(out, WS_HEADER_MAX + len);
	char *at = start + ws_frame_header((uint8_t *)start, WS_TEXT, len);

	(void)epoch; /* it was in the ack */
	at = V1_PUT(at, V1_TYPE);
	at = v1_put(at, topic->json.at, topic->json.len);
	at = V1_PUT(at, V1_SEQ);
	at = v1_put(at, seq, seq_len);
	at = v1_put(at, place, place_len);
	at = v1_put(at, time->text, time->len);
	at = v1_put(at, rec->body, rec->body_len);
	if (is_retained)
		at = V1_PUT(at, V1_RETAINED);
	at = V1_PUT(at, "}");
	out->len += (size_t)(at - start);
}

/* The record's body is an object of what is told of the member. */
static void
v1_put_member(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic)
{
	size_t start = ws_text_open(out);

	buf_puts(out, (rec->flags & RECORD_JOIN) != 0
			  ? "{\"type\":\"join\",\"topic\":"
			  : "{\"type\":\"leave\",\"topic\":");
	buf_add(out, topic->json.at, topic->json.len);
	buf_puts(out, V1_TIME);
	buf_number(out, rec->time_ms);
	buf_puts(out, ",");
	buf_add(out, rec->body + 1, rec->body_len - 1);
	ws_text_close(out, start);
}

static void
v1_put_unwatched(
    struct buf *out, const struct sub_topic *topic, enum watch_end why)
{
	static const char *const reasons[] = {
		[WATCH_SLOW] = "slow",
		[WATCH_LAPPED] = "lapped",
		[WATCH_FULL] = "members_full",
		[WATCH_FORBIDDEN] = "forbidden",
	};
	size_t start = ws_text_open(out);

	buf_puts(out, "{\"type\":\"presence\",\"topic\":");
	buf_add(out, topic->json.at, topic->json.len);
	buf_printf(
	    out, ",\"subscribe\":false,\"reason\":\"%s\"}", reasons[why]);
	ws_text_close(out, start);
}

static struct outq_gap_places
v1_put_gap(struct buf *out, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason, const char *epoch)
{
	size_t start = ws_text_open(out);
	size_t digits = gap_put_object(out, topic, from, to, reason, epoch);

	digits -= ws_text_close(out, start) + start;
	return (struct outq_gap_places){ .digits = (uint32_t)digits };
}

static struct outq_gap_places
v1_put_pattern_gap(struct buf *out, const char *pattern, size_t len,
    uint64_t count, enum gap_reason reason, const char *epoch)
{
	size_t start = ws_text_open(out);
	size_t digits =
	    gap_put_pattern_object(out, pattern, len, count, reason, epoch);

	digits -= ws_text_close(out, start) + start;
	return (struct outq_gap_places){ .digits = (uint32_t)digits };
}

const struct form v1_form = {
	.message = v1_put_message,
	.ephemeral = v1_put_ephemeral,
	.member = v1_put_member,
	.unwatched = v1_put_unwatched,
	.gap = v1_put_gap,
	.pattern_gap = v1_put_pattern_gap,
};

/* Finish what begins at `start' and queue it. */
static void
v1_send(struct conn *c, size_t start)
{
	struct buf *text = &hub_of(c)->protocols->text;

	buf_puts(text, "}");
	ws_text_close(text, start);
	conn_answer(c, text->at, text->len);
}

static void
v1_welcome(struct conn *c)
{
	struct hub *hub = hub_of(c);
	struct buf *text = &hub->protocols->text;
	const struct config *config = c->net->config;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text,
	    "{\"type\":\"welcome\",\"version\":1,\"server\":\"pubsubd/%s\","
	    "\"epoch\":\"%s\",\"limits\":{\"message\":%u,\"topics\":%u,"
	    "\"patterns\":%u,\"rate\":%u},\"ping\":%u,"
	    "\"retry\":{\"min_ms\":%d,\"max_ms\":%d}",
	    PUBSUBD_VERSION, hub->seg->header->epoch, config->max_message,
	    config->max_topics_per_conn, config->max_patterns_per_conn,
	    config->rate, config->ping_interval_ms / 1000, V1_RETRY_MIN_MS,
	    V1_RETRY_MAX_MS);
	v1_send(c, start);
}

static void
v1_expiring(struct conn *c, uint64_t in_ms)
{
	struct buf *text = &hub_of(c)->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text, "{\"type\":\"expiring\",\"in_ms\":%" PRIu64, in_ms);
	v1_send(c, start);
}

static void
v1_revoked(struct conn *c, const char *name, size_t len, bool is_pattern)
{
	struct buf *text = &hub_of(c)->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text, "{\"type\":\"unsubscribed\",\"%s\":",
	    is_pattern ? "pattern" : "topic");
	buf_json_string(text, name, len);
	buf_puts(text, ",\"code\":\"forbidden\"");
	v1_send(c, start);
}

static void
v1_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	struct hub *hub = hub_of(c);
	struct buf *text = &hub->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text,
	    "{\"type\":\"drain\",\"in_ms\":%" PRIu64
	    ",\"retry\":{\"min_ms\":0,\"max_ms\":%" PRIu64 "}",
	    in_ms, spread_ms);
	v1_send(c, start);
}

static void
v1_begin(struct conn *c, const struct http_request *req)
{
	client_of(c)->form = FORM_ENVELOPE;
	if (!protocols_admit(c, req, WS_CODE_UNAUTHORIZED))
		return;
	caller_await(c);
	v1_welcome(c);
	query_subscribe(
	    c, req->query, &(struct intake_request){ .answer = v1_answer });
}

static void
v1_compress(struct conn *c)
{
	client_of(c)->form = FORM_ENVELOPE_DEFLATED;
}

/* Look into the token of a request, which has no body from then on; or make it
 * one that is answered by an error. */
static void
v1_authenticate(struct conn *c, struct intake_request *want)
{
	enum caller_status status;
	const char *why;

	status =
	    caller_verify(c, want->body, want->body_len, &want->identity, &why);
	if (status == CALLER_OK) {
		want->body = NULL;
		want->body_len = 0;
		return;
	}
	want->kind = INTAKE_ERROR;
	want->code = status == CALLER_BAD ? "bad_token" : "try_later";
	want->body = why;
	want->body_len = (uint32_t)strlen(why);
}

static void
v1_message(struct conn *c, bool binary, const char *data, size_t len)
{
	struct protocols *protocols = hub_of(c)->protocols;
	struct intake_request want;
	const char *body;
	char *room;

	v1_parse(&protocols->v1, binary, data, len, &want);
	want.answer = v1_answer;
	if (want.kind == INTAKE_AUTH)
		v1_authenticate(c, &want);
	body = want.body;
	if (want.kind == INTAKE_PLAIN || want.kind == INTAKE_PUBLISH)
		want.body = NULL;
	room = intake_add(c, &want);
	if (want.body == NULL && want.body_len > 0)
		json_normalise(body, want.body_len, room);
	if (intake_reads_past(&want))
		conn_pause(c, PAUSE_INTAKE);
}

const struct protocol v1_protocol = {
	.name = "pubsubd.v1",
	.restart_code = WS_CODE_RESTART,
	.accept = protocols_accept,
	.begin = v1_begin,
	.compress = v1_compress,
	.message = v1_message,
	.expiring = v1_expiring,
	.revoked = v1_revoked,
	.drain = v1_drain,
	.written = replays_resume,
	.dropped = gap_dropped,
	.end = subscribe_end_all,
};
