/* SPDX-License-Identifier: MIT */
/*
 * json_flat.c - read a flat object in one pass.
 *
 *	{"type":"publish","id":7,"topic":"room","message":"hello"}
 *
 * json_check() and jsmn (json.c) look at each byte once more each, and take
 * what may be nested into account.  Nearly every request is one object whose
 * values are strings, numbers and words, written without white space but for
 * one blank behind a colon or a comma: such a text is checked and taken apart
 * together.  This knows nothing of its own about what is JSON: it asks
 * json_scalar_len(), and whatever it does not take goes the long way, errors
 * included.
 */

#include "common/json.h"

/* The rest of a text. */
struct json_rest {
	const char *at;
	const char *end;
};

/* Step over this character, if it is the next. */
static bool
json_flat_skip(struct json_rest *rest, char wanted)
{
	if (rest->at == rest->end || *rest->at != wanted)
		return false;
	rest->at++;
	return true;
}

/* Take a value that has nothing inside. */
static bool
json_flat_scalar(struct json_rest *rest, struct json_token *token)
{
	size_t len = json_scalar_len(rest->at, (size_t)(rest->end - rest->at));

	if (len == 0)
		return false;
	token->kind = json_kind_of(rest->at, len);
	token->raw = rest->at;
	token->raw_len = len;
	rest->at += len;
	return true;
}

static bool
json_flat_member(
    struct json_rest *rest, struct json_token *key, struct json_token *value)
{
	if (!json_flat_scalar(rest, key) || key->kind != JSON_STRING ||
	    !json_flat_skip(rest, ':'))
		return false;
	json_flat_skip(rest, ' ');
	return json_flat_scalar(rest, value);
}

/* Returns: how many tokens the members have; 0 if it is not such a text. */
static unsigned
json_flat(
    const char *text, size_t len, struct json_token tokens[2 * JSON_FLAT_MAX])
{
	struct json_rest rest = { text, text + len };
	unsigned n = 0;

	if (len > JSON_OBJECT_MAX || !json_flat_skip(&rest, '{'))
		return 0;
	while (n < 2 * JSON_FLAT_MAX &&
	       json_flat_member(&rest, &tokens[n], &tokens[n + 1])) {
		n += 2;
		if (!json_flat_skip(&rest, ','))
			return json_flat_skip(&rest, '}') && rest.at == rest.end
			           ? n
			           : 0;
		json_flat_skip(&rest, ' ');
	}
	return 0;
}

enum json_status
json_object_read(struct json_reader *reader, const char *text, size_t len,
    size_t *where, const char **why)
{
	enum json_status status;

	reader->tokens_len = json_flat(text, len, reader->flat);
	reader->next = 0;
	reader->is_flat = reader->tokens_len > 0;
	if (reader->is_flat)
		return JSON_OK;
	status = json_check(text, len, where, why);
	if (status != JSON_OK)
		return status;
	*why = "longer than an object may be"; /* if that is broken */
	return json_object_open(reader, text, len);
}
