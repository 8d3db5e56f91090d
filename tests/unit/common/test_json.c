/* SPDX-License-Identifier: MIT */
/*
 * test_json.c - what json_check() and json_kind_of() promise.
 *
 * Every text is checked in a block of exactly its size, so that a sanitizer
 * notices a look at the byte behind it.
 */

#include "common/json.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct verdict {
	enum json_status status;
	size_t where;
	const char *why;
};

static struct verdict
check(const char *text, size_t len)
{
	char *block = malloc(len > 0 ? len : 1);
	char *start = len > 0 ? block : block + 1; /* may not be read at all */
	struct verdict v;

	assert_non_null(block);
	memcpy(start, text, len);
	v.status = json_check(start, len, &v.where, &v.why);
	free(block);
	return v;
}

static void
expect_json(const char *text)
{
	if (check(text, strlen(text)).status != JSON_OK)
		fail_msg("refused: %s", text);
}

static void
test_values_of_each_kind_are_json(void **state)
{
	static const char *const texts[] = { "{}", "[]", "\"\"", "0", "-0",
		"true", "false", "null", "1234567890", "-12", "0.5", "-1.25",
		"1e9", "1E+9", "0e-0", "12.50e-007", "{\"a\":1}",
		"{\"a\":1,\"a\":2}", "{\"\":{\"\":[]}}", "[1,[2,[3]],{}]",
		"[null,true,false]", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
		"\"\\u00e9\\uD83D\\ude00\"", "\"\\ud800\"", "\"\x7f\"",
		"\"\xc3\xa9\"", "1e99999", "123456789012345678901234567890" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		expect_json(texts[i]);
}

static void
test_white_space_may_stand_between_tokens(void **state)
{
	(void)state;
	expect_json(" \t\r\n{ \"a\"\t:\n[ 1 , 2\r] , \"b\" : { } }\r\n");
	expect_json(" 1 ");
	expect_json("[ ]");
}

static void
test_what_is_wrong_is_told_by_place_and_reason(void **state)
{
	static const struct {
		const char *text;
		size_t where;
		const char *why;
	} rows[] = {
		{ "x", 0, "a value is expected" },
		{ "]", 0, "a value is expected" },
		{ "[1,]", 3, "a value is expected" },
		{ "[,1]", 1, "a value is expected" },
		{ "{\"a\":}", 5, "a value is expected" },
		{ "+1", 0, "a value is expected" },
		{ ".5", 0, "a value is expected" },
		{ "'a'", 0, "a value is expected" },
		{ "\f1", 0, "a value is expected" },
		{ "[1 2]", 3, "a comma or ] is expected" },
		{ "[1}", 2, "a comma or ] is expected" },
		{ "[01]", 2, "a comma or ] is expected" },
		{ "[1:2]", 2, "a comma or ] is expected" },
		{ "{\"a\":1]", 6, "a comma or } is expected" },
		{ "{\"a\":1 \"b\":2}", 7, "a comma or } is expected" },
		{ "[{\"a\":1]", 7, "a comma or } is expected" },
		{ "{a:1}", 1, "a member's name in quotes is expected" },
		{ "{1:1}", 1, "a member's name in quotes is expected" },
		{ "{,}", 1, "a member's name in quotes is expected" },
		{ "{\"a\":1,}", 7, "a member's name in quotes is expected" },
		{ "{\"a\"}", 4, "a colon is expected" },
		{ "{\"a\",1}", 4, "a colon is expected" },
		{ "{} {}", 3, "nothing may follow the value" },
		{ "{}x", 2, "nothing may follow the value" },
		{ "1 2", 2, "nothing may follow the value" },
		{ "01", 1, "nothing may follow the value" },
		{ "[]]", 2, "nothing may follow the value" },
		{ "null,", 4, "nothing may follow the value" },
		{ "nulx", 3, "only true, false and null are words" },
		{ "True", 0, "a value is expected" },
		{ "tRue", 1, "only true, false and null are words" },
		{ "nullx", 4, "nothing may follow the value" },
		{ "-", 1, "the text ends too early" },
		{ "-x", 1, "a digit is expected" },
		{ "1.", 2, "the text ends too early" },
		{ "1.x", 2, "a digit is expected" },
		{ "1ex", 2, "a digit is expected" },
		{ "1e+x", 3, "a digit is expected" },
		{ "\"\\x\"", 2, "unknown escape in a string" },
		{ "\"\\U0041\"", 2, "unknown escape in a string" },
		{ "\"\\u12g4\"", 5, "\\u takes four hexadecimal digits" },
		{ "\"\\u12\"", 5, "\\u takes four hexadecimal digits" },
		{ "\"a\nb\"", 2, "raw control character in a string" },
		{ "\"a\tb\"", 2, "raw control character in a string" },
		{ "{\"a\x1f\":1}", 3, "raw control character in a string" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct verdict v = check(rows[i].text, strlen(rows[i].text));

		if (v.status != JSON_BROKEN || v.where != rows[i].where)
			fail_msg("%s: status %d at %zu", rows[i].text,
			    (int)v.status, v.where);
		assert_string_equal(v.why, rows[i].why);
	}
}

static void
test_every_beginning_of_a_text_ends_too_early(void **state)
{
	static const char text[] =
	    " {\"a\\u00e9\" : [ true , null , -1.5e+3 ], \"b\":{\"c\":\"d\"}}";

	(void)state;
	expect_json(text);
	for (size_t len = 0; len < strlen(text); len++) {
		struct verdict v = check(text, len);

		assert_int_equal(v.status, JSON_BROKEN);
		assert_int_equal(v.where, len);
		assert_string_equal(v.why, "the text ends too early");
	}
}

static void
test_a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const char text[] = "[ \"a\\n\" , 1.5 , true ]";
	char copy[sizeof(text)];

	(void)state;
	for (size_t at = 0; at < strlen(text); at++) {
		memcpy(copy, text, sizeof(text));
		copy[at] = '\0';
		assert_int_equal(check(copy, strlen(text)).status, JSON_BROKEN);
	}
	assert_int_equal(check(text, sizeof(text)).status, JSON_BROKEN);
}

/* depth opening brackets and as many closing ones */
static size_t
nest(char *out, size_t depth, const char *open, const char *close)
{
	size_t len = 0;

	for (size_t i = 0; i < depth; i++, len += strlen(open))
		memcpy(out + len, open, strlen(open));
	out[len++] = '1';
	for (size_t i = 0; i < depth; i++, len += strlen(close))
		memcpy(out + len, close, strlen(close));
	return len;
}

static void
test_nesting_is_bounded(void **state)
{
	char text[1024];
	struct verdict v;
	size_t len;

	(void)state;
	len = nest(text, JSON_DEPTH_MAX, "[", "]");
	assert_int_equal(check(text, len).status, JSON_OK);
	len = nest(text, JSON_DEPTH_MAX, "{\"a\":", "}");
	assert_int_equal(check(text, len).status, JSON_OK);

	len = nest(text, JSON_DEPTH_MAX + 1, "[", "]");
	v = check(text, len);
	assert_int_equal(v.status, JSON_TOO_DEEP);
	assert_int_equal(v.where, JSON_DEPTH_MAX);
	len = nest(text, JSON_DEPTH_MAX + 1, "{\"a\":", "}");
	assert_int_equal(check(text, len).status, JSON_TOO_DEEP);
}

static void
test_depth_counts_what_is_open_not_what_was(void **state)
{
	enum { LEN = 64 * 1024 };
	char *text = malloc(LEN);
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	text[len++] = '[';
	while (len + 4 < LEN) {
		memcpy(text + len, "[],", 3);
		len += 3;
	}
	memcpy(text + len, "1]", 2);
	assert_int_equal(check(text, len + 2).status, JSON_OK);
	free(text);
}

/* Also those that the second word of bits remembers. */
static void
test_another_depth_can_be_asked_for(void **state)
{
	char text[8 * JSON_DEPTH_ANY];
	const char *why;
	size_t where;

	(void)state;
	for (unsigned depth = 1; depth <= JSON_DEPTH_ANY; depth++) {
		size_t len = nest(text, depth, "[", "]");

		assert_int_equal(
		    json_check_depth(text, len, depth, &where, &why), JSON_OK);
		assert_int_equal(
		    json_check_depth(text, len, depth - 1, &where, &why),
		    JSON_TOO_DEEP);
		text[len - 1] = '}';
		assert_int_equal(
		    json_check_depth(text, len, depth, &where, &why),
		    JSON_BROKEN);
	}
	for (unsigned depth = 2; depth <= JSON_DEPTH_ANY; depth += 2) {
		size_t len = nest(text, depth / 2, "[{\"a\":", "}]");

		assert_int_equal(
		    json_check_depth(text, len, depth, &where, &why), JSON_OK);
	}
}

static void
test_mixed_brackets_are_matched_at_every_depth(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 8];

	(void)state;
	for (size_t depth = 1; depth <= JSON_DEPTH_MAX; depth++) {
		size_t len = nest(text, depth, "[", "]");

		for (size_t at = depth + 1; at < len; at++) {
			text[at] = '}';
			assert_int_equal(check(text, len).status, JSON_BROKEN);
			text[at] = ']';
		}
	}
}

static void
test_kind_is_told_behind_white_space(void **state)
{
	static const struct {
		const char *text;
		enum json_kind kind;
	} rows[] = {
		{ " {}", JSON_OBJECT },
		{ "\r\n[1]", JSON_ARRAY },
		{ "\t\"a\"", JSON_STRING },
		{ " -1", JSON_NUMBER },
		{ "0", JSON_NUMBER },
		{ "true", JSON_TRUE },
		{ "false", JSON_FALSE },
		{ " null ", JSON_NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
		    json_kind_of(rows[i].text, strlen(rows[i].text)),
		    rows[i].kind);
}

static void
test_depth_of_a_value(void **state)
{
	static const struct {
		const char *text;
		unsigned depth;
	} rows[] = { { "1", 0 }, { "\"[[[[[[\"", 0 }, { "[]", 1 },
		{ "[[],[],{}]", 2 }, { "{\"a\":[{\"b\":{}}],\"c\":[]}", 4 },
		{ "[\"\\\"[[[\",\"\\\\\",[]]", 2 },
		{ "[[[\"]]]\",[{}]]]]", 5 } };
	char text[1024];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		len = strlen(rows[i].text);
		assert_true(
		    json_within_depth(rows[i].text, len, rows[i].depth));
		if (rows[i].depth > 0)
			assert_false(json_within_depth(
			    rows[i].text, len, rows[i].depth - 1));
	}
	len = nest(text, 61, "{\"a\":", "}");
	assert_true(json_within_depth(text, len, 61));
	assert_false(json_within_depth(text, len, 60));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_values_of_each_kind_are_json),
	cmocka_unit_test(test_white_space_may_stand_between_tokens),
	cmocka_unit_test(test_what_is_wrong_is_told_by_place_and_reason),
	cmocka_unit_test(test_every_beginning_of_a_text_ends_too_early),
	cmocka_unit_test(test_a_nul_byte_is_refused_wherever_it_stands),
	cmocka_unit_test(test_nesting_is_bounded),
	cmocka_unit_test(test_depth_counts_what_is_open_not_what_was),
	cmocka_unit_test(test_another_depth_can_be_asked_for),
	cmocka_unit_test(test_mixed_brackets_are_matched_at_every_depth),
	cmocka_unit_test(test_kind_is_told_behind_white_space),
	cmocka_unit_test(test_depth_of_a_value),
};

SUITE_MAIN(tests);
