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

static enum query_status
query_parse_topic(const struct config *config, const struct http_text *value,
    struct query_options *out)
{
	char room[QUERY_TOPIC_ROOM];
	const char *why;
	size_t len;

	if (value->len > sizeof(room))
		return query_refuse(out, "a topic is longer than 255 bytes");
	if (!percent_decode_query(value->at, value->len, room, &len))
		return query_refuse(
		    out, "a topic's percent-encoding is broken");
	if (!topic_name_valid(room, len, &why))
		return query_refuse(out, why);
	if (out->topics == config->max_topics_per_conn)
		return query_refuse(
		    out, "more topics than a connection may have");
	out->topics++;
	return QUERY_OK;
}

/* Check one pair and take it over; unknown keys are ignored. */
static enum query_status
query_parse_pair(const struct config *config, const struct http_text *key,
    const struct http_text *value, struct query_options *out)
{
	if (query_is(key, "topic"))
		return query_parse_topic(config, value, out);
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
query_topic_next(struct http_text *query, char room[QUERY_TOPIC_ROOM],
    struct http_text *topic)
{
	struct http_text key, value;

	while (http_query_next(query, &key, &value)) {
		if (!query_is(&key, "topic"))
			continue;
		topic->at = room;
		CHECK(value.len <= QUERY_TOPIC_ROOM &&
		      percent_decode_query(
			  value.at, value.len, room, &topic->len));
		return true;
	}
	return false;
}
