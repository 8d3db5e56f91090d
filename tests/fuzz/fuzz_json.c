/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json.c - the JSON codec, on any bytes.
 *
 * What json_check() lets pass is walked to the last value inside it: each is
 * JSON again and lies within its parent, each string can be decoded, written
 * and read again.  Which texts pass is compared with another parser by
 * json.test.mjs.
 */

#include "common/json.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

/* A string means the same after it was decoded and written anew. */
static void
check_string(const struct json_token *string)
{
	char *text = xmalloc(string->raw_len);
	size_t len = json_string_decode(string->raw, string->raw_len, text);
	char *again = xmalloc(JSON_ENCODED_MAX(len));
	char *text_again = xmalloc(JSON_ENCODED_MAX(len));
	size_t where, again_len = json_string_encode(text, len, again);
	const char *why;

	CHECK(len + 2 <= string->raw_len);
	CHECK(again_len <= JSON_ENCODED_MAX(len));
	CHECK(json_check(again, again_len, &where, &why) == JSON_OK);
	CHECK(json_string_decode(again, again_len, text_again) == len);
	CHECK(memcmp(text, text_again, len) == 0);
	if (utf8_valid(string->raw, string->raw_len))
		CHECK(utf8_valid(text, len));
	free(text);
	free(again);
	free(text_again);
}

/* A text that is read in one go says what it says when it is checked, opened
 * and walked. */
static void
check_read(const char *text, size_t len)
{
	struct json_reader one, two;
	struct json_token key[2], value[2];
	const char *why[2] = { NULL, NULL };
	size_t where[2] = { 0, 0 };
	enum json_status status = json_check(text, len, &where[0], &why[0]);

	json_reader_init(&one);
	json_reader_init(&two);
	if (status == JSON_OK)
		status = json_object_open(&one, text, len);
	CHECK(json_object_read(&two, text, len, &where[1], &why[1]) == status);
	if (status == JSON_BROKEN || status == JSON_TOO_DEEP)
		CHECK(where[0] == where[1] && why[0] == why[1]);
	while (
	    status == JSON_OK && json_member_next(&one, &key[0], &value[0])) {
		CHECK(json_member_next(&two, &key[1], &value[1]));
		CHECK(key[0].kind == key[1].kind && key[0].raw == key[1].raw &&
		      key[0].raw_len == key[1].raw_len);
		CHECK(value[0].kind == value[1].kind &&
		      value[0].raw == value[1].raw &&
		      value[0].raw_len == value[1].raw_len);
	}
	CHECK(!json_member_next(&two, &key[1], &value[1]));
	json_reader_fini(&one);
	json_reader_fini(&two);
}

static void check_value(const char *text, size_t len);

/* A value inside another. */
static void
check_inner(const struct json_token *value, const char *text, size_t len)
{
	CHECK(fuzz_within(value->raw, value->raw_len, text, len));
	CHECK(json_kind_of(value->raw, value->raw_len) == value->kind);
	check_value(value->raw, value->raw_len);
}

static void
check_object(const char *text, size_t len)
{
	struct json_token key, value;
	struct json_reader reader;

	json_reader_init(&reader);
	CHECK(json_object_open(&reader, text, len) == JSON_OK);
	while (json_member_next(&reader, &key, &value)) {
		CHECK(key.kind == JSON_STRING);
		check_inner(&key, text, len);
		check_inner(&value, text, len);
		CHECK(key.raw + key.raw_len < value.raw);
	}
	json_reader_fini(&reader);
}

static void
check_array(const char *text, size_t len)
{
	struct json_reader reader;
	struct json_token value;

	json_reader_init(&reader);
	CHECK(json_array_open(&reader, text, len) == JSON_OK);
	while (json_element_next(&reader, &value))
		check_inner(&value, text, len);
	json_reader_fini(&reader);
}

/* A text without white space around it that json_check() lets pass; as deep as
 * that allows, so this may recurse. */
static void
check_value(const char *text, size_t len)
{
	struct json_token token = { json_kind_of(text, len), text, len };
	const char *why;
	size_t where;

	CHECK(json_check(text, len, &where, &why) == JSON_OK);
	switch (token.kind) {
	case JSON_STRING:
		check_string(&token);
		break;
	case JSON_OBJECT:
		check_object(text, len);
		break;
	case JSON_ARRAY:
		check_array(text, len);
		break;
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
}

/* The copy that is stored has no lone surrogate, and is none the longer. */
static void
check_normalised(const char *text, size_t len)
{
	char *first = xmalloc(len), *second = xmalloc(len);
	const char *why;
	size_t where;

	json_normalise(text, len, first);
	CHECK(json_check(first, len, &where, &why) == JSON_OK);
	json_normalise(first, len, second);
	CHECK(memcmp(first, second, len) == 0);
	free(first);
	free(second);
}

/* Any text can be written as a string and comes back. */
static void
check_as_text(const char *text, size_t len)
{
	char *raw = xmalloc(JSON_ENCODED_MAX(len));
	size_t raw_len = json_string_encode(text, len, raw);
	char *back = xmalloc(raw_len);

	CHECK(json_string_decode(raw, raw_len, back) == len);
	CHECK(len == 0 || memcmp(back, text, len) == 0);
	free(raw);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *why = NULL;
	size_t where = 0, start = 0, end = size;

	check_as_text(text, size);
	check_read(text, size);
	if (json_check(text, size, &where, &why) != JSON_OK) {
		CHECK(where <= size && why != NULL && *why != '\0');
		return 0;
	}
	while (strchr(" \t\r\n", text[start]) != NULL)
		start++;
	while (strchr(" \t\r\n", text[end - 1]) != NULL)
		end--;
	check_value(text + start, end - start);
	check_normalised(text, size);
	return 0;
}
