/* SPDX-License-Identifier: MIT */
/* v1_publish.c - see v1_publish.h. */

#include "worker/protocol/v1_publish.h"

#include "common/json.h"
#include "worker/requests/intake.h"
#include "worker/requests/topic_name.h"

#include <string.h>

/* How it begins. */
#define V1_PUBLISH_HEAD     "{\"type\":\"publish\","
#define V1_PUBLISH_HEAD_LEN (sizeof(V1_PUBLISH_HEAD) - 1)

/* The members behind the type; NULL: not there. */
struct v1_publish {
	const struct json_token *id, *topic, *message;
};

/* Where the member of a name belongs, or NULL. */
static inline const struct json_token **
v1_publish_member(struct v1_publish *m, const struct json_token *key)
{
#define V1_PUBLISH_IS(word)                  \
	(key->raw_len == sizeof(word) + 1 && \
	    memcmp(key->raw + 1, word, sizeof(word) - 1) == 0)
	return V1_PUBLISH_IS("topic")     ? &m->topic
	       : V1_PUBLISH_IS("message") ? &m->message
	       : V1_PUBLISH_IS("id")      ? &m->id
	                                  : NULL;
#undef V1_PUBLISH_IS
}

/* Sort the members.  Returns false if one is there twice, or has another name,
 * or one is missing. */
static inline bool
v1_publish_collect(
    const struct json_token *tokens, unsigned count, struct v1_publish *m)
{
	const struct json_token **member;

	for (unsigned i = 0; i < count; i += 2) {
		member = v1_publish_member(m, &tokens[i]);
		if (member == NULL || *member != NULL)
			return false;
		*member = &tokens[i + 1];
	}
	return m->topic != NULL && m->message != NULL;
}

static inline bool
v1_publish_is_id(const struct json_token *id)
{
	return id->kind == JSON_STRING
	           ? id->raw_len <= V1_ID_MAX + 2
	           : id->kind == JSON_NUMBER && id->raw_len <= V1_ID_MAX;
}

static inline bool
v1_publish_is_topic(const struct json_token *topic)
{
	const char *why;

	return topic->kind == JSON_STRING && topic->raw_len > 2 &&
	       memchr(topic->raw, '\\', topic->raw_len) == NULL &&
	       topic_name_valid(topic->raw + 1, topic->raw_len - 2, &why);
}

bool
v1_publish_read(
    const char *data, size_t len, size_t body_max, struct intake_request *want)
{
	struct json_token tokens[2 * JSON_FLAT_MAX];
	struct v1_publish m = { 0 };
	unsigned count;

	if (len <= V1_PUBLISH_HEAD_LEN || len > JSON_OBJECT_MAX ||
	    memcmp(data, V1_PUBLISH_HEAD, V1_PUBLISH_HEAD_LEN) != 0)
		return false;
	count = json_flat_members(
	    data + V1_PUBLISH_HEAD_LEN, len - V1_PUBLISH_HEAD_LEN, tokens);
	if (!v1_publish_collect(tokens, count, &m) ||
	    !v1_publish_is_topic(m.topic) || m.message->raw_len > body_max ||
	    (m.id != NULL && !v1_publish_is_id(m.id)))
		return false;
	memset(want, 0, sizeof(*want));
	want->kind = INTAKE_PUBLISH;
	if (m.id != NULL) {
		want->id = m.id->raw;
		want->id_len = (uint8_t)m.id->raw_len;
	}
	want->topic = m.topic->raw + 1;
	want->topic_len = (uint8_t)(m.topic->raw_len - 2);
	want->body = m.message->raw;
	want->body_len = (uint32_t)m.message->raw_len;
	return true;
}
