/* SPDX-License-Identifier: MIT */
/*
 * test_plain.c - what worker/protocol/plain.h promises of plain_parse(): every line of
 * the contract's table that can be decided by looking at one message.
 */

#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "worker/protocol/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 4096u

static struct json_reader reader;
static struct plain_request req;
static struct plain_error error;

static int
setup(void **state)
{
	(void)state;
	json_reader_init(&reader);
	memset(&req, 0xee, sizeof(req));
	memset(&error, 0xee, sizeof(error));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_reader_fini(&reader);
	return 0;
}

/* Parse a copy that ends where the memory does. */
static bool
parse_as(bool binary, const char *data, size_t len)
{
	static char *copy;

	free(copy);
	copy = len == 0 ? NULL : memcpy(xmalloc(len), data, len);
	return plain_parse(&reader, binary, copy, len, BODY_MAX, &req, &error);
}

static bool
parse(const char *text)
{
	return parse_as(false, text, strlen(text));
}

static void
assert_request(const char *topic, const char *body)
{
	assert_int_equal(req.topic_len, strlen(topic));
	assert_memory_equal(req.topic, topic, req.topic_len);
	assert_int_equal(req.body_len, strlen(body));
	assert_memory_equal(req.body, body, req.body_len);
}

static void
assert_accepted(const char *text, const char *topic, const char *body)
{
	assert_true(parse(text));
	assert_request(topic, body);
}

/* Refused with this code, and words of the reason. */
static void
assert_refused(const char *text, unsigned code, const char *words)
{
	assert_false(parse(text));
	assert_int_equal(error.code, code);
	assert_in_range(strlen(error.reason), 1, WS_REASON_MAX);
	if (strstr(error.reason, words) == NULL)
		fail_msg("\"%s\" says not \"%s\"", error.reason, words);
}

static void
test_topic_and_message_are_taken(void **state)
{
	(void)state;
	assert_accepted(
	    "{\"topic\":\"room\",\"message\":\"hello\"}", "room", "\"hello\"");
	assert_accepted(" \t\r\n{ \"message\" : \"hello\" , \"topic\" : "
			"\"room\" } \n",
	    "room", "\"hello\"");
}

static void
test_missing_or_empty_counts_as_empty(void **state)
{
	(void)state;
	assert_accepted("{}", "", "\"\"");
	assert_accepted("null", "", "\"\"");
	assert_accepted(" null ", "", "\"\"");
	assert_accepted("{\"topic\":\"a\"}", "a", "\"\"");
	assert_accepted("{\"message\":\"b\"}", "", "\"b\"");
	assert_accepted("{\"topic\":\"\",\"message\":\"\"}", "", "\"\"");
}

static void
test_null_leaves_what_stood_before(void **state)
{
	(void)state;
	assert_accepted("{\"topic\":null,\"message\":null}", "", "\"\"");
	assert_accepted("{\"topic\":\"a\",\"topic\":null,\"message\":\"b\","
			"\"message\":null}",
	    "a", "\"b\"");
}

static void
test_other_members_are_ignored(void **state)
{
	(void)state;
	assert_accepted("{\"type\":7,\"topics\":[1,{\"topic\":\"no\"}],"
			"\"topic\":\"a\",\"message \":{},\"message\":\"b\"}",
	    "a", "\"b\"");
}

static void
test_of_a_repeated_member_the_last_counts(void **state)
{
	(void)state;
	assert_accepted("{\"topic\":\"a\",\"message\":\"b\",\"topic\":\"c\","
			"\"message\":\"d\"}",
	    "c", "\"d\"");
	assert_accepted("{\"topic\":\"a\",\"TOPIC\":\"c\"}", "c", "\"\"");
}

static void
test_names_in_any_case(void **state)
{
	(void)state;
	assert_accepted("{\"Topic\":\"a\",\"MESSAGE\":\"b\"}", "a", "\"b\"");
	assert_accepted("{\"TOPIC\":\"a\",\"Message\":\"b\"}", "a", "\"b\"");
	assert_accepted(
	    "{\"\\u0054opic\":\"a\",\"m\\u0065ssage\":\"b\"}", "a", "\"b\"");
}

static void
test_binary_is_treated_like_text(void **state)
{
	static const char text[] = "{\"topic\":\"a\",\"message\":\"\xc3\xa9\"}";

	(void)state;
	assert_true(parse_as(true, text, sizeof(text) - 1));
	assert_request("a", "\"\xc3\xa9\"");
}

static void
test_binary_that_is_not_utf8(void **state)
{
	static const char text[] = "{\"topic\":\"a\",\"message\":\"\xff\"}";

	(void)state;
	assert_false(parse_as(true, text, sizeof(text) - 1));
	assert_int_equal(error.code, WS_CODE_POLICY);
	assert_non_null(strstr(error.reason, "UTF-8"));
}

static void
test_members_of_another_kind(void **state)
{
	static const char *const values[] = { "1", "true", "false", "[]",
		"[\"a\"]", "{}", "{\"a\":\"b\"}" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		snprintf(text, sizeof(text), "{\"topic\":%s}", values[i]);
		assert_refused(
		    text, WS_CODE_POLICY, "topic is not a string (byte 9)");
		snprintf(text, sizeof(text), "{\"message\": %s}", values[i]);
		assert_refused(
		    text, WS_CODE_POLICY, "message is not a string (byte 12)");
	}
}

static void
test_what_is_no_object(void **state)
{
	static const char *const texts[] = { "[]",
		"[{\"topic\":\"a\",\"message\":\"b\"}]", "\"a\"", "17",
		"true" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_refused(texts[i], WS_CODE_POLICY, "not an object");
}

static void
test_broken_json_says_where(void **state)
{
	(void)state;
	assert_refused("", WS_CODE_POLICY, "bad JSON at byte 0");
	assert_refused("hello", WS_CODE_POLICY, "bad JSON at byte 0");
	assert_refused("{\"topic\":\"a\"", WS_CODE_POLICY, "at byte 12");
	assert_refused("{\"topic\":'a'}", WS_CODE_POLICY, "at byte 9");
	assert_refused("{\"topic\":\"a\",}", WS_CODE_POLICY, "at byte 13");
	assert_refused("{\"message\":\"\\x\"}", WS_CODE_POLICY, "bad JSON");
	assert_refused("{\"message\":\"\\ud83\"}", WS_CODE_POLICY, "bad JSON");
}

static void
test_bytes_after_the_object(void **state)
{
	(void)state;
	assert_refused("{}{}", WS_CODE_POLICY, "at byte 2");
	assert_refused("{} x", WS_CODE_POLICY, "at byte 3");
	assert_refused("null null", WS_CODE_POLICY, "at byte 5");
	assert_false(parse_as(false, "{}", 3)); /* a NUL */
	assert_int_equal(error.code, WS_CODE_POLICY);
}

static void
test_raw_control_character_in_a_string(void **state)
{
	(void)state;
	assert_refused("{\"message\":\"a\nb\"}", WS_CODE_POLICY, "at byte 13");
	assert_refused("{\"x\":\"\x01\"}", WS_CODE_POLICY, "at byte 6");
}

/* A member of depth arrays. */
static char *
nested(unsigned depth)
{
	char *text = xcalloc(1, 2 * depth + 8), *at = text;

	at = stpcpy(at, "{\"x\":");
	memset(at, '[', depth);
	memset(at + depth, ']', depth);
	at[2 * depth] = '}';
	return text;
}

static void
test_nesting_over_64(void **state)
{
	char *text = nested(63);

	(void)state;
	assert_accepted(text, "", "\"\"");
	free(text);
	text = nested(64);
	assert_refused(text, WS_CODE_POLICY, "bad JSON at byte 68");
	free(text);
}

/* {"topic":"xx..."}, the topic of n times unit. */
static char *
topic_of(const char *unit, size_t n)
{
	char *text = xcalloc(1, 16 + n * strlen(unit)), *at = text;

	at = stpcpy(at, "{\"topic\":\"");
	while (n-- > 0)
		at = stpcpy(at, unit);
	stpcpy(at, "\"}");
	return text;
}

static void
test_topic_of_255_bytes_however_written(void **state)
{
	static const struct {
		const char *unit, *means;
		size_t bytes;
	} rows[] = {
		{ "x", "x", 1 },
		{ "\\u0078", "x", 1 },
		{ "\\/", "/", 1 },
		{ "\\u20ac", "\xe2\x82\xac", 3 },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80", 4 },
		{ "\\ud83d", "\xef\xbf\xbd", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n = LAYOUT_TOPIC_NAME_MAX / rows[i].bytes;
		char *text = topic_of(rows[i].unit, n);

		assert_true(parse(text));
		assert_int_equal(req.topic_len, n * rows[i].bytes);
		for (size_t at = 0; at < req.topic_len; at += rows[i].bytes)
			assert_memory_equal(
			    req.topic + at, rows[i].means, rows[i].bytes);
		free(text);
		text = topic_of(rows[i].unit, n + 1);
		assert_refused(text, WS_CODE_POLICY, "longer than 255 bytes");
		free(text);
	}
}

static void
test_topic_far_too_long(void **state)
{
	char *text = topic_of("\\u0078", 5000);

	(void)state;
	assert_refused(text, WS_CODE_POLICY, "longer than 255 bytes");
	free(text);
}

static void
test_topic_with_a_control_character(void **state)
{
	(void)state;
	assert_refused("{\"topic\":\"a\\n\"}", WS_CODE_POLICY, "control");
	assert_refused("{\"topic\":\"\\u0000\"}", WS_CODE_POLICY, "control");
	assert_refused("{\"topic\":\"\x7f\"}", WS_CODE_POLICY, "control");
	assert_refused("{\"topic\":\"\\u0085\"}", WS_CODE_POLICY, "control");
}

static void
test_only_the_last_topic_is_judged(void **state)
{
	(void)state;
	assert_accepted("{\"topic\":\"a\\n\",\"topic\":\"b\"}", "b", "\"\"");
}

static void
test_escapes_in_a_message_stay_as_they_came(void **state)
{
	(void)state;
	assert_accepted("{\"message\":\"\\n\\\"\\u00e9\\ud83d\\ude00\"}", "",
	    "\"\\n\\\"\\u00e9\\ud83d\\ude00\"");
}

/* {"message":"xx..."} with so many bytes of JSON text, quotes included. */
static bool
parse_message_of(size_t body_len)
{
	char text[BODY_MAX + 64], *at;

	at = stpcpy(text, "{\"message\":\"");
	memset(at, 'x', body_len - 2);
	stpcpy(at + body_len - 2, "\"}");
	return parse(text);
}

static void
test_message_over_the_limit(void **state)
{
	(void)state;
	assert_true(parse_message_of(BODY_MAX));
	assert_int_equal(req.body_len, BODY_MAX);
	assert_false(parse_message_of(BODY_MAX + 1));
	assert_int_equal(error.code, WS_CODE_TOO_BIG);
	assert_non_null(strstr(error.reason, "4096"));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_topic_and_message_are_taken),
	T(test_missing_or_empty_counts_as_empty),
	T(test_null_leaves_what_stood_before),
	T(test_other_members_are_ignored),
	T(test_of_a_repeated_member_the_last_counts),
	T(test_names_in_any_case),
	T(test_binary_is_treated_like_text),
	T(test_binary_that_is_not_utf8),
	T(test_members_of_another_kind),
	T(test_what_is_no_object),
	T(test_broken_json_says_where),
	T(test_bytes_after_the_object),
	T(test_raw_control_character_in_a_string),
	T(test_nesting_over_64),
	T(test_topic_of_255_bytes_however_written),
	T(test_topic_far_too_long),
	T(test_topic_with_a_control_character),
	T(test_only_the_last_topic_is_judged),
	T(test_escapes_in_a_message_stay_as_they_came),
	T(test_message_over_the_limit),
};

SUITE_MAIN(tests);
