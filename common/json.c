/* SPDX-License-Identifier: MIT */
/*
 * json.c - the members of an object or array, by jsmn.
 *
 * jsmn needs a token for every value in the text, also for those inside the
 * members, which nobody here asks for.  It can go on where it stopped for want
 * of tokens, so the array starts small and doubles.  JSMN_PARENT_LINKS is not
 * for the links' sake: without it every closing bracket searches all tokens
 * before it, and [[],[],...] takes quadratic time.
 */

#include "common/json.h"

#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define JSON_TOKENS_MIN 64

static enum json_kind
json_kind_at(const char *raw)
{
	switch (*raw) {
	case '"':
		return JSON_STRING;
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static bool
json_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

enum json_kind
json_kind_of(const char *text, size_t len)
{
	size_t pos = 0;

	while (pos + 1 < len && json_is_space(text[pos]))
		pos++;
	return json_kind_at(text + pos);
}

void
json_reader_init(struct json_reader *reader)
{
	*reader = (struct json_reader){ 0 };
}

void
json_reader_fini(struct json_reader *reader)
{
	free(reader->tokens);
	*reader = (struct json_reader){ 0 };
}

static void
json_reader_grow(struct json_reader *reader)
{
	unsigned max =
	    reader->tokens_max > 0 ? reader->tokens_max * 2 : JSON_TOKENS_MIN;

	reader->tokens = xreallocarray(reader->tokens, max, sizeof(jsmntok_t));
	reader->tokens_max = max;
}

/* Begin to read an object or an array. */
static enum json_status
json_open(struct json_reader *reader, enum json_kind kind, const char *text,
    size_t len)
{
	jsmn_parser parser;
	int n;

	reader->tokens_len = 0;
	reader->next = 1; /* token 0 is the whole */
	reader->is_flat = false;
	if (json_kind_of(text, len) != kind)
		return kind == JSON_OBJECT ? JSON_NOT_OBJECT : JSON_NOT_ARRAY;
	if (len > JSON_OBJECT_MAX)
		return JSON_BROKEN;
	if (reader->tokens == NULL)
		json_reader_grow(reader);

	jsmn_init(&parser);
	while ((n = jsmn_parse(&parser, text, len, reader->tokens,
		    reader->tokens_max)) == JSMN_ERROR_NOMEM)
		json_reader_grow(reader);
	if (n < 0)
		return JSON_BROKEN;
	reader->text = text;
	reader->tokens_len = (unsigned)n;
	return JSON_OK;
}

enum json_status
json_object_open(struct json_reader *reader, const char *text, size_t len)
{
	return json_open(reader, JSON_OBJECT, text, len);
}

enum json_status
json_array_open(struct json_reader *reader, const char *text, size_t len)
{
	return json_open(reader, JSON_ARRAY, text, len);
}

static void
json_token_set(struct json_token *out, const char *text, const jsmntok_t *token)
{
	int quotes = token->type == JSMN_STRING; /* jsmn leaves them out */

	out->raw = text + token->start - quotes;
	out->raw_len = (size_t)(token->end - token->start) + 2 * (size_t)quotes;
	out->kind = json_kind_at(out->raw);
}

/* Take the value at token i, and skip what is inside. */
static void
json_value_take(
    struct json_reader *reader, unsigned i, struct json_token *value)
{
	const jsmntok_t *tokens = reader->tokens;
	int end = tokens[i].end;

	json_token_set(value, reader->text, &tokens[i]);
	for (i++; i < reader->tokens_len && tokens[i].start < end;)
		i++;
	reader->next = i;
}

bool
json_member_next(struct json_reader *reader, struct json_token *key,
    struct json_token *value)
{
	const jsmntok_t *tokens = reader->tokens;
	unsigned i = reader->next;

	if (i + 1 >= reader->tokens_len)
		return false;
	if (reader->is_flat) {
		*key = reader->flat[i];
		*value = reader->flat[i + 1];
		reader->next += 2;
		return true;
	}
	json_token_set(key, reader->text, &tokens[i]);
	json_value_take(reader, i + 1, value);
	return true;
}

void
json_member_rewind(struct json_reader *reader)
{
	reader->next = reader->is_flat ? 0 : 1;
}

bool
json_element_next(struct json_reader *reader, struct json_token *value)
{
	if (reader->next >= reader->tokens_len)
		return false;
	json_value_take(reader, reader->next, value);
	return true;
}
