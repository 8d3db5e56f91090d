/* SPDX-License-Identifier: MIT */
/* test_json_members.c - what json_object_open() and its reader promise. */

#include "common/json.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGE_TEXT_LEN (64 * 1024)

static int
setup_reader(void **state)
{
	static struct json_reader reader;

	json_reader_init(&reader);
	*state = &reader;
	return 0;
}

static int
teardown_reader(void **state)
{
	json_reader_fini(*state);
	return 0;
}

static void
expect_token(
    const struct json_token *token, enum json_kind kind, const char *raw)
{
	assert_int_equal(token->kind, kind);
	assert_int_equal(token->raw_len, strlen(raw));
	assert_memory_equal(token->raw, raw, token->raw_len);
}

static void
expect_member(struct json_reader *reader, const char *key_raw,
    enum json_kind kind, const char *raw)
{
	struct json_token key, value;

	assert_true(json_member_next(reader, &key, &value));
	expect_token(&key, JSON_STRING, key_raw);
	expect_token(&value, kind, raw);
}

static void
expect_end(struct json_reader *reader)
{
	struct json_token key, value;

	assert_false(json_member_next(reader, &key, &value));
	assert_false(json_member_next(reader, &key, &value));
}

static enum json_status
open_text(struct json_reader *reader, const char *text)
{
	return json_object_open(reader, text, strlen(text));
}

static void
test_members_come_in_order_with_their_raw_text(void **state)
{
	assert_int_equal(
	    open_text(*state,
		" {\"topic\" : \"a\\n\",\"n\":-1.5e3,\"t\":true,\"f\":false,"
		"\"z\":null , \"o\":{ },\"a\":[ 1 ],\"\":\"\"} "),
	    JSON_OK);
	expect_member(*state, "\"topic\"", JSON_STRING, "\"a\\n\"");
	expect_member(*state, "\"n\"", JSON_NUMBER, "-1.5e3");
	expect_member(*state, "\"t\"", JSON_TRUE, "true");
	expect_member(*state, "\"f\"", JSON_FALSE, "false");
	expect_member(*state, "\"z\"", JSON_NULL, "null");
	expect_member(*state, "\"o\"", JSON_OBJECT, "{ }");
	expect_member(*state, "\"a\"", JSON_ARRAY, "[ 1 ]");
	expect_member(*state, "\"\"", JSON_STRING, "\"\"");
	expect_end(*state);
}

static void
test_an_empty_object_has_no_members(void **state)
{
	assert_int_equal(open_text(*state, "{}"), JSON_OK);
	expect_end(*state);
}

static void
test_what_is_inside_a_member_is_not_a_member(void **state)
{
	assert_int_equal(
	    open_text(*state,
		"{\"a\":{\"topic\":1,\"b\":[{\"c\":2},[3]]},\"d\":[{\"e\":"
		"[]},\"f\"],\"g\":4}"),
	    JSON_OK);
	expect_member(*state, "\"a\"", JSON_OBJECT,
	    "{\"topic\":1,\"b\":[{\"c\":2},[3]]}");
	expect_member(*state, "\"d\"", JSON_ARRAY, "[{\"e\":[]},\"f\"]");
	expect_member(*state, "\"g\"", JSON_NUMBER, "4");
	expect_end(*state);
}

static void
test_a_repeated_name_comes_repeatedly(void **state)
{
	assert_int_equal(open_text(*state, "{\"a\":1,\"a\":2}"), JSON_OK);
	expect_member(*state, "\"a\"", JSON_NUMBER, "1");
	expect_member(*state, "\"a\"", JSON_NUMBER, "2");
	expect_end(*state);
}

static void
test_other_values_are_not_objects(void **state)
{
	static const char *const texts[] = { "[]", "[{}]", "null", " \"{}\"",
		"1", "true", "false" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_int_equal(open_text(*state, texts[i]), JSON_NOT_OBJECT);
		expect_end(*state);
	}
}

static void
test_a_text_that_does_not_end_is_broken(void **state)
{
	assert_int_equal(open_text(*state, "{\"a\":"), JSON_BROKEN);
	expect_end(*state);
	assert_int_equal(open_text(*state, "{\"a\":[}"), JSON_BROKEN);
	expect_end(*state);
}

/* The length is looked at before the bytes: there need not be so many. */
static void
test_a_text_over_the_limit_is_broken(void **state)
{
	assert_int_equal(
	    json_object_open(*state, "{}", JSON_OBJECT_MAX + 1), JSON_BROKEN);
	expect_end(*state);
}

static void
test_a_reader_is_used_again(void **state)
{
	assert_int_equal(open_text(*state, "{\"a\":[1,2,3]}"), JSON_OK);
	assert_int_equal(open_text(*state, "{\"b\":1}"), JSON_OK);
	expect_member(*state, "\"b\"", JSON_NUMBER, "1");
	expect_end(*state);
	assert_int_equal(open_text(*state, "[]"), JSON_NOT_OBJECT);
	expect_end(*state);
}

/* {"a":[[],[],...,[]],"b":1}, the most tokens that fit into len bytes */
static char *
many_arrays(size_t *len)
{
	static const char end[] = "[]],\"b\":1}";
	char *text = malloc(LARGE_TEXT_LEN);
	size_t n = 6;

	assert_non_null(text);
	memcpy(text, "{\"a\":[", n);
	while (n + 3 + strlen(end) <= LARGE_TEXT_LEN) {
		memcpy(text + n, "[],", 3);
		n += 3;
	}
	memcpy(text + n, end, strlen(end));
	*len = n + strlen(end);
	return text;
}

static void
test_any_number_of_tokens_is_read(void **state)
{
	size_t len;
	char *text = many_arrays(&len);
	struct json_token key, value;

	assert_int_equal(json_object_open(*state, text, len), JSON_OK);
	assert_true(json_member_next(*state, &key, &value));
	assert_int_equal(value.kind, JSON_ARRAY);
	assert_int_equal(value.raw_len, len - strlen("{\"a\":,\"b\":1}"));
	expect_member(*state, "\"b\"", JSON_NUMBER, "1");
	expect_end(*state);
	free(text);
}

static void
test_the_memory_for_tokens_is_kept(void **state)
{
	struct json_reader *reader = *state;
	size_t len;
	char *text = many_arrays(&len);
	const void *tokens;
	unsigned max;

	assert_int_equal(json_object_open(reader, text, len), JSON_OK);
	tokens = reader->tokens;
	max = reader->tokens_max;
	assert_int_equal(open_text(reader, "{\"a\":1}"), JSON_OK);
	assert_int_equal(json_object_open(reader, text, len), JSON_OK);
	assert_ptr_equal(reader->tokens, tokens);
	assert_int_equal(reader->tokens_max, max);
	free(text);
}

/* jsmn stops for want of tokens in the middle of texts of each length here. */
static void
test_growing_in_the_middle_loses_nothing(void **state)
{
	char text[4096], key[16];

	(void)state;
	for (int members = 1; members <= 200; members++) {
		struct json_reader reader;
		int len = snprintf(text, sizeof(text), "{");

		for (int i = 0; i < members; i++)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
			    "%s\"k%d\":[{}]", i > 0 ? "," : "", i);
		len += snprintf(text + len, sizeof(text) - (size_t)len, "}");

		json_reader_init(&reader);
		assert_int_equal(open_text(&reader, text), JSON_OK);
		for (int i = 0; i < members; i++) {
			snprintf(key, sizeof(key), "\"k%d\"", i);
			expect_member(&reader, key, JSON_ARRAY, "[{}]");
		}
		expect_end(&reader);
		json_reader_fini(&reader);
	}
}

static struct dice dice;

/* Append an object or array of up to three members; returns the new end. */
static char *
append_value(char *end, unsigned depth)
{
	static const char *const leaves[] = { "0", "-1.5e+3", "true", "null",
		"false", "\"\"", "\"\\\"]}\"", " 7 ", "[ ]", "{ }",
		"\"\xc3\xa9\\u00e9\"" };
	bool is_object = dice_below(&dice, 2) == 0;
	unsigned members = dice_below(&dice, 4);

	if (depth == 0 || dice_below(&dice, 3) == 0)
		return stpcpy(end, leaves[dice_below(&dice, COUNT(leaves))]);
	end = stpcpy(end, is_object ? "{" : " [");
	for (unsigned i = 0; i < members; i++) {
		end = stpcpy(end, i > 0 ? "," : "");
		end = stpcpy(end, is_object ? "\"k\" :" : "");
		end = append_value(end, depth - 1);
	}
	return stpcpy(end, is_object ? "}\n" : "]");
}

/*
 * jsmn and json_check() must agree on what an object is, else a checked
 * message would be refused, and on where its members are.
 */
static void
test_random_objects_open_with_all_their_members(void **state)
{
	const uint64_t seed = 0x9e3779b97f4a7c15u;
	struct json_token key, value;
	char text[8192], *end;
	const char *why;
	size_t where;

	print_message("seed %#llx\n", (unsigned long long)seed);
	dice.state = seed;
	for (int n = 0; n < 50000; n++) {
		unsigned members = dice_below(&dice, 4), found = 0;

		end = stpcpy(text, "{");
		for (unsigned i = 0; i < members; i++) {
			end = stpcpy(end, i > 0 ? ",\"k\":" : "\"k\":");
			end = append_value(end, 4);
		}
		strcpy(end, "}");
		if (json_check(text, strlen(text), &where, &why) != JSON_OK)
			fail_msg("does not pass: %s", text);
		if (open_text(*state, text) != JSON_OK)
			fail_msg("does not open: %s", text);
		for (; json_member_next(*state, &key, &value); found++) {
			expect_token(&key, JSON_STRING, "\"k\"");
			assert_int_equal(
			    json_check(value.raw, value.raw_len, &where, &why),
			    JSON_OK);
		}
		assert_int_equal(found, members);
	}
}

#define reader_test(f) \
	cmocka_unit_test_setup_teardown(f, setup_reader, teardown_reader)

static void
expect_element(struct json_reader *reader, enum json_kind kind, const char *raw)
{
	struct json_token value;

	assert_true(json_element_next(reader, &value));
	expect_token(&value, kind, raw);
}

static void
test_elements_of_an_array_come_in_order(void **state)
{
	static const char text[] = " [1, \"a\", {\"b\":[2]}, [[], 4], null] ";
	struct json_token value;

	assert_int_equal(json_array_open(*state, text, strlen(text)), JSON_OK);
	expect_element(*state, JSON_NUMBER, "1");
	expect_element(*state, JSON_STRING, "\"a\"");
	expect_element(*state, JSON_OBJECT, "{\"b\":[2]}");
	expect_element(*state, JSON_ARRAY, "[[], 4]");
	expect_element(*state, JSON_NULL, "null");
	assert_false(json_element_next(*state, &value));
	assert_int_equal(json_array_open(*state, "[]", 2), JSON_OK);
	assert_false(json_element_next(*state, &value));
}

static void
test_only_an_array_has_elements(void **state)
{
	struct json_token value;

	assert_int_equal(json_array_open(*state, "{}", 2), JSON_NOT_ARRAY);
	assert_false(json_element_next(*state, &value));
	assert_int_equal(json_array_open(*state, "[1", 2), JSON_BROKEN);
	assert_false(json_element_next(*state, &value));
}

static const struct CMUnitTest tests[] = {
	reader_test(test_members_come_in_order_with_their_raw_text),
	reader_test(test_an_empty_object_has_no_members),
	reader_test(test_what_is_inside_a_member_is_not_a_member),
	reader_test(test_a_repeated_name_comes_repeatedly),
	reader_test(test_other_values_are_not_objects),
	reader_test(test_a_text_that_does_not_end_is_broken),
	reader_test(test_a_text_over_the_limit_is_broken),
	reader_test(test_a_reader_is_used_again),
	reader_test(test_any_number_of_tokens_is_read),
	reader_test(test_the_memory_for_tokens_is_kept),
	reader_test(test_growing_in_the_middle_loses_nothing),
	reader_test(test_random_objects_open_with_all_their_members),
	reader_test(test_elements_of_an_array_come_in_order),
	reader_test(test_only_an_array_has_elements),
};

SUITE_MAIN(tests);
