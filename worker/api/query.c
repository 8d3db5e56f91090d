/* SPDX-License-Identifier: MIT */
/* query.c - see query.h. */

#include "worker/api/query.h"

#include "common/percent.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/place.h"
#include "worker/requests/listen_query.h"
#include "worker/requests/topic_name.h"

#include <string.h>

static bool
api_query_refuse(struct api_query *out, const char *why)
{
	out->why = why;
	return false;
}

bool
api_number(const struct http_text *text, uint64_t max, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text->len; i++) {
		uint64_t digit = (unsigned char)text->at[i] - (uint64_t)'0';

		if (digit > 9)
			return false;
		*number =
		    *number > (max - digit) / 10 ? max : *number * 10 + digit;
	}
	return text->len > 0;
}

/* Look whether decoded text can be a name, and take it over. */
static bool
api_name_take(
    const char *text, size_t len, struct api_name *name, const char **why)
{
	if (!topic_name_valid(text, len, why))
		return false;
	name->len = (uint8_t)len;
	memcpy(name->at, text, len);
	return true;
}

bool
api_name_parse(
    const struct http_text *text, struct api_name *name, const char **why)
{
	char room[QUERY_TOPIC_ROOM];
	size_t len;

	*why = "the topic is longer than 255 bytes";
	if (text->len > sizeof(room))
		return false;
	*why = "the topic's percent-encoding is broken";
	if (!percent_decode_path(text->at, text->len, room, &len))
		return false;
	*why = "a topic by HTTP has a name";
	return len > 0 && api_name_take(room, len, name, why);
}

bool
api_name_equal(const struct api_name *a, const struct api_name *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

/* Decode the value of a ?topic=, and look whether it can be one. */
static bool
api_query_topic_value(
    const struct http_text *value, struct api_name *name, const char **why)
{
	char room[QUERY_TOPIC_ROOM];
	size_t len;

	*why = "topic has 255 bytes at most";
	if (value->len > sizeof(room))
		return false;
	*why = "topic: the percent-encoding is broken";
	if (!percent_decode_query(value->at, value->len, room, &len))
		return false;
	*why = "a topic by HTTP has a name";
	return len > 0 && api_name_take(room, len, name, why);
}

bool
api_query_topic(struct http_text query, struct api_name *name, bool *given,
    const char **why)
{
	struct http_text key, value;
	struct api_name another;

	*given = false;
	while (http_query_next(&query, &key, &value)) {
		if (!query_is(&key, "topic"))
			continue;
		if (!api_query_topic_value(&value, &another, why))
			return false;
		if (*given && !api_name_equal(name, &another)) {
			*why = "only one topic can be asked for";
			return false;
		}
		*name = another;
		*given = true;
	}
	return true;
}

static bool
api_query_name(
    const struct http_text *value, struct api_name *name, struct api_query *out)
{
	char room[QUERY_TOPIC_ROOM];
	size_t len;

	if (value->len > sizeof(room))
		return api_query_refuse(
		    out, "prefix and after have 255 bytes at most");
	if (!percent_decode_query(value->at, value->len, room, &len))
		return api_query_refuse(
		    out, "prefix or after: the percent-encoding is broken");
	return api_name_take(room, len, name, &out->why);
}

static bool
api_query_limit(const struct http_text *value, struct api_query *out)
{
	uint64_t limit;

	if (!api_number(value, UINT32_MAX, &limit) || limit == 0)
		return api_query_refuse(
		    out, "limit must be a number, 1 or more");
	out->has_limit = true;
	out->limit = (uint32_t)limit;
	return true;
}

static bool
api_query_every(const struct http_text *value, struct api_query *out)
{
	uint64_t every_ms;

	if (!api_number(value, UINT32_MAX, &every_ms) ||
	    every_ms < PACE_MIN_MS || every_ms > PACE_MAX_MS)
		return api_query_refuse(
		    out, "every_ms must be milliseconds, 100 to 3600000");
	out->every_ms = (uint32_t)every_ms;
	return true;
}

static bool
api_query_before(const struct http_text *value, struct api_query *out)
{
	out->has_before = true;
	return api_number(value, UINT64_MAX, &out->before) ||
	       api_query_refuse(out, "before must be a number");
}

/* What is no place is not refused: see api_place_parse(). */
static bool
api_query_place(const struct http_text *value, struct api_query_place *place)
{
	size_t len = 0;

	place->given = value->len > 0;
	if (value->len > sizeof(place->at) ||
	    !percent_decode_query(value->at, value->len, place->at, &len))
		len = 0;
	place->len = (uint8_t)len;
	return true;
}

static bool
api_query_flag(const struct http_text *value, bool *flag, const char *why,
    struct api_query *out)
{
	*flag = http_text_equal(value, "true");
	return *flag || http_text_equal(value, "false") ||
	       api_query_refuse(out, why);
}

/* Take one pair over. */
static bool
api_query_pair(const struct http_text *key, const struct http_text *value,
    struct api_query *out)
{
	if (query_is(key, "limit"))
		return api_query_limit(value, out);
	if (query_is(key, "before"))
		return api_query_before(value, out);
	if (query_is(key, "prefix"))
		return api_query_name(value, &out->prefix, out);
	if (query_is(key, "after")) {
		out->has_after = true;
		if (!api_number(value, UINT64_MAX, &out->after_serial))
			out->after_serial = 0;
		return api_query_name(value, &out->after, out);
	}
	out->says_retain |= query_is(key, "retain");
	if (query_is(key, "retain"))
		return api_query_flag(
		    value, &out->retain, "retain must be true or false", out);
	if (query_is(key, "every_ms"))
		return api_query_every(value, out);
	if (query_is(key, "last"))
		return api_query_flag(
		    value, &out->last, "last must be true or false", out);
	if (query_is(key, "ephemeral"))
		return api_query_flag(value, &out->is_ephemeral,
		    "ephemeral must be true or false", out);
	if (query_is(key, "since"))
		return api_query_place(value, &out->since);
	if (query_is(key, "lastEventId"))
		return api_query_place(value, &out->last_event_id);
	return true;
}

bool
api_query_parse(struct http_text query, struct api_query *out)
{
	struct http_text key, value;

	memset(out, 0, sizeof(*out));
	while (http_query_next(&query, &key, &value))
		if (!api_query_pair(&key, &value, out))
			return false;
	return true;
}

/* In a cluster, EPOCH:SEQ:PLACE: cut that off. */
static void
api_place_cut(struct http_text *seq, struct api_place *place)
{
	const char *colon = memchr(seq->at, ':', seq->len);
	size_t before;

	if (colon == NULL || !place_is_used())
		return;
	before = (size_t)(colon - seq->at);
	place->has_place = true;
	place->place = place_parse(colon + 1, seq->len - before - 1);
	seq->len = before;
}

struct api_place
api_place_parse(const char *text, size_t len, const char *epoch)
{
	struct api_place place = { .seq = UINT64_MAX };
	const char *colon = memchr(text, ':', len);
	struct http_text seq;
	size_t epoch_len;

	if (colon == NULL)
		return place;
	epoch_len = (size_t)(colon - text);
	seq = (struct http_text){ colon + 1, len - epoch_len - 1 };
	api_place_cut(&seq, &place);
	if (!api_number(&seq, UINT64_MAX, &place.seq))
		place.seq = UINT64_MAX;
	else
		place.is_other_epoch = epoch_len != strlen(epoch) ||
		                       memcmp(text, epoch, epoch_len) != 0;
	return place;
}
