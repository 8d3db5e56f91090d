/* SPDX-License-Identifier: MIT */
/* test_percent.c - what common/percent.h promises. */

#include "common/percent.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

typedef bool decode(const char *in, size_t len, char *out, size_t *out_len);

static void
expect_decoded(decode *fn, const char *in, const char *wanted)
{
	char out[64];
	size_t len;

	assert_in_range(strlen(in), 0, sizeof(out));
	assert_true(fn(in, strlen(in), out, &len));
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(out, wanted, len);
}

static void
test_path_is_decoded(void **state)
{
	(void)state;
	expect_decoded(percent_decode_path, "", "");
	expect_decoded(percent_decode_path, "plain-._~text", "plain-._~text");
	expect_decoded(percent_decode_path, "a%20b", "a b");
	expect_decoded(percent_decode_path, "%c3%A9", "\xc3\xa9");
	expect_decoded(percent_decode_path, "room%2F1", "room/1");
	expect_decoded(percent_decode_path, "100%25", "100%");
	expect_decoded(percent_decode_path, "%2541", "%41");
	expect_decoded(percent_decode_path, "%01%ff%10", "\x01\xff\x10");
}

static void
test_plus_is_a_space_in_a_query_only(void **state)
{
	(void)state;
	expect_decoded(percent_decode_path, "a+b", "a+b");
	expect_decoded(percent_decode_query, "a+b", "a b");
	expect_decoded(percent_decode_query, "a%2Bb", "a+b");
}

static void
test_every_byte_but_nul_comes_back(void **state)
{
	char in[4], out[4];
	size_t len;

	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		snprintf(in, sizeof(in), byte % 2 ? "%%%02x" : "%%%02X", byte);
		assert_true(percent_decode_path(in, 3, out, &len));
		assert_int_equal(len, 1);
		assert_int_equal((unsigned char)out[0], byte);
	}
}

static void
test_broken_escapes_are_refused(void **state)
{
	static const char *const broken[] = { "%", "%4", "a%", "a%4", "%%41",
		"%g1", "%1g", "% 1", "%-1", "%0x41", "%u0041" };
	char out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(broken); i++) {
		const char *in = broken[i];

		assert_false(percent_decode_path(in, strlen(in), out, &len));
		assert_false(percent_decode_query(in, strlen(in), out, &len));
	}
}

static void
test_an_escaped_nul_is_refused(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	assert_false(percent_decode_path("a%00b", 5, out, &len));
	assert_false(percent_decode_query("a%00b", 5, out, &len));
}

/* The two digits after the end of the range must not be looked at. */
static void
test_an_escape_cut_off_by_the_length_is_refused(void **state)
{
	char out[16];
	size_t len;

	(void)state;
	assert_false(percent_decode_path("a%41", 3, out, &len));
	assert_false(percent_decode_path("a%41", 2, out, &len));
}

static void
test_decodes_in_place(void **state)
{
	char text[] = "%41+%42";
	size_t len;

	(void)state;
	assert_true(percent_decode_query(text, strlen(text), text, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(text, "A B", 3);
}

static void
test_a_path_as_it_is_normally_written(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = { { "", "" }, { "/topics/a", "/topics/a" },
		{ "/%74opics", "/topics" },
		{ "/%41%5a%61%7A%30%39", "/AZaz09" },
		{ "%2d%2E%5F%7e", "-._~" }, { "/a%2Fb%3f%25", "/a%2Fb%3f%25" },
		{ "%c3%a4%00%20", "%c3%a4%00%20" }, { "%", "%" },
		{ "%4", "%4" }, { "%4g%zz%", "%4g%zz%" },
		{ "%2541", "%2541" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[64];
		size_t len =
		    percent_normalise(rows[i].in, strlen(rows[i].in), out);

		assert_int_equal(len, strlen(rows[i].out));
		assert_memory_equal(out, rows[i].out, len);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_path_is_decoded),
	cmocka_unit_test(test_plus_is_a_space_in_a_query_only),
	cmocka_unit_test(test_every_byte_but_nul_comes_back),
	cmocka_unit_test(test_broken_escapes_are_refused),
	cmocka_unit_test(test_an_escaped_nul_is_refused),
	cmocka_unit_test(test_an_escape_cut_off_by_the_length_is_refused),
	cmocka_unit_test(test_decodes_in_place),
	cmocka_unit_test(test_a_path_as_it_is_normally_written),
};

SUITE_MAIN(tests);
