/* SPDX-License-Identifier: MIT */
/* publish_options.c - see publish_options.h. */

#include "worker/api/publish_options.h"

#include "common/http.h"
#include "common/json.h"
#include "common/percent.h"
#include "worker/api/query.h"
#include "worker/requests/listen_query.h"

#include <string.h>

#define OPTIONS_KEY_HEADER "Idempotency-Key"

static const char options_bad_ttl[] =
    "ttl must be whole seconds, 1 to 31622400";
static const char options_bad_retain[] = "retain must be true or false";
static const char options_bad_key[] = "a key has 1 to 255 bytes";

static const char *
options_take_ttl(const struct http_text *value, struct publish_options *options)
{
	uint64_t ttl_s;

	if (!api_number(value, UINT32_MAX, &ttl_s) || ttl_s == 0 ||
	    ttl_s > EXTRAS_TTL_MAX)
		return options_bad_ttl;
	options->ttl_s = (uint32_t)ttl_s;
	return NULL;
}

static const char *
options_set_key(const char *at, size_t len, struct publish_options *options)
{
	if (len == 0 || len > EXTRAS_KEY_MAX)
		return options_bad_key;
	options->key_len = (uint8_t)len;
	memcpy(options->key, at, len);
	return NULL;
}

static const char *
options_take_key(const struct http_text *value, struct publish_options *options)
{
	char room[3 * EXTRAS_KEY_MAX];
	size_t len;

	if (value->len > sizeof(room) ||
	    !percent_decode_query(value->at, value->len, room, &len))
		return options_bad_key;
	return options_set_key(room, len, options);
}

/* The key in the header, with or without the quotes around it. */
static const char *
options_take_header(
    const struct http_request *req, struct publish_options *options)
{
	const struct http_text *header =
	    http_header_find(req, OPTIONS_KEY_HEADER);
	struct http_text key;

	if (header == NULL)
		return NULL;
	if (http_header_count(req, OPTIONS_KEY_HEADER) > 1)
		return "only one Idempotency-Key can be given";
	key = *header;
	if (key.len >= 2 && key.at[0] == '"' && key.at[key.len - 1] == '"') {
		key.at++;
		key.len -= 2;
	}
	return options_set_key(key.at, key.len, options);
}

const char *
publish_options_want(
    const struct publish_options *options, struct intake_request *want)
{
	want->ttl_s = options->ttl_s;
	want->retain = options->retain;
	want->says_retain = options->says_retain;
	want->key = options->key;
	want->key_len = options->key_len;
	return extras_contradict(want);
}

const char *
publish_options_read(const struct http_request *req,
    const struct api_query *asked, struct publish_options *options)
{
	struct intake_request want = { .is_ephemeral = asked->is_ephemeral };
	struct http_text query = req->query, key, value;
	const char *why = NULL;

	memset(options, 0, sizeof(*options));
	options->retain = asked->retain;
	options->says_retain = asked->says_retain;
	while (why == NULL && http_query_next(&query, &key, &value)) {
		if (query_is(&key, "ttl"))
			why = options_take_ttl(&value, options);
		else if (query_is(&key, "key"))
			why = options_take_key(&value, options);
	}
	if (why == NULL)
		why = options_take_header(req, options);
	return why != NULL ? why : publish_options_want(options, &want);
}

/* Whether a member is there at all; null counts as not there. */
static bool
options_has(const struct json_token *member)
{
	return member->raw != NULL && member->kind != JSON_NULL;
}

static const char *
options_take(const struct json_token *ttl, const struct json_token *key,
    const struct json_token *retain, struct publish_options *options)
{
	char room[JSON_ENCODED_MAX(EXTRAS_KEY_MAX)];
	const char *why = NULL;

	memset(options, 0, sizeof(*options));
	if (options_has(ttl)) {
		const struct http_text number = { ttl->raw, ttl->raw_len };

		why = ttl->kind == JSON_NUMBER
		          ? options_take_ttl(&number, options)
		          : options_bad_ttl;
	}
	options->says_retain = options_has(retain);
	options->retain = options->says_retain && retain->kind == JSON_TRUE;
	if (options->says_retain && !options->retain &&
	    retain->kind != JSON_FALSE)
		return options_bad_retain;
	if (why != NULL || !options_has(key))
		return why;
	if (key->kind != JSON_STRING || key->raw_len > sizeof(room))
		return options_bad_key;
	return options_set_key(
	    room, json_string_decode(key->raw, key->raw_len, room), options);
}

const char *
publish_options_take(const struct json_token *ttl, const struct json_token *key,
    const struct json_token *retain, struct publish_options *options,
    struct intake_request *want)
{
	const char *why = options_take(ttl, key, retain, options);

	return why != NULL ? why : publish_options_want(options, want);
}
