/* SPDX-License-Identifier: MIT */
/* v1_members.c - see v1_members.h. */

#include "worker/protocol/v1_members.h"

#include <string.h>

#define V1_NAME_MAX 9u /* bytes of the longest of these names */

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
	case 3:
		return V1_IS("ttl") ? &m->ttl : V1_IS("key") ? &m->key : NULL;
	case 4:
		return V1_IS("type")   ? &m->type
		       : V1_IS("echo") ? &m->echo
		       : V1_IS("last") ? &m->last
		                       : NULL;
	case 5:
		return V1_IS("topic")   ? &m->topic
		       : V1_IS("since") ? &m->since
		       : V1_IS("limit") ? &m->limit
		       : V1_IS("token") ? &m->token
		       : V1_IS("after") ? &m->after
		                        : NULL;
	case 6:
		return V1_IS("before")   ? &m->before
		       : V1_IS("retain") ? &m->retain
		                         : NULL;
	case 7:
		return V1_IS("message")   ? &m->message
		       : V1_IS("history") ? &m->history
		       : V1_IS("members") ? &m->members
		       : V1_IS("pattern") ? &m->pattern
		                          : NULL;
	case 8:
		return V1_IS("every_ms") ? &m->every_ms : NULL;
	case V1_NAME_MAX:
		return V1_IS("ephemeral")   ? &m->ephemeral
		       : V1_IS("subscribe") ? &m->subscribe
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

void
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
