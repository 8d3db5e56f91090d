/* SPDX-License-Identifier: MIT */
/*
 * test_json_flat.c - json_object_read() says of a text what json_check(),
 * json_object_open() and json_member_next() say of it, one after another.
 */

#include "common/json.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 40000

static void
assert_same_token(const struct json_token *a, const struct json_token *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_ptr_equal(a->raw, b->raw);
	assert_int_equal(a->raw_len, b->raw_len);
}

/* Read a text, in a block of just its size, both ways.  Returns whether it was
 * read in one pass. */
static bool
assert_same(const char *text)
{
	size_t len = strlen(text), where[2];
	char *block = memcpy(xmalloc(len + 1), text, len);
	struct json_reader one, two;
	struct json_token key[2], value[2];
	const char *why[2];
	enum json_status status = json_check(block, len, &where[0], &why[0]);
	bool is_flat;

	json_reader_init(&one);
	json_reader_init(&two);
	if (status == JSON_OK)
		status = json_object_open(&one, block, len);
	if (json_object_read(&two, block, len, &where[1], &why[1]) != status)
		fail_msg("read otherwise: %s", text);
	is_flat = two.is_flat;
	if (status == JSON_BROKEN || status == JSON_TOO_DEEP) {
		assert_int_equal(where[0], where[1]);
		assert_string_equal(why[0], why[1]);
	}
	while (
	    status == JSON_OK && json_member_next(&one, &key[0], &value[0])) {
		assert_true(json_member_next(&two, &key[1], &value[1]));
		assert_same_token(&key[0], &key[1]);
		assert_same_token(&value[0], &value[1]);
	}
	assert_false(json_member_next(&two, &key[1], &value[1]));
	json_reader_fini(&one);
	json_reader_fini(&two);
	free(block);
	return is_flat;
}

static void
test_what_clients_send_is_read_in_one_pass(void **state)
{
	static const char *const texts[] = {
		"{\"topic\":\"room\",\"message\":\"hello\"}",
		"{\"message\":\"hello\",\"topic\":\"room\"}",
		"{\"topic\": \"room\", \"message\": \"hello\"}",
		"{\"type\":\"publish\",\"id\":7,\"topic\":\"r\",\"message\":"
		"\"\"}",
		"{\"id\":\"a\",\"type\":\"ping\"}",
		"{\"a\":\"\\\"\\\\\\u00e9\\ud83d\",\"b\":-1.5e+3,\"c\":0}",
		"{\"a\":true,\"b\":false,\"c\":null}",
		"{\"\":\"\"}",
		"{\"a\":1,\"a\":2,\"A\":3}",
		"{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,"
		"\"8\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (!assert_same(texts[i]))
			fail_msg("the long way: %s", texts[i]);
}

static void
test_the_rest_goes_the_long_way(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"{}",
		"[]",
		"null",
		"\"a\"",
		" {\"a\":1}",
		"{\"a\":1} ",
		"{\"a\":1}}",
		"{ \"a\":1}",
		"{\"a\" :1}",
		"{\"a\":  1}",
		"{\"a\":\t1}",
		"{\"a\":1 }",
		"{\"a\":1,}",
		"{\"a\":1,  \"b\":1}",
		"{\"a\":1 \"b\":1}",
		"{\"a\":1;\"b\":1}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":01}",
		"{\"a\":1.}",
		"{\"a\":nul}",
		"{\"a\":[]}",
		"{\"a\":{}}",
		"{a:1}",
		"{1:1}",
		"{\"a\":\"}",
		"{\"a\":\"\\\"}",
		"{\"a\":\"\\x\"}",
		"{\"a\":\"\\u12g4\"}",
		"{\"a\":\"\n\"}",
		"{\"1\":1,\"2\":1,\"3\":1,\"4\":1,\"5\":1,\"6\":1,\"7\":1,"
		"\"8\":1,"
		"\"9\":1}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (assert_same(texts[i]))
			fail_msg("in one pass: %s", texts[i]);
}

/* Strings of every length: sixteen bytes are looked at together. */
static void
test_the_length_of_a_string_makes_no_difference(void **state)
{
	static const char *const specials[] = { "\"", "\\", "\\n", "\n", "\x1f",
		"\x7f", "\xc3\xa9" };
	char text[256];

	(void)state;
	for (size_t len = 0; len < 70; len++)
		for (size_t at = 0; at <= len; at++)
			for (size_t i = 0; i < COUNT(specials); i++) {
				char *end = stpcpy(text, "{\"k\":\"");

				memset(end, 'x', len);
				end = stpcpy(end + at, specials[i]);
				memset(end, 'x', len - at);
				strcpy(end + len - at, "\"}");
				assert_same(text);
			}
}

static void
test_random_texts_are_read_alike(void **state)
{
	static const char *const pieces[] = { "\"topic\"", "\"message\"",
		"\"type\"", "\"id\"", "\"room\"", "\"hello \\u00e9\"",
		"\"publish\"", "7", "-0.5", "true", "null", "[1]", "{\"a\":1}",
		"\"\"" };
	struct dice dice = { 0x9e3779b97f4a7c15u };
	char text[512], *end;
	unsigned flat = 0;

	(void)state;
	for (int n = 0; n < ROUNDS; n++) {
		unsigned members = 1 + dice_below(&dice, 4);

		end = stpcpy(text, "{");
		for (unsigned i = 0; i < members; i++) {
			end = stpcpy(end, i == 0 ? "" : n % 2 ? ", " : ",");
			end = stpcpy(end, pieces[dice_below(&dice, 4)]);
			end = stpcpy(end, n % 2 ? ": " : ":");
			end = stpcpy(end,
			    pieces[4 + dice_below(&dice, COUNT(pieces) - 4)]);
		}
		strcpy(end, "}");
		flat += assert_same(text);
		dice_mutate(&dice, text, "\"\\{}[]:, \n0ntu\xc3");
		flat += text[0] != '\0' && assert_same(text);
	}
	assert_in_range(flat, ROUNDS / 4, 2 * ROUNDS);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_what_clients_send_is_read_in_one_pass),
	cmocka_unit_test(test_the_rest_goes_the_long_way),
	cmocka_unit_test(test_the_length_of_a_string_makes_no_difference),
	cmocka_unit_test(test_random_texts_are_read_alike),
};

SUITE_MAIN(tests);
