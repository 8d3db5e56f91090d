/* SPDX-License-Identifier: MIT */
/* server_message.c - see server_message.h. */

#include "broker/cli/client/server_message.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

#define SERVER_MESSAGE_INTEGER_DIGITS 16 /* those of 2^53 */

/* A ring may still hold messages of a server that took JSON_DEPTH_MAX levels
 * (today: CONFIG_MESSAGE_DEPTH).  An answer with a topic's past is an object with
 * an array of objects around them. */
#define SERVER_MESSAGE_DEPTH (JSON_DEPTH_MAX + 3)

/* All members of interest, as they stand. */
struct server_message_members {
	struct json_token type, id, topic, pattern, epoch, seq, pos, from, to,
	    count, replayed, recovered, retained, message, code, reason, ping,
	    limits, retry, user, verified, members, after;
};

#define MEMBER(name)                                                 \
	{                                                            \
#name, offsetof(struct server_message_members, name) \
	}

static const struct server_message_name {
	const char *name;
	size_t at;
} server_message_names[] = {
	MEMBER(type),
	MEMBER(id),
	MEMBER(topic),
	MEMBER(pattern),
	MEMBER(epoch),
	MEMBER(seq),
	MEMBER(pos),
	MEMBER(from),
	MEMBER(to),
	MEMBER(count),
	MEMBER(replayed),
	MEMBER(recovered),
	MEMBER(retained),
	MEMBER(message),
	MEMBER(code),
	MEMBER(reason),
	MEMBER(ping),
	MEMBER(limits),
	MEMBER(retry),
	MEMBER(user),
	MEMBER(verified),
	MEMBER(members),
	MEMBER(after),
};

static const struct {
	const char *name;
	enum server_message_kind kind;
} server_message_kinds[] = {
	{ "welcome", SERVER_WELCOME },
	{ "ack", SERVER_ACK },
	{ "message", SERVER_MESSAGE },
	{ "ephemeral", SERVER_EPHEMERAL },
	{ "gap", SERVER_GAP },
	{ "drain", SERVER_DRAIN },
	{ "error", SERVER_ERROR },
	{ "unsubscribed", SERVER_UNSUBSCRIBED },
	{ "expiring", SERVER_EXPIRING },
	{ "presence", SERVER_PRESENCE },
	{ "join", SERVER_JOIN },
	{ "leave", SERVER_LEAVE },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool
server_message_is(const struct json_token *string, const char *text, size_t len)
{
	char small[256], *copy = small;
	bool same;

	if (string->raw == NULL || string->kind != JSON_STRING ||
	    string->raw_len < len + 2)
		return false;
	if (string->raw_len > sizeof(small))
		copy = xmalloc(string->raw_len);
	same = json_string_decode(string->raw, string->raw_len, copy) == len &&
	       memcmp(copy, text, len) == 0;
	if (copy != small)
		free(copy);
	return same;
}

static bool
server_message_is_word(const struct json_token *string, const char *word)
{
	return server_message_is(string, word, strlen(word));
}

char *
server_message_copy(const struct json_token *string, char *out, size_t size)
{
	char *copy = xmalloc(string->raw_len + 1);
	size_t len = 0;

	if (string->raw != NULL && string->kind == JSON_STRING)
		len = json_string_decode(string->raw, string->raw_len, copy);
	if (len > size - 1)
		len = size - 1;
	for (size_t i = 0; i < len; i++) {
		out[i] = copy[i];
		if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
			out[i] = '?';
	}
	out[len] = '\0';
	free(copy);
	return out;
}

bool
server_message_number(const struct json_token *token, uint64_t *number)
{
	*number = 0;
	if (token->raw == NULL)
		return true;
	if (token->kind != JSON_NUMBER ||
	    token->raw_len > SERVER_MESSAGE_INTEGER_DIGITS)
		return false;
	for (size_t i = 0; i < token->raw_len; i++) {
		if (token->raw[i] < '0' || token->raw[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(token->raw[i] - '0');
	}
	return true;
}

/* The two numbers of an object; what is not there is left alone. */
static bool
server_message_pair(struct json_reader *reader, const struct json_token *object,
    const char *names[2], uint64_t *numbers[2])
{
	struct json_token key, value;
	bool ok = true;

	if (object->raw == NULL)
		return true;
	if (object->kind != JSON_OBJECT ||
	    json_object_open(reader, object->raw, object->raw_len) != JSON_OK)
		return false;
	while (ok && json_member_next(reader, &key, &value))
		for (size_t i = 0; i < 2; i++)
			if (ok && server_message_is_word(&key, names[i]))
				ok = server_message_number(&value, numbers[i]);
	return ok;
}

static bool
server_message_numbers(struct json_reader *reader,
    const struct server_message_members *m, struct server_message *said)
{
	uint64_t topics;

	said->has_numbers = m->from.raw != NULL && m->to.raw != NULL;
	said->recovered =
	    m->recovered.raw != NULL && m->recovered.kind == JSON_TRUE;
	said->is_retained =
	    m->retained.raw != NULL && m->retained.kind == JSON_TRUE;
	/* An id that is none of ours is that of no request. */
	if (!server_message_number(&m->id, &said->id))
		said->id = 0;
	return server_message_number(&m->seq, &said->seq) &&
	       server_message_number(&m->from, &said->from) &&
	       server_message_number(&m->to, &said->to) &&
	       server_message_number(&m->count, &said->count) &&
	       server_message_number(&m->replayed, &said->replayed) &&
	       server_message_number(&m->ping, &said->ping) &&
	       server_message_number(&m->after, &said->after) &&
	       server_message_pair(reader, &m->limits,
		   (const char *[]){ "message", "topics" },
		   (uint64_t *[]){ &said->max_message, &topics }) &&
	       server_message_pair(reader, &m->retry,
		   (const char *[]){ "min_ms", "max_ms" },
		   (uint64_t *[]){ &said->retry.min_ms, &said->retry.max_ms });
}

static bool
server_message_is_string(const struct json_token *token, size_t max)
{
	return token->raw != NULL && token->kind == JSON_STRING &&
	       token->raw_len <= max;
}

/* Whether all is there that this kind needs. */
static bool
server_message_is_whole(const struct server_message *said)
{
	bool has_topic = server_message_is_string(&said->topic, SIZE_MAX);
	bool has_pattern = server_message_is_string(&said->pattern, SIZE_MAX);
	bool has_epoch =
	    server_message_is_string(&said->epoch, CLIENT_EPOCH_MAX - 1);

	switch (said->kind) {
	case SERVER_OTHER:
	case SERVER_DRAIN:
	case SERVER_EXPIRING:
		return true;
	case SERVER_WELCOME:
		return has_epoch && said->max_message > 0;
	case SERVER_ACK:
		return (said->id == 0 && said->topic.raw == NULL) ||
		       has_pattern ||
		       (has_epoch && has_topic && said->replayed <= said->seq);
	case SERVER_MESSAGE:
		return has_topic && said->message.raw != NULL && said->seq > 0;
	case SERVER_EPHEMERAL:
		return has_topic && said->message.raw != NULL;
	case SERVER_GAP:
		return (has_topic || has_pattern) &&
		       (said->epoch.raw == NULL || has_epoch) &&
		       server_message_is_string(&said->reason, SIZE_MAX) &&
		       said->from <= said->to;
	case SERVER_PRESENCE:
		return has_topic && (said->members.raw == NULL ||
					said->members.kind == JSON_ARRAY);
	case SERVER_JOIN:
	case SERVER_LEAVE:
		return has_topic &&
		       server_message_is_string(&said->user, SIZE_MAX);
	case SERVER_UNSUBSCRIBED:
		return (has_topic || has_pattern) &&
		       server_message_is_string(&said->code, SIZE_MAX);
	case SERVER_ERROR:
		return server_message_is_string(&said->code, SIZE_MAX) &&
		       server_message_is_string(&said->reason, SIZE_MAX);
	}
	return false;
}

static void
server_message_collect(
    struct json_reader *reader, struct server_message_members *m)
{
	struct json_token key, value;

	memset(m, 0, sizeof(*m));
	while (json_member_next(reader, &key, &value))
		for (size_t i = 0; i < COUNT(server_message_names); i++)
			if (server_message_is_word(
				&key, server_message_names[i].name))
				memcpy((char *)m + server_message_names[i].at,
				    &value, sizeof(value));
}

bool
server_message_parse(struct json_reader *reader, const char *text, size_t len,
    struct server_message *said)
{
	struct server_message_members m;
	const char *why;
	size_t where;

	*said = (struct server_message){ .text = text, .len = len };
	if (json_check_depth(text, len, SERVER_MESSAGE_DEPTH, &where, &why) !=
		JSON_OK ||
	    json_object_open(reader, text, len) != JSON_OK)
		return false;
	server_message_collect(reader, &m);
	if (!server_message_is_string(&m.type, SIZE_MAX))
		return false;
	for (size_t i = 0; i < COUNT(server_message_kinds); i++)
		if (server_message_is_word(
			&m.type, server_message_kinds[i].name))
			said->kind = server_message_kinds[i].kind;
	said->topic = m.topic;
	said->pattern = m.pattern;
	said->epoch = m.epoch;
	said->message = m.message;
	said->code = m.code;
	said->reason = m.reason;
	if (server_message_is_string(&m.pos, CLIENT_POS_MAX - 1))
		said->pos = m.pos;
	said->user = m.user;
	said->members = m.members;
	said->is_unverified =
	    m.verified.raw != NULL && m.verified.kind == JSON_FALSE;
	return server_message_numbers(reader, &m, said) &&
	       server_message_is_whole(said);
}

bool
server_message_member(struct json_reader *reader,
    const struct json_token *member, struct json_token *user,
    bool *is_unverified)
{
	struct server_message_members m;

	if (member->kind != JSON_OBJECT ||
	    json_object_open(reader, member->raw, member->raw_len) != JSON_OK)
		return false;
	server_message_collect(reader, &m);
	*user = m.user;
	*is_unverified =
	    m.verified.raw != NULL && m.verified.kind == JSON_FALSE;
	return server_message_is_string(user, SIZE_MAX);
}
