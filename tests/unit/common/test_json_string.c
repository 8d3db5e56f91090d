/* SPDX-License-Identifier: MIT */
/*
 * test_json_string.c - what json.h promises about strings.
 *
 * Results are written to blocks of exactly the promised size.
 */

#include "common/json.h"
#include "common/utf8.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static void *
block_of(size_t len)
{
	void *block = malloc(len);

	assert_non_null(block);
	return block;
}

static void
expect_decoded(const char *raw, const char *wanted, size_t wanted_len)
{
	size_t raw_len = strlen(raw);
	char *in = block_of(raw_len), *out = block_of(raw_len);
	size_t len;

	memcpy(in, raw, raw_len);
	len = json_string_decode(in, raw_len, out);
	if (len != wanted_len || memcmp(out, wanted, len) != 0)
		fail_msg("%s is decoded as %.*s", raw, (int)len, out);
	free(in);
	free(out);
}

static void
test_text_without_escapes_is_itself(void **state)
{
	(void)state;
	expect_decoded("\"\"", "", 0);
	expect_decoded("\"room\"", "room", 4);
	expect_decoded("\"\xc3\xa9\"", "\xc3\xa9", 2);
}

static void
test_escapes_are_decoded(void **state)
{
	(void)state;
	expect_decoded("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
	expect_decoded("\"a\\nb\"", "a\nb", 3);
	expect_decoded("\"\\\\n\"", "\\n", 2);
	expect_decoded("\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6);
	expect_decoded("\"\\u0000\"", "", 1);
	expect_decoded("\"x\\u0022y\"", "x\"y", 3);
}

static void
test_surrogate_pairs_are_one_character(void **state)
{
	(void)state;
	expect_decoded("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4);
	expect_decoded("\"\\uD800\\uDC00\"", "\xf0\x90\x80\x80", 4);
	expect_decoded("\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4);
}

#define FFFD "\xef\xbf\xbd"

static void
test_a_lone_surrogate_becomes_the_replacement_character(void **state)
{
	static const struct {
		const char *raw;
		const char *wanted;
	} rows[] = {
		{ "\"\\ud83d\"", FFFD },
		{ "\"\\ude00\"", FFFD },
		{ "\"\\ud83dx\"", FFFD "x" },
		{ "\"\\ud83d\\n\"", FFFD "\n" },
		{ "\"\\ud83d\\n12345\"", FFFD "\n12345" },
		{ "\"\\ud83d\\nde00\"", FFFD "\nde00" },
		{ "\"\\ud83dxude00\"", FFFD "xude00" },
		{ "\"\\ud83d\\u0041\"", FFFD "A" },
		{ "\"\\ude00\\ud83d\"", FFFD FFFD },
		{ "\"\\ud83d\\ud83d\\ude00\"", FFFD "\xf0\x9f\x98\x80" },
		{ "\"\\ud83d\\ude00\\ude00\"", "\xf0\x9f\x98\x80" FFFD },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_decoded(
		    rows[i].raw, rows[i].wanted, strlen(rows[i].wanted));
}

/* Each of the 65,536 escapes, alone and before a low surrogate. */
static void
test_every_unicode_escape_gives_valid_utf8(void **state)
{
	static const char hex[] = "0123456789ABCDEF";
	char raw[] = "\"\\uXXXX\\udc00\"";
	char out[sizeof(raw)];

	(void)state;
	for (unsigned n = 0; n < 0x10000; n++) {
		char wanted[2 * UTF8_MAX];
		bool is_high = n >= 0xd800 && n <= 0xdbff;
		size_t len;

		for (unsigned i = 0; i < 4; i++)
			raw[3 + i] = hex[n >> (12 - 4 * i) & 15];
		if (is_high) {
			len =
			    utf8_encode(0x10000 + ((n - 0xd800) << 10), wanted);
		} else {
			len = utf8_encode(n, wanted);
			len += utf8_encode(UTF8_REPLACEMENT, wanted + len);
		}
		assert_int_equal(
		    json_string_decode(raw, strlen(raw), out), len);
		assert_memory_equal(out, wanted, len);
	}
}

static void
expect_encoded(const char *text, size_t len, const char *wanted)
{
	char *out = block_of(JSON_ENCODED_MAX(len));
	size_t n = json_string_encode(text, len, out);

	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(out, wanted, n);
	free(out);
}

static void
test_only_what_must_be_is_escaped(void **state)
{
	(void)state;
	expect_encoded("", 0, "\"\"");
	expect_encoded("a /'<\x7f\xc3\xa9", 8, "\"a /'<\x7f\xc3\xa9\"");
	expect_encoded("\"\\\b\f\n\r\t", 7, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	expect_encoded("\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\"");
}

static void
test_encoding_fills_its_bound_and_no_more(void **state)
{
	static const char nuls[100];
	char *out = block_of(JSON_ENCODED_MAX(sizeof(nuls)));

	(void)state;
	assert_int_equal(json_string_encode(nuls, sizeof(nuls), out),
	    JSON_ENCODED_MAX(sizeof(nuls)));
	free(out);
}

static void
test_what_is_encoded_is_json_and_decodes_to_itself(void **state)
{
	char text[2048], raw[JSON_ENCODED_MAX(sizeof(text))];
	char back[sizeof(raw)];
	size_t len = 0, raw_len, where;
	const char *why;

	(void)state;
	for (unsigned c = 0; c < 128; c++)
		text[len++] = (char)c;
	for (uint32_t cp = 0x80; cp < 0x110000; cp += 0x1000)
		len += utf8_encode(cp, text + len);
	assert_in_range(len, 512, sizeof(text));

	raw_len = json_string_encode(text, len, raw);
	assert_int_equal(json_check(raw, raw_len, &where, &why), JSON_OK);
	assert_int_equal(json_string_decode(raw, raw_len, back), len);
	assert_memory_equal(back, text, len);
}

static void
test_normalising_replaces_lone_surrogates_only(void **state)
{
	static const struct {
		const char *text;
		const char *wanted;
	} rows[] = {
		{ "\"\"", "\"\"" },
		{ "\"plain \xc3\xa9\"", "\"plain \xc3\xa9\"" },
		{ "\"\\n\\u00e9\\u0000\"", "\"\\n\\u00e9\\u0000\"" },
		{ "\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"" },
		{ "\"\\ud83d\"", "\"\\ufffd\"" },
		{ "\"\\uDE00x\"", "\"\\ufffdx\"" },
		{ "\"\\udfff\\ud800\"", "\"\\ufffd\\ufffd\"" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"" },
		{ "\"\\\\ud83d\"", "\"\\\\ud83d\"" },
		{ "{\"a\\ud800\":[\"\\udc00\",1]}",
		    "{\"a\\ufffd\":[\"\\ufffd\",1]}" },
		{ "[\"\\ud83d\",\"\\ude00\"]", "[\"\\ufffd\",\"\\ufffd\"]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].text);
		char *in = block_of(len), *out = block_of(len);

		assert_int_equal(strlen(rows[i].wanted), len);
		memcpy(in, rows[i].text, len);
		json_normalise(in, len, out);
		assert_memory_equal(out, rows[i].wanted, len);
		free(in);
		free(out);
	}
}

static bool
equal(const char *raw, const char *name)
{
	return json_string_equal_nocase(raw, strlen(raw), name);
}

static void
test_names_are_compared_without_regard_to_case(void **state)
{
	(void)state;
	assert_true(equal("\"topic\"", "topic"));
	assert_true(equal("\"Topic\"", "topic"));
	assert_true(equal("\"TOPIC\"", "topic"));
	assert_true(equal("\"AZaz\"", "azAZ"));
	assert_true(equal("\"\"", ""));
	assert_false(equal("\"topi\"", "topic"));
	assert_false(equal("\"topics\"", "topic"));
	assert_false(equal("\"\"", "topic"));
	assert_false(equal("\"topic\"", ""));
	assert_false(equal("\"tipic\"", "topic"));
}

static bool
same(const char *raw, const char *name)
{
	return json_string_equal(raw, strlen(raw), name);
}

static void
test_strings_are_compared_to_the_letter(void **state)
{
	(void)state;
	assert_true(same("\"topic\"", "topic"));
	assert_true(same("\"\"", ""));
	assert_true(same("\"\\u0074opic\"", "topic"));
	assert_true(same("\"a\\/b\"", "a/b"));
	assert_false(same("\"Topic\"", "topic"));
	assert_false(same("\"tipic\"", "topic"));
	assert_false(same("\"topi\"", "topic"));
	assert_false(same("\"topics\"", "topic"));
	assert_false(same("\"\"", "topic"));
	assert_false(same("\"topic\"", ""));
	assert_false(same("\"\\u0054opic\"", "topic"));
	assert_false(same("\"topi\\u0063s\"", "topic"));
}

static void
test_only_letters_have_case(void **state)
{
	(void)state;
	assert_false(equal("\"@\"", "`"));
	assert_false(equal("\"[\"", "{"));
	assert_false(equal("\"\x14\"", "4"));
}

static void
test_names_are_compared_after_decoding(void **state)
{
	(void)state;
	assert_true(equal("\"\\u0074opic\"", "topic"));
	assert_true(equal("\"TOPI\\u0043\"", "topic"));
	assert_true(equal("\"a\\/b\"", "a/b"));
	assert_false(equal("\"topic\\u0000\"", "topic"));
	assert_false(equal("\"\\u0174opic\"", "topic"));
	assert_false(equal("\"t\\nopic\"", "tnopic"));
}

static void
expect_compact(const char *text, const char *wanted)
{
	size_t len = strlen(text);
	char *at = block_of(len);

	memcpy(at, text, len);
	len = json_compact(at, len, at);
	if (len != strlen(wanted) || memcmp(at, wanted, len) != 0)
		fail_msg("%s becomes %.*s", text, (int)len, at);
	free(at);
}

static void
test_white_space_goes_between_tokens_and_stays_within_strings(void **state)
{
	(void)state;
	expect_compact(" 1 ", "1");
	expect_compact(
	    "\r\n{ \"a b\" :\t[ 1 , true ] }\n", "{\"a b\":[1,true]}");
	expect_compact("[ \"a\\\" b\" , \"\\\\\" , \" \" ]",
	    "[\"a\\\" b\",\"\\\\\",\" \"]");
	expect_compact("\"\"", "\"\"");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_text_without_escapes_is_itself),
	cmocka_unit_test(test_escapes_are_decoded),
	cmocka_unit_test(test_surrogate_pairs_are_one_character),
	cmocka_unit_test(
	    test_a_lone_surrogate_becomes_the_replacement_character),
	cmocka_unit_test(test_every_unicode_escape_gives_valid_utf8),
	cmocka_unit_test(test_only_what_must_be_is_escaped),
	cmocka_unit_test(test_encoding_fills_its_bound_and_no_more),
	cmocka_unit_test(test_what_is_encoded_is_json_and_decodes_to_itself),
	cmocka_unit_test(test_normalising_replaces_lone_surrogates_only),
	cmocka_unit_test(test_names_are_compared_without_regard_to_case),
	cmocka_unit_test(test_strings_are_compared_to_the_letter),
	cmocka_unit_test(test_only_letters_have_case),
	cmocka_unit_test(test_names_are_compared_after_decoding),
	cmocka_unit_test(
	    test_white_space_goes_between_tokens_and_stays_within_strings),
};

SUITE_MAIN(tests);
