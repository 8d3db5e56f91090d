/* SPDX-License-Identifier: MIT */
/*
 * test_utf8.c - what common/utf8.h promises.
 *
 * The judge is decoded_is_valid() below: it decodes a sequence by the book and
 * then looks at the number, where utf8.c looks at ranges of bytes.
 */

#include "common/utf8.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define CODE_POINT_MAX 0x10ffffu

static bool
is_surrogate(uint32_t cp)
{
	return cp >= 0xd800 && cp <= 0xdfff;
}

/* Is this exactly one sequence, by decoding it and judging the number? */
static bool
decoded_is_valid(const unsigned char *p, size_t len)
{
	static const uint32_t min_of_len[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;

	if (len == 1)
		return p[0] < 0x80;
	if (len == 2 && (p[0] & 0xe0) == 0xc0)
		cp = p[0] & 0x1f;
	else if (len == 3 && (p[0] & 0xf0) == 0xe0)
		cp = p[0] & 0x0f;
	else if (len == 4 && (p[0] & 0xf8) == 0xf0)
		cp = p[0] & 0x07;
	else
		return false;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return false;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	return cp >= min_of_len[len] && cp <= CODE_POINT_MAX &&
	       !is_surrogate(cp);
}

static bool
text_is_valid(const unsigned char *p, size_t len)
{
	while (len > 0) {
		size_t n = 1;

		while (n <= UTF8_MAX && n <= len && !decoded_is_valid(p, n))
			n++;
		if (n > UTF8_MAX || n > len)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static void
test_no_bytes_are_valid(void **state)
{
	(void)state;
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid(NULL, 0));
}

static void
test_every_code_point_is_valid_as_encoded(void **state)
{
	char out[UTF8_MAX];

	(void)state;
	for (uint32_t cp = 0; cp <= CODE_POINT_MAX; cp++) {
		size_t len = utf8_encode(cp, out);

		assert_in_range(len, 1, UTF8_MAX);
		assert_true(decoded_is_valid((unsigned char *)out, len));
		assert_true(utf8_valid(out, len));
	}
}

static void
test_encode_writes_the_bytes_of_the_standard(void **state)
{
	static const struct {
		uint32_t cp;
		const char *bytes;
	} rows[] = {
		{ 0x41, "A" },
		{ 0x7f, "\x7f" },
		{ 0x80, "\xc2\x80" },
		{ 0xe9, "\xc3\xa9" },
		{ 0x7ff, "\xdf\xbf" },
		{ 0x800, "\xe0\xa0\x80" },
		{ 0x20ac, "\xe2\x82\xac" },
		{ 0xffff, "\xef\xbf\xbf" },
		{ 0x10000, "\xf0\x90\x80\x80" },
		{ 0x1f600, "\xf0\x9f\x98\x80" },
		{ 0x10ffff, "\xf4\x8f\xbf\xbf" },
	};
	char out[UTF8_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    utf8_encode(rows[i].cp, out), strlen(rows[i].bytes));
		assert_memory_equal(out, rows[i].bytes, strlen(rows[i].bytes));
	}
}

static void
test_encode_replaces_what_is_no_code_point(void **state)
{
	static const uint32_t wrong[] = { 0xd800, 0xdbff, 0xdc00, 0xdfff,
		0x110000, UINT32_MAX };
	char out[UTF8_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(utf8_encode(wrong[i], out), 3);
		assert_memory_equal(out, "\xef\xbf\xbd", 3);
	}
}

/* All sequences of three bytes, and of four by their interesting values. */
static void
test_every_short_text_is_judged_like_by_decoding(void **state)
{
	static const unsigned char edges[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f,
		0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
		0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8,
		0xff };
	unsigned char p[4];

	(void)state;
	for (uint32_t n = 0; n < 1u << 24; n++) {
		p[0] = (unsigned char)(n >> 16);
		p[1] = (unsigned char)(n >> 8);
		p[2] = (unsigned char)n;
		if (utf8_valid(p, 3) != text_is_valid(p, 3))
			fail_msg("%02x %02x %02x", p[0], p[1], p[2]);
	}
	for (size_t n = 0; n < 26u * 26 * 26 * 26; n++) {
		p[0] = edges[n % 26];
		p[1] = edges[n / 26 % 26];
		p[2] = edges[n / (26 * 26) % 26];
		p[3] = edges[n / (26 * 26 * 26)];
		if (utf8_valid(p, 4) != text_is_valid(p, 4))
			fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
	}
}

/* The ASCII path takes eight bytes at once: a fault at each place of them. */
static void
test_a_fault_is_found_at_every_place(void **state)
{
	char text[40];

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++) {
		for (size_t at = 0; at < len; at++) {
			memset(text, 'x', sizeof(text));
			assert_true(utf8_valid(text, len));
			text[at] = (char)0xff;
			assert_false(utf8_valid(text, len));
		}
	}
}

static void
test_what_is_cut_off_is_not_valid(void **state)
{
	static const char text[] = "0123456789\xf0\x9f\x98\x80";

	(void)state;
	assert_true(utf8_valid(text, 10));
	assert_false(utf8_valid(text, 11));
	assert_false(utf8_valid(text, 12));
	assert_false(utf8_valid(text, 13));
	assert_true(utf8_valid(text, 14));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_no_bytes_are_valid),
	cmocka_unit_test(test_every_code_point_is_valid_as_encoded),
	cmocka_unit_test(test_encode_writes_the_bytes_of_the_standard),
	cmocka_unit_test(test_encode_replaces_what_is_no_code_point),
	cmocka_unit_test(test_every_short_text_is_judged_like_by_decoding),
	cmocka_unit_test(test_a_fault_is_found_at_every_place),
	cmocka_unit_test(test_what_is_cut_off_is_not_valid),
};

SUITE_MAIN(tests);
