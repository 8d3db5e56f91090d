/* SPDX-License-Identifier: MIT */
/* server_message.c - see said.h. */

#include "broker/cli/client/server_message.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

#define SAID_INTEGER_DIGITS 16 /* those of 2^53 */

/* All members of interest, as they stand. */
struct said_members {
	struct json_token type, id, topic, epoch, seq, from, to, replayed,
	    recovered, message, code, reason, ping, limits, retry;
};

#define MEMBER(name)                                       \
	{                                                  \
#name, offsetof(struct said_members, name) \
	}

static const struct said_name {
	const char *name;
	size_t at;
} said_names[] = {
	MEMBER(type),
	MEMBER(id),
	MEMBER(topic),
	MEMBER(epoch),
	MEMBER(seq),
	MEMBER(from),
	MEMBER(to),
	MEMBER(replayed),
	MEMBER(recovered),
	MEMBER(message),
	MEMBER(code),
	MEMBER(reason),
	MEMBER(ping),
	MEMBER(limits),
	MEMBER(retry),
};

static const struct {
	const char *name;
	enum said_kind kind;
} said_kinds[] = {
	{ "welcome", SAID_WELCOME },
	{ "ack", SAID_ACK },
	{ "message", SAID_MESSAGE },
	{ "gap", SAID_GAP },
	{ "drain", SAID_DRAIN },
	{ "error", SAID_ERROR },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool
said_is(const struct json_token *string, const char *text, size_t len)
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
said_is_word(const struct json_token *string, const char *word)
{
	return said_is(string, word, strlen(word));
}

char *
said_copy(const struct json_token *string, char *out, size_t size)
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

/* Read a non-negative integer; one that is not there is 0. */
static bool
said_number(const struct json_token *token, uint64_t *number)
{
	*number = 0;
	if (token->raw == NULL)
		return true;
	if (token->kind != JSON_NUMBER || token->raw_len > SAID_INTEGER_DIGITS)
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
said_pair(struct json_reader *reader, const struct json_token *object,
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
			if (ok && said_is_word(&key, names[i]))
				ok = said_number(&value, numbers[i]);
	return ok;
}

static bool
said_numbers(
    struct json_reader *reader, const struct said_members *m, struct said *said)
{
	uint64_t topics;

	said->has_numbers = m->from.raw != NULL && m->to.raw != NULL;
	said->recovered =
	    m->recovered.raw != NULL && m->recovered.kind == JSON_TRUE;
	/* An id that is none of ours is that of no request. */
	if (!said_number(&m->id, &said->id))
		said->id = 0;
	return said_number(&m->seq, &said->seq) &&
	       said_number(&m->from, &said->from) &&
	       said_number(&m->to, &said->to) &&
	       said_number(&m->replayed, &said->replayed) &&
	       said_number(&m->ping, &said->ping) &&
	       said_pair(reader, &m->limits,
		   (const char *[]){ "message", "topics" },
		   (uint64_t *[]){ &said->max_message, &topics }) &&
	       said_pair(reader, &m->retry,
		   (const char *[]){ "min_ms", "max_ms" },
		   (uint64_t *[]){ &said->retry.min_ms, &said->retry.max_ms });
}

static bool
said_is_string(const struct json_token *token, size_t max)
{
	return token->raw != NULL && token->kind == JSON_STRING &&
	       token->raw_len <= max;
}

/* Whether all is there that this kind needs. */
static bool
said_is_whole(const struct said *said)
{
	bool has_topic = said_is_string(&said->topic, SIZE_MAX);
	bool has_epoch = said_is_string(&said->epoch, CLIENT_EPOCH_MAX - 1);

	switch (said->kind) {
	case SAID_OTHER:
	case SAID_DRAIN:
		return true;
	case SAID_WELCOME:
		return has_epoch && said->max_message > 0;
	case SAID_ACK:
		return has_epoch && has_topic && said->replayed <= said->seq;
	case SAID_MESSAGE:
		return has_topic && said->message.raw != NULL && said->seq > 0;
	case SAID_GAP:
		return has_topic && said_is_string(&said->reason, SIZE_MAX) &&
		       said->from <= said->to;
	case SAID_ERROR:
		return said_is_string(&said->code, SIZE_MAX) &&
		       said_is_string(&said->reason, SIZE_MAX);
	}
	return false;
}

static void
said_collect(struct json_reader *reader, struct said_members *m)
{
	struct json_token key, value;

	memset(m, 0, sizeof(*m));
	while (json_member_next(reader, &key, &value))
		for (size_t i = 0; i < COUNT(said_names); i++)
			if (said_is_word(&key, said_names[i].name))
				memcpy((char *)m + said_names[i].at, &value,
				    sizeof(value));
}

bool
said_parse(
    struct json_reader *reader, const char *text, size_t len, struct said *said)
{
	struct said_members m;
	const char *why;
	size_t where;

	*said = (struct said){ .text = text, .len = len };
	if (json_check(text, len, &where, &why) != JSON_OK ||
	    json_object_open(reader, text, len) != JSON_OK)
		return false;
	said_collect(reader, &m);
	if (!said_is_string(&m.type, SIZE_MAX))
		return false;
	for (size_t i = 0; i < COUNT(said_kinds); i++)
		if (said_is_word(&m.type, said_kinds[i].name))
			said->kind = said_kinds[i].kind;
	said->topic = m.topic;
	said->epoch = m.epoch;
	said->message = m.message;
	said->code = m.code;
	said->reason = m.reason;
	return said_numbers(reader, &m, said) && said_is_whole(said);
}
