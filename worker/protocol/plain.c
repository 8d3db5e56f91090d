/* SPDX-License-Identifier: MIT */
/* plain.c - see plain.h. */

#include "worker/protocol/plain.h"

#include "common/config.h"
#include "common/grants.h"
#include "common/http.h"
#include "common/utf8.h"
#include "common/ws.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/protocol/protocols.h"
#include "worker/requests/caller.h"
#include "worker/requests/failure.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/topic_name.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

#include <stdarg.h>
#include <stdio.h>

static bool __attribute__((format(printf, 3, 4)))
plain_refuse(struct plain_error *error, unsigned code, const char *fmt, ...)
{
	va_list ap;

	error->code = code;
	va_start(ap, fmt);
	vsnprintf(error->reason, sizeof(error->reason), fmt, ap);
	va_end(ap);
	return false;
}

/* Decode the topic and check it. */
static bool
plain_take_topic(const struct json_token *value, struct plain_request *req,
    struct plain_error *error)
{
	const char *why;

	/* An escape takes six bytes for at least one: a longer text cannot
	 * fit. */
	if (value->raw_len > sizeof(req->topic) + 2)
		return plain_refuse(error, WS_CODE_POLICY,
		    "topic: longer than %u bytes", LAYOUT_TOPIC_NAME_MAX);
	req->topic_len =
	    json_string_decode(value->raw, value->raw_len, req->topic);
	if (!topic_name_valid(req->topic, req->topic_len, &why))
		return plain_refuse(error, WS_CODE_POLICY, "topic: %s", why);
	return true;
}

/* Pick topic and message from the object's members; the last of a name
 * counts, and null leaves what stood before. */
static bool
plain_take_members(struct json_reader *reader, const char *data,
    struct plain_request *req, struct plain_error *error)
{
	struct json_token key, value, topic;

	topic.raw = NULL;
	while (json_member_next(reader, &key, &value)) {
		bool is_topic =
		    json_string_equal_nocase(key.raw, key.raw_len, "topic");

		if (!is_topic &&
		    !json_string_equal_nocase(key.raw, key.raw_len, "message"))
			continue;
		if (value.kind == JSON_NULL)
			continue;
		if (value.kind != JSON_STRING)
			return plain_refuse(error, WS_CODE_POLICY,
			    "%s is not a string (byte %zu)",
			    is_topic ? "topic" : "message",
			    (size_t)(value.raw - data));
		if (is_topic) {
			topic = value;
		} else {
			req->body = value.raw;
			req->body_len = value.raw_len;
		}
	}
	return topic.raw == NULL || plain_take_topic(&topic, req, error);
}

bool
plain_parse(struct json_reader *reader, bool binary, const char *data,
    size_t len, size_t body_max, struct plain_request *req,
    struct plain_error *error)
{
	enum json_status status;
	const char *why;
	size_t where;

	if (binary && !utf8_valid(data, len))
		return plain_refuse(error, WS_CODE_POLICY,
		    "bad JSON: the binary frame is not UTF-8");
	req->topic_len = 0;
	req->body = "\"\"";
	req->body_len = 2;
	status = json_object_read(reader, data, len, &where, &why);
	if (status == JSON_NOT_OBJECT && json_kind_of(data, len) == JSON_NULL)
		return true;
	if (status == JSON_NOT_OBJECT)
		return plain_refuse(error, WS_CODE_POLICY,
		    "not an object: {\"topic\":\"…\",\"message\":\"…\"} "
		    "expected");
	if (status != JSON_OK)
		return plain_refuse(error, WS_CODE_POLICY,
		    "bad JSON at byte %zu: %s", where, why);
	if (!plain_take_members(reader, data, req, error))
		return false;
	if (req->body_len > body_max)
		return plain_refuse(
		    error, WS_CODE_TOO_BIG, "message over %zu bytes", body_max);
	return true;
}

/* Whether the same request may be granted soon. */
static bool
plain_is_for_now(enum intake_result result)
{
	return result == INTAKE_TOO_FAST || result == INTAKE_RETAIN_FULL ||
	       result == INTAKE_CLUSTER_DOWN;
}

/* This contract has no answers: a request that cannot be done closes the
 * connection.  One that drains is about to be closed as it is. */
static void
plain_answer(struct hub *hub, const struct intake_op *op)
{
	char text[FAILURE_TEXT_MAX], reason[WS_REASON_MAX + 1];
	struct failure failure;

	if (op->result == INTAKE_DRAINING || !failure_of(hub, op, &failure))
		return;
	failure_text(&failure, text);
	snprintf(reason, sizeof(reason), "%s: %s", failure.code, text);
	if (!plain_is_for_now(op->result))
		stats_add(&hub->net->stats, STATS_PROTOCOL_ERRORS, 1);
	ws_close(op->conn,
	    plain_is_for_now(op->result) ? WS_CODE_TRY_LATER : WS_CODE_POLICY,
	    reason);
}

static void
plain_message(struct conn *c, bool binary, const char *data, size_t len)
{
	struct net *net = c->net;
	struct intake_request want;
	struct plain_request req;
	struct plain_error error;
	char *body;

	if (!plain_parse(&hub_of(c)->protocols->json, binary, data, len,
		net->config->max_message, &req, &error)) {
		stats_add(&net->stats, STATS_PROTOCOL_ERRORS, 1);
		ws_close(c, error.code, error.reason);
		return;
	}
	want = (struct intake_request){
		.kind = INTAKE_PLAIN,
		.answer = plain_answer,
		.topic = req.topic,
		.topic_len = (uint8_t)req.topic_len,
		.body_len = (uint32_t)req.body_len,
	};
	body = intake_add(c, &want);
	json_normalise(req.body, req.body_len, body);
}

static void
plain_begin(struct conn *c, const struct http_request *req)
{
	if (!protocols_admit(c, req, WS_CODE_POLICY))
		return;
	/* It cannot say later who it is. */
	if (!caller_may_some(c, GRANT_ALL))
		ws_close(c, WS_CODE_POLICY,
		    "unauthorized: this needs a token that grants it");
	else
		query_subscribe(c, req->query,
		    &(struct intake_request){ .answer = plain_answer });
}

static void
plain_compress(struct conn *c)
{
	client_of(c)->form = FORM_TEXT_DEFLATED;
}

/* What may not be followed any more ends the connection: nothing tells the client
 * that the other topics go on. */
static void
plain_revoked(struct conn *c, const char *name, size_t len, bool is_pattern)
{
	(void)name;
	(void)len;
	(void)is_pattern;
	ws_close(
	    c, WS_CODE_POLICY, "forbidden: a topic is not granted any more");
}

/* This contract cannot announce a drain, so the client is just not read. */
static void
plain_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	(void)in_ms;
	(void)spread_ms;
	conn_pause(c, PAUSE_DRAIN);
}

/* A string without escapes is the text itself, whose length is known. */
static bool
plain_put_unescaped(struct buf *out, const char *body, size_t len)
{
	char *start;
	size_t header;

	if (body[0] != '"' || memchr(body, '\\', len) != NULL)
		return false;
	len -= 2;
	start = buf_room(out, WS_HEADER_MAX + len);
	header = ws_frame_header((uint8_t *)start, WS_TEXT, len);
	memcpy(start + header, body + 1, len);
	out->len += header + len;
	return true;
}

static void
plain_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	size_t start;

	(void)topic;
	(void)epoch;
	if (plain_put_unescaped(out, rec->body, rec->body_len))
		return;
	start = ws_text_open(out);
	buf_json_text(out, rec->body, rec->body_len);
	ws_text_close(out, start);
}

/* A bare text has no number anyway. */
const struct form plain_form = { .message = plain_put_message,
	.ephemeral = plain_put_message };

const struct protocol plain_protocol = {
	.restart_code = WS_CODE_GOING_AWAY,
	.accept = protocols_accept,
	.begin = plain_begin,
	.compress = plain_compress,
	.message = plain_message,
	.revoked = plain_revoked,
	.drain = plain_drain,
	.written = replays_resume,
	.end = subscribe_end_all,
};
