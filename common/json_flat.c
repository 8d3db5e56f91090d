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

#include "common/json_scan.h"

/*
 * Take the string, number or word that begins at `at'.  A string without
 * escapes, as most are, is seen here.
 * Returns: where it ends; NULL: there is none.
 */
static inline __attribute__((always_inline)) const char *
json_flat_scalar(const char *at, const char *end, struct json_token *token)
{
	size_t left = (size_t)(end - at), len;

	token->raw = at;
	if (left > 0 && *at == '"') {
		len = 1 + json_plain_run(at + 1, left - 1);
		if (len < left && at[len] == '"') {
			token->kind = JSON_STRING;
			token->raw_len = len + 1;
			return at + len + 1;
		}
	}
	token->raw_len = json_scalar_len(at, left);
	if (token->raw_len == 0)
		return NULL;
	token->kind = json_kind_of(at, token->raw_len);
	return at + token->raw_len;
}

/* Step over a colon or a comma, and a blank behind it.  Returns the place behind
 * it; NULL: there is none, or nothing follows. */
static inline const char *
json_flat_skip(const char *at, const char *end, char wanted)
{
	if (end - at < 2 || *at != wanted)
		return NULL;
	return at[1] == ' ' ? at + 2 : at + 1;
}

/* Take a name and a value.  Returns the place behind it, or NULL. */
static inline const char *
json_flat_member(const char *at, const char *end, struct json_token *key,
    struct json_token *value)
{
	at = json_flat_scalar(at, end, key);
	if (at == NULL || key->kind != JSON_STRING)
		return NULL;
	at = json_flat_skip(at, end, ':');
	return at != NULL ? json_flat_scalar(at, end, value) : NULL;
}

unsigned
json_flat_members(
    const char *at, size_t len, struct json_token tokens[2 * JSON_FLAT_MAX])
{
	const char *end = at + len;

	for (unsigned n = 0; n < 2 * JSON_FLAT_MAX; n += 2) {
		at = json_flat_member(at, end, &tokens[n], &tokens[n + 1]);
		if (at == NULL)
			return 0;
		if (at + 1 == end && *at == '}')
			return n + 2;
		at = json_flat_skip(at, end, ',');
		if (at == NULL)
			return 0;
	}
	return 0;
}

/* Returns: how many tokens the members have; 0 if it is not such a text. */
static inline unsigned
json_flat(
    const char *text, size_t len, struct json_token tokens[2 * JSON_FLAT_MAX])
{
	if (len < 2 || len > JSON_OBJECT_MAX || *text != '{')
		return 0;
	return json_flat_members(text + 1, len - 1, tokens);
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
