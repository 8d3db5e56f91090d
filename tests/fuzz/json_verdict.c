/* SPDX-License-Identifier: MIT */
/*
 * json_verdict.c - what our JSON codec makes of texts; for json.test.mjs, which
 * compares it with another parser.
 *
 * On standard input texts, each behind its length; on standard output for each
 * a verdict and, if it is JSON, what it says.  Lengths and counts are decimal
 * numbers ended by a colon, as in 5:hello
 *
 *	ok VALUE LENGTH:NORMALISED	newline-ended, each of these
 *	utf8				not UTF-8
 *	deep				nested deeper than JSON_DEPTH_MAX
 *	broken
 *
 * VALUE is s LENGTH:DECODED, n LENGTH:RAW, t, f, z (null), [ VALUE... ] or
 * { s KEY VALUE... }, without the blanks.
 */

#include "common/buf.h"
#include "common/bug.h"
#include "common/json.h"
#include "common/utf8.h"
#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1u << 20)

static void write_value(struct buf *out, const struct json_token *value);

static void
write_bytes(struct buf *out, const char *bytes, size_t len)
{
	buf_printf(out, "%zu:", len);
	buf_add(out, bytes, len);
}

static void
write_string(struct buf *out, const struct json_token *string)
{
	char *text = xmalloc(string->raw_len);

	buf_puts(out, "s");
	write_bytes(
	    out, text, json_string_decode(string->raw, string->raw_len, text));
	free(text);
}

static void
write_array(struct buf *out, const struct json_token *array)
{
	struct json_reader reader;
	struct json_token value;

	json_reader_init(&reader);
	CHECK(json_array_open(&reader, array->raw, array->raw_len) == JSON_OK);
	buf_puts(out, "[");
	while (json_element_next(&reader, &value))
		write_value(out, &value);
	buf_puts(out, "]");
	json_reader_fini(&reader);
}

static void
write_object(struct buf *out, const struct json_token *object)
{
	struct json_token key, value;
	struct json_reader reader;

	json_reader_init(&reader);
	CHECK(
	    json_object_open(&reader, object->raw, object->raw_len) == JSON_OK);
	buf_puts(out, "{");
	while (json_member_next(&reader, &key, &value)) {
		write_string(out, &key);
		write_value(out, &value);
	}
	buf_puts(out, "}");
	json_reader_fini(&reader);
}

static void
write_value(struct buf *out, const struct json_token *value)
{
	switch (value->kind) {
	case JSON_STRING:
		write_string(out, value);
		break;
	case JSON_NUMBER:
		buf_puts(out, "n");
		write_bytes(out, value->raw, value->raw_len);
		break;
	case JSON_OBJECT:
		write_object(out, value);
		break;
	case JSON_ARRAY:
		write_array(out, value);
		break;
	case JSON_TRUE:
		buf_puts(out, "t");
		break;
	case JSON_FALSE:
		buf_puts(out, "f");
		break;
	case JSON_NULL:
		buf_puts(out, "z");
		break;
	}
}

/* The value in a checked text, as a token: without the white space around. */
static struct json_token
only_value(const char *text, size_t len)
{
	struct json_token token = { json_kind_of(text, len), text, len };

	while (strchr(" \t\r\n", *token.raw) != NULL) {
		token.raw++;
		token.raw_len--;
	}
	while (strchr(" \t\r\n", token.raw[token.raw_len - 1]) != NULL)
		token.raw_len--;
	return token;
}

static void
judge(struct buf *out, const char *text, size_t len)
{
	struct json_token token;
	enum json_status status;
	const char *why;
	size_t where;
	char *copy;

	status = json_check(text, len, &where, &why);
	if (!utf8_valid(text, len)) {
		buf_puts(out, "utf8\n");
	} else if (status != JSON_OK) {
		buf_puts(out, status == JSON_TOO_DEEP ? "deep\n" : "broken\n");
	} else {
		copy = xmalloc(len);
		json_normalise(text, len, copy);
		token = only_value(text, len);
		buf_puts(out, "ok");
		write_value(out, &token);
		write_bytes(out, copy, len);
		buf_puts(out, "\n");
		free(copy);
	}
}

int
main(void)
{
	struct buf out;
	char *text;
	size_t len;

	buf_init(&out);
	while (scanf("%zu:", &len) == 1) {
		CHECK(len <= TEXT_MAX);
		text = xmalloc(len > 0 ? len : 1);
		CHECK(fread(text, 1, len, stdin) == len);
		buf_reset(&out);
		judge(&out, text, len);
		free(text);
		CHECK(fwrite(out.at, 1, out.len, stdout) == out.len);
	}
	buf_fini(&out);
	return 0;
}
