/* SPDX-License-Identifier: MIT */
/* v1_request.c - see v1_request.h. */

#include "worker/protocol/v1_request.h"

#include "common/config.h"
#include "common/utf8.h"
#include "worker/requests/topic_name.h"

#include <string.h>

/* Integers above this are not exact in every client's language. */
#define V1_INTEGER_MAX (((uint64_t)1 << 53) - 1)

/* The members that requests have; raw tokens, raw == NULL: not there. */
struct v1_members {
	struct json_token type, id, topic, message, since, history, echo,
	    before, limit, token;
};

#define V1_NAME_MAX 7u /* bytes of the longest of these names */

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

/* Whether a token is a string, and this word. */
static bool
v1_string_is(const struct json_token *token, const char *word)
{
	return token->kind == JSON_STRING &&
	       json_string_equal(token->raw, token->raw_len, word);
}

/* Of a repeated member the last counts, but a value that is no string is an
 * error whatever follows, as in the plain contract (plain.c). */
static void
v1_keep(struct json_token *member, const struct json_token *value)
{
	if (member->raw == NULL || member->kind == JSON_STRING)
		*member = *value;
}

/* A member of a plain message: upper and lower case are the same, and null
 * leaves what stood before. */
static void
v1_collect_plain(struct v1_members *plain, const struct json_token *key,
    const struct json_token *value)
{
	if (value->kind == JSON_NULL)
		return;
	if (json_string_equal_nocase(key->raw, key->raw_len, "topic"))
		v1_keep(&plain->topic, value);
	else if (json_string_equal_nocase(key->raw, key->raw_len, "message"))
		v1_keep(&plain->message, value);
}

/* The member of a name, or NULL. */
static struct json_token *
v1_member_named(struct v1_members *m, const char *name, size_t len)
{
#define V1_IS(word) (memcmp(name, word, sizeof(word) - 1) == 0)
	switch (len) {
	case 2:
		return V1_IS("id") ? &m->id : NULL;
	case 4:
		return V1_IS("type")   ? &m->type
		       : V1_IS("echo") ? &m->echo
		                       : NULL;
	case 5:
		return V1_IS("topic")   ? &m->topic
		       : V1_IS("since") ? &m->since
		       : V1_IS("limit") ? &m->limit
		       : V1_IS("token") ? &m->token
		                        : NULL;
	case 6:
		return V1_IS("before") ? &m->before : NULL;
	case V1_NAME_MAX:
		return V1_IS("message")   ? &m->message
		       : V1_IS("history") ? &m->history
		                          : NULL;
	default:
		return NULL;
	}
#undef V1_IS
}

/* The member that a key names, or NULL.  As it stands there, nearly always; else
 * it may be written with escapes, which are six bytes at most for each. */
static struct json_token *
v1_member_of(struct v1_members *m, const struct json_token *key)
{
	char name[6 * V1_NAME_MAX];
	struct json_token *member =
	    v1_member_named(m, key->raw + 1, key->raw_len - 2);

	if (member != NULL || key->raw_len > sizeof(name) + 2 ||
	    memchr(key->raw, '\\', key->raw_len) == NULL)
		return member;
	return v1_member_named(
	    m, name, json_string_decode(key->raw, key->raw_len, name));
}

/* Collect the members; of a repeated one the last counts. */
static void
v1_collect(struct json_reader *json, struct v1_members *m)
{
	struct json_token key, value, *member;

	memset(m, 0, sizeof(*m));
	while (json_member_next(json, &key, &value))
		if ((member = v1_member_of(m, &key)) != NULL)
			*member = value;
	if (m->type.raw != NULL)
		return;
	m->topic.raw = m->message.raw = NULL;
	json_member_rewind(json);
	while (json_member_next(json, &key, &value))
		v1_collect_plain(m, &key, &value);
}

/* Whether the member is there at all; null counts as not there. */
static bool
v1_has(const struct json_token *token)
{
	return token->raw != NULL && token->kind != JSON_NULL;
}

/* A non-negative integer below 2^53. */
static bool
v1_integer(const struct json_token *token, uint64_t *number)
{
	if (token->kind != JSON_NUMBER || token->raw_len > 16)
		return false;
	*number = 0;
	for (size_t i = 0; i < token->raw_len; i++) {
		if (token->raw[i] < '0' || token->raw[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(token->raw[i] - '0');
	}
	return *number <= V1_INTEGER_MAX;
}

static bool
v1_take_id(const struct v1_members *m, struct intake_request *want)
{
	if (!v1_has(&m->id))
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
		if (v1_string_is(&m->type, v1_types[i].type)) {
			want->kind = v1_types[i].kind;
			return true;
		}
	return v1_refuse(want, "unknown_type",
	    "type: subscribe, unsubscribe, publish, history, presence, auth, "
	    "ping");
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
	if (v1_has(&m->topic)) {
		if (m->topic.kind != JSON_STRING)
			return v1_refuse(
			    want, "bad_topic", "topic: not a string");
		reader->topic.len =
		    json_string_decode(m->topic.raw, m->topic.raw_len,
			buf_room(&reader->topic, m->topic.raw_len));
	}
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
	if (is_plain ? v1_has(&m->message) : m->message.raw != NULL) {
		want->body = m->message.raw;
		want->body_len = (uint32_t)m->message.raw_len;
	} else if (!is_plain) {
		return v1_refuse(
		    want, "bad_request", "message: a publish needs one");
	}
	if (is_plain && v1_has(&m->message) && m->message.kind != JSON_STRING)
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

/* since: where a subscriber was. */
static bool
v1_take_since(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	struct json_token key, value, epoch = { 0 }, seq = { 0 };

	if (!v1_has(&m->since))
		return true;
	if (m->since.kind == JSON_OBJECT &&
	    json_object_open(reader->json, m->since.raw, m->since.raw_len) ==
		JSON_OK)
		while (json_member_next(reader->json, &key, &value)) {
			if (v1_string_is(&key, "epoch"))
				epoch = value;
			else if (v1_string_is(&key, "seq"))
				seq = value;
		}
	if (epoch.raw == NULL || epoch.kind != JSON_STRING || seq.raw == NULL ||
	    !v1_integer(&seq, &want->since))
		return v1_refuse(want, "bad_request",
		    "since: {\"epoch\":string,\"seq\":integer}");
	want->has_since = true;
	want->is_other_epoch = !v1_string_is(&epoch, reader->epoch);
	return true;
}

static bool
v1_take_subscribe(struct v1_reader *reader, const struct v1_members *m,
    struct intake_request *want)
{
	uint64_t history;

	if (want->kind != INTAKE_SUBSCRIBE)
		return true;
	if (v1_has(&m->echo)) {
		if (m->echo.kind != JSON_TRUE && m->echo.kind != JSON_FALSE)
			return v1_refuse(
			    want, "bad_request", "echo: true or false");
		want->no_echo = m->echo.kind == JSON_FALSE;
	}
	if (v1_has(&m->history)) {
		if (!v1_integer(&m->history, &history))
			return v1_refuse(want, "bad_request",
			    "history: a whole number of messages");
		want->has_limit = true;
		want->limit =
		    history < UINT32_MAX ? (uint32_t)history : UINT32_MAX;
	}
	if (v1_has(&m->since) && v1_has(&m->history))
		return v1_refuse(want, "bad_request",
		    "since and history exclude each other");
	return v1_take_since(reader, m, want);
}

static bool
v1_take_history(const struct v1_members *m, struct intake_request *want)
{
	uint64_t limit;

	if (want->kind != INTAKE_HISTORY)
		return true;
	want->limit = INTAKE_HISTORY_MAX;
	if (v1_has(&m->limit)) {
		if (!v1_integer(&m->limit, &limit) || limit == 0)
			return v1_refuse(want, "bad_request",
			    "limit: a number of messages, 1 or more");
		if (limit < want->limit)
			want->limit = (uint32_t)limit;
	}
	if (v1_has(&m->before)) {
		if (!v1_integer(&m->before, &want->before))
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
	       v1_take_token(reader, &m, want) &&
	       v1_take_subscribe(reader, &m, want) &&
	       v1_take_history(&m, want));
}

void
v1_parse(struct v1_reader *reader, bool binary, const char *data, size_t len,
    struct intake_request *want)
{
	if (binary || !v1_publish_read(data, len, reader->body_max, want))
		v1_parse_any(reader, binary, data, len, want);
}
