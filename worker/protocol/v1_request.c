/* SPDX-License-Identifier: MIT */
/* v1_request.c - see v1_request.h. */

#include "worker/protocol/v1_request.h"

#include "broker/ring/members.h"
#include "common/config.h"
#include "common/pattern.h"
#include "common/utf8.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/place.h"
#include "worker/protocol/member.h"
#include "worker/protocol/v1_members.h"
#include "worker/requests/extras.h"
#include "worker/requests/topic_name.h"

#include <string.h>

/* The requests by name. */
static const struct {
	const char *type;
	enum intake_kind kind;
} v1_types[] = {
	{ "publish", INTAKE_PUBLISH },
	{ "subscribe", INTAKE_SUBSCRIBE },
	{ "unsubscribe", INTAKE_UNSUBSCRIBE },
	{ "history", INTAKE_HISTORY },
	{ "presence", INTAKE_PRESENCE },
	{ "ping", INTAKE_PING },
	{ "auth", INTAKE_AUTH },
};

#define V1_TYPES (sizeof(v1_types) / sizeof(v1_types[0]))

/* Make it a request that is answered by an error.  reason is borrowed.  Returns
 * false. */
static bool
v1_refuse(struct intake_request *want, const char *code, const char *reason)
{
	want->kind = INTAKE_ERROR;
	want->code = code;
	want->body = reason;
	want->body_len = (uint32_t)strlen(reason);
	want->topic_len = 0;
	return false;
}

static bool
v1_take_id(const struct v1_members *m, struct intake_request *want)
{
	if (!member_has(&m->id))
		return true;
	if ((m->id.kind != JSON_STRING && m->id.kind != JSON_NUMBER) ||
	    m->id.raw_len > V1_ID_MAX + (m->id.kind == JSON_STRING ? 2 : 0))
		return v1_refuse(want, "bad_request",
		    "id: a string or number of at most 64 bytes");
	want->id = m->id.raw;
	want->id_len = (uint8_t)m->id.raw_len;
	return true;
}

static bool
v1_take_type(const struct v1_members *m, struct intake_request *want)
{
	want->kind = INTAKE_PLAIN;
	if (m->type.raw == NULL)
		return true;
	for (size_t i = 0; i < V1_TYPES; i++)
		if (member_is(&m->type, v1_types[i].type)) {
			want->kind = v1_types[i].kind;
			return true;
		}
	return v1_refuse(want, "unknown_type",
	    "type: subscribe, unsubscribe, publish, history, presence, auth, "
	    "ping");
}

/* The text of a member that names topics, decoded into the reader.  Returns false
 * if it is no string. */
static bool
v1_decode(struct v1_reader *reader, const struct json_token *token)
{
	if (token->kind != JSON_STRING)
		return false;
	reader->topic.len = json_string_decode(token->raw, token->raw_len,
	    buf_room(&reader->topic, token->raw_len));
	return true;
}

/* A pattern in the place of the topic of (un)subscribe, decoded. */
static bool
v1_take_pattern(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	bool subscribes = want->kind == INTAKE_SUBSCRIBE;
	const char *why;

	if (member_has(&m->topic))
		return v1_refuse(want, "bad_request",
		    "topic and pattern exclude each other");
	if (member_has(&m->since) || member_has(&m->history))
		return v1_refuse(want, "bad_request",
		    "since and history are of a topic, not of a pattern");
	buf_reset(&reader->topic);
	if (!v1_decode(reader, &m->pattern))
		return v1_refuse(want, "bad_pattern", "pattern: not a string");
	if (reader->topic.len == 0)
		return v1_refuse(want, "bad_pattern", "pattern: one is needed");
	if (!pattern_valid(reader->topic.at, reader->topic.len, &why) ||
	    !topic_name_valid(reader->topic.at, reader->topic.len, &why))
		return v1_refuse(want, "bad_pattern", why);
	want->kind =
	    subscribes ? INTAKE_SUBSCRIBE_PATTERN : INTAKE_UNSUBSCRIBE_PATTERN;
	want->topic = reader->topic.at;
	want->topic_len = (uint8_t)reader->topic.len;
	return true;
}

/* The topic, decoded.  Empty is legal in a plain message alone. */
static bool
v1_take_topic(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	const char *why;

	buf_reset(&reader->topic);
	if (want->kind == INTAKE_PING || want->kind == INTAKE_AUTH)
		return true;
	if (member_has(&m->pattern) && (want->kind == INTAKE_SUBSCRIBE ||
					   want->kind == INTAKE_UNSUBSCRIBE))
		return v1_take_pattern(reader, m, want);
	if (member_has(&m->topic) && !v1_decode(reader, &m->topic))
		return v1_refuse(want, "bad_topic", "topic: not a string");
	if (reader->topic.len == 0 && want->kind != INTAKE_PLAIN)
		return v1_refuse(want, "bad_topic", "topic: a name is needed");
	if (!topic_name_valid(reader->topic.at, reader->topic.len, &why))
		return v1_refuse(want, "bad_topic", why);
	want->topic = reader->topic.at;
	want->topic_len = (uint8_t)reader->topic.len;
	return true;
}

/* The message of a publish: any JSON value; of a plain message, a string. */
static bool
v1_take_message(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	bool is_plain = want->kind == INTAKE_PLAIN;

	if (!is_plain && want->kind != INTAKE_PUBLISH)
		return true;
	want->body = "\"\"";
	want->body_len = 2;
	if (is_plain ? member_has(&m->message) : m->message.raw != NULL) {
		want->body = m->message.raw;
		want->body_len = (uint32_t)m->message.raw_len;
	} else if (!is_plain) {
		return v1_refuse(
		    want, "bad_request", "message: a publish needs one");
	}
	if (is_plain && member_has(&m->message) &&
	    m->message.kind != JSON_STRING)
		return v1_refuse(want, "bad_request",
		    "message: not a string, and there is no type");
	if (!json_within_depth(
		want->body, want->body_len, CONFIG_MESSAGE_DEPTH))
		return v1_refuse(want, "bad_json",
		    "message: arrays and objects are nested too deep");
	if (want->body_len > reader->body_max)
		return v1_refuse(want, "too_large",
		    "message: longer than the limit in welcome");
	return true;
}

/* By what a publish is known again. */
static bool
v1_take_key(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	if (!member_has(&m->key))
		return true;
	buf_reset(&reader->key);
	if (m->key.kind == JSON_STRING)
		reader->key.len = json_string_decode(m->key.raw, m->key.raw_len,
		    buf_room(&reader->key, m->key.raw_len));
	if (reader->key.len == 0 || reader->key.len > EXTRAS_KEY_MAX)
		return v1_refuse(
		    want, "bad_request", "key: a string of 1 to 255 bytes");
	want->key = reader->key.at;
	want->key_len = (uint8_t)reader->key.len;
	return true;
}

/* What else a publish says. */
static bool
v1_take_publish(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	const char *why;

	if (want->kind != INTAKE_PUBLISH)
		return true;
	if (!member_flag(&m->ephemeral, &want->is_ephemeral))
		return v1_refuse(
		    want, "bad_request", "ephemeral: true or false");
	if (!member_flag(&m->retain, &want->retain))
		return v1_refuse(want, "bad_request", "retain: true or false");
	want->says_retain = member_has(&m->retain);
	if (!member_bounded(&m->ttl, 1, EXTRAS_TTL_MAX, &want->ttl_s))
		return v1_refuse(
		    want, "bad_request", "ttl: whole seconds, 1 to 31622400");
	if (!v1_take_key(reader, m, want))
		return false;
	why = extras_contradict(want);
	return why == NULL || v1_refuse(want, "bad_request", why);
}

/* since: where a subscriber was. */
static bool
v1_take_since(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	struct json_token key, value, epoch = { 0 }, seq = { 0 }, pos = { 0 };

	if (!member_has(&m->since))
		return true;
	if (m->since.kind == JSON_OBJECT &&
	    json_object_open(reader->json, m->since.raw, m->since.raw_len) ==
		JSON_OK)
		while (json_member_next(reader->json, &key, &value)) {
			if (member_is(&key, "epoch"))
				epoch = value;
			else if (member_is(&key, "seq"))
				seq = value;
			else if (member_is(&key, "pos"))
				pos = value;
		}
	if (epoch.raw == NULL || epoch.kind != JSON_STRING || seq.raw == NULL ||
	    !member_integer(&seq, &want->since))
		return v1_refuse(want, "bad_request",
		    "since: {\"epoch\":string,\"seq\":integer}");
	want->has_since = true;
	want->is_other_epoch = !member_is(&epoch, reader->epoch);
	if (pos.raw != NULL && pos.kind == JSON_STRING) {
		want->has_place = true;
		want->since_place = place_parse(pos.raw + 1, pos.raw_len - 2);
	}
	return true;
}

static bool
v1_take_subscribe(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	uint64_t history;

	if (want->kind != INTAKE_SUBSCRIBE &&
	    want->kind != INTAKE_SUBSCRIBE_PATTERN)
		return true;
	if (member_has(&m->echo)) {
		if (m->echo.kind != JSON_TRUE && m->echo.kind != JSON_FALSE)
			return v1_refuse(
			    want, "bad_request", "echo: true or false");
		want->no_echo = m->echo.kind == JSON_FALSE;
	}
	if (!member_bounded(
		&m->every_ms, PACE_MIN_MS, PACE_MAX_MS, &want->every_ms))
		return v1_refuse(want, "bad_request",
		    "every_ms: milliseconds, 100 to 3600000");
	if (!member_flag(&m->last, &want->last))
		return v1_refuse(want, "bad_request", "last: true or false");
	if (member_has(&m->history)) {
		if (!member_integer(&m->history, &history))
			return v1_refuse(want, "bad_request",
			    "history: a whole number of messages");
		want->has_limit = true;
		want->limit =
		    history < UINT32_MAX ? (uint32_t)history : UINT32_MAX;
	}
	if (member_has(&m->since) && member_has(&m->history))
		return v1_refuse(want, "bad_request",
		    "since and history exclude each other");
	return v1_take_since(reader, m, want);
}

/* limit: how many at most; more than `most' is that many. */
static bool
v1_take_limit(
    const struct v1_members *m, uint32_t most, struct intake_request *want)
{
	uint64_t limit;

	want->limit = most;
	if (!member_has(&m->limit))
		return true;
	if (!member_integer(&m->limit, &limit) || limit == 0)
		return v1_refuse(want, "bad_request", "limit: 1 or more");
	if (limit < most)
		want->limit = (uint32_t)limit;
	return true;
}

static bool
v1_take_presence(const struct v1_members *m, struct intake_request *want)
{
	bool subscribe;

	if (want->kind != INTAKE_PRESENCE)
		return true;
	if (!member_flag(&m->members, &want->wants_members))
		return v1_refuse(want, "bad_request", "members: true or false");
	if (!member_flag(&m->subscribe, &subscribe))
		return v1_refuse(
		    want, "bad_request", "subscribe: true or false");
	if (member_has(&m->subscribe))
		want->watch = subscribe ? INTAKE_WATCH_BEGIN : INTAKE_WATCH_END;
	if (member_has(&m->after) && !member_integer(&m->after, &want->since))
		return v1_refuse(want, "bad_request", "after: a number");
	return v1_take_limit(m, MEMBERS_PAGE_MAX, want);
}

static bool
v1_take_history(const struct v1_members *m, struct intake_request *want)
{
	if (want->kind != INTAKE_HISTORY)
		return true;
	if (!v1_take_limit(m, INTAKE_HISTORY_MAX, want))
		return false;
	if (member_has(&m->before)) {
		if (!member_integer(&m->before, &want->before))
			return v1_refuse(
			    want, "bad_request", "before: a number");
		want->has_before = true;
	}
	return true;
}

/* The token, decoded; no other request has a body and a topic in one place. */
static bool
v1_take_token(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	if (want->kind != INTAKE_AUTH)
		return true;
	if (m->token.raw == NULL || m->token.kind != JSON_STRING)
		return v1_refuse(want, "bad_request", "token: a string");
	reader->topic.len = json_string_decode(m->token.raw, m->token.raw_len,
	    buf_room(&reader->topic, m->token.raw_len));
	want->body = reader->topic.at;
	want->body_len = (uint32_t)reader->topic.len;
	return true;
}

void
v1_parse_any(struct v1_reader *reader, bool binary, const char *data,
    size_t len, struct intake_request *want)
{
	enum json_status status;
	struct v1_members m;
	const char *why;
	size_t where;

	memset(want, 0, sizeof(*want));
	if (binary && !utf8_valid(data, len)) {
		v1_refuse(want, "bad_json", "the binary frame is not UTF-8");
		return;
	}
	status = json_object_read(reader->json, data, len, &where, &why);
	if (status == JSON_NOT_OBJECT) {
		v1_refuse(want, "bad_request", "an object is expected");
		return;
	}
	if (status != JSON_OK) {
		v1_refuse(want, "bad_json", why);
		return;
	}
	v1_collect(reader->json, &m);
	(void)(v1_take_id(&m, want) && v1_take_type(&m, want) &&
	       v1_take_topic(reader, &m, want) &&
	       v1_take_message(reader, &m, want) &&
	       v1_take_publish(reader, &m, want) &&
	       v1_take_token(reader, &m, want) &&
	       v1_take_subscribe(reader, &m, want) &&
	       v1_take_presence(&m, want) && v1_take_history(&m, want));
}

void
v1_parse(struct v1_reader *reader, bool binary, const char *data, size_t len,
    struct intake_request *want)
{
	if (binary || !v1_publish_read(data, len, reader->body_max, want))
		v1_parse_any(reader, binary, data, len, want);
}
