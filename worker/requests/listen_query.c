/* SPDX-License-Identifier: MIT */
/*
 * listen_query.c - see listen_query.h.
 *
 * Keys and values are cut out first and decoded afterwards, so that an encoded
 * "&" or "=" is part of a topic's name.  A text too long to be valid is not
 * decoded at all, so the room for decoding is bounded.
 */

#include "worker/requests/listen_query.h"

#include "common/bug.h"
#include "common/pattern.h"
#include "common/percent.h"
#include "worker/requests/topic_name.h"

/* "lastEventId", every byte of it percent-encoded. */
#define QUERY_WORD_ROOM 33u

static enum query_status
query_refuse(struct query_options *out, const char *why)
{
	out->why = why;
	return QUERY_REFUSED;
}

bool
query_is(const struct http_text *text, const char *word)
{
	char room[QUERY_WORD_ROOM];
	struct http_text decoded = { room, 0 };

	return text->len <= sizeof(room) &&
	       percent_decode_query(text->at, text->len, room, &decoded.len) &&
	       http_text_equal(&decoded, word);
}

/*
 * Read digits, which nobody encodes.  A number that is too large counts as the
 * maximum.
 */
static bool
query_parse_buffer(const struct http_text *value, uint32_t max, uint32_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < value->len; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return false;
		if (n <= max)
			n = n * 10 + (uint64_t)(value->at[i] - '0');
	}
	*out = n < max ? (uint32_t)n : max;
	return value->len > 0;
}

static bool
query_parse_overflow(const struct http_text *value, enum outq_overflow *out)
{
	if (query_is(value, "drop"))
		*out = OUTQ_DROP;
	else if (query_is(value, "latest"))
		*out = OUTQ_LATEST;
	else if (query_is(value, "close"))
		*out = OUTQ_CLOSE;
	else
		return false;
	return true;
}

/* Decode a value that names topics.  Returns false with *why set. */
static bool
query_decode_name(const struct http_text *value, char room[QUERY_TOPIC_ROOM],
    struct http_text *name, const char **why)
{
	*why = "a topic is longer than 255 bytes";
	if (value->len > QUERY_TOPIC_ROOM)
		return false;
	*why = "a topic's percent-encoding is broken";
	name->at = room;
	return percent_decode_query(value->at, value->len, room, &name->len) &&
	       topic_name_valid(room, name->len, why);
}

static enum query_status
query_parse_topic(const struct config *config, const struct http_text *value,
    struct query_options *out)
{
	char room[QUERY_TOPIC_ROOM];
	struct http_text name;
	const char *why;

	if (!query_decode_name(value, room, &name, &why))
		return query_refuse(out, why);
	if (out->topics == config->max_topics_per_conn)
		return query_refuse(
		    out, "more topics than a connection may have");
	out->topics++;
	return QUERY_OK;
}

/* Decode a name into room.  Returns false if it can be none, with *why. */
static bool
query_decode_user(const struct http_text *value, char room[QUERY_USER_ROOM],
    size_t *len, const char **why)
{
	*why = "user has 1 to 64 bytes";
	if (value->len > QUERY_USER_ROOM)
		return false;
	if (!percent_decode_query(value->at, value->len, room, len)) {
		*why = "user: the percent-encoding is broken";
		return false;
	}
	if (*len == 0 || *len > LAYOUT_USER_MAX)
		return false;
	*why = "user: UTF-8 without control characters";
	return topic_name_valid(room, *len, &(const char *){ NULL });
}

bool
query_user(struct http_text query, char room[QUERY_USER_ROOM], size_t *len)
{
	struct http_text key, value;
	bool is_found = false;
	const char *why;

	while (http_query_next(&query, &key, &value))
		if (query_is(&key, "user"))
			is_found = query_decode_user(&value, room, len, &why);
	return is_found;
}

static enum query_status
query_parse_pattern(const struct config *config, const struct http_text *value,
    struct query_options *out)
{
	char room[QUERY_TOPIC_ROOM];
	struct http_text name;
	const char *why;

	if (!query_decode_name(value, room, &name, &why) ||
	    !pattern_valid(name.at, name.len, &why))
		return query_refuse(out, why);
	if (name.len == 0)
		return query_refuse(out, "a pattern is empty");
	if (out->patterns == config->max_patterns_per_conn)
		return query_refuse(
		    out, "more patterns than a connection may have");
	out->patterns++;
	return QUERY_OK;
}

/* Check one pair and take it over; unknown keys are ignored. */
static enum query_status
query_parse_pair(const struct config *config, const struct http_text *key,
    const struct http_text *value, struct query_options *out)
{
	char room[QUERY_USER_ROOM];
	size_t len;

	if (query_is(key, "topic"))
		return query_parse_topic(config, value, out);
	if (query_is(key, "pattern"))
		return query_parse_pattern(config, value, out);
	if (query_is(key, "user") &&
	    !query_decode_user(value, room, &len, &out->why))
		return QUERY_REFUSED;
	if (query_is(key, "buffer") &&
	    !query_parse_buffer(value, config->max_buffer, &out->buffer))
		return query_refuse(out, "buffer must be a number of messages");
	if (query_is(key, "overflow") &&
	    !query_parse_overflow(value, &out->overflow))
		return query_refuse(
		    out, "overflow must be drop, latest or close");
	return QUERY_OK;
}

enum query_status
query_parse(const struct config *config, struct http_text query,
    struct query_options *out)
{
	struct http_text key, value;
	enum query_status status = QUERY_OK;

	*out = (struct query_options){
		.buffer = QUERY_BUFFER_DEFAULT < config->max_buffer
		              ? QUERY_BUFFER_DEFAULT
		              : config->max_buffer,
		.overflow = OUTQ_DROP,
	};
	while (status == QUERY_OK && http_query_next(&query, &key, &value))
		status = query_parse_pair(config, &key, &value, out);
	return status;
}

bool
query_name_next(struct http_text *query, char room[QUERY_TOPIC_ROOM],
    struct query_name *name)
{
	struct http_text key, value;
	const char *why;

	while (http_query_next(query, &key, &value)) {
		name->is_pattern = query_is(&key, "pattern");
		if (!name->is_pattern && !query_is(&key, "topic"))
			continue;
		CHECK(query_decode_name(&value, room, &name->text, &why));
		return true;
	}
	return false;
}

void
query_subscribe(
    struct conn *c, struct http_text query, const struct intake_request *like)
{
	struct intake_request want = *like;
	char room[QUERY_TOPIC_ROOM];
	struct query_name name;

	want.follows = false;
	while (query_name_next(&query, room, &name)) {
		want.kind = name.is_pattern ? INTAKE_SUBSCRIBE_PATTERN
		                            : INTAKE_SUBSCRIBE;
		want.topic = name.text.at;
		want.topic_len = (uint8_t)name.text.len;
		intake_add(c, &want);
		want.follows = like->follows;
	}
}
