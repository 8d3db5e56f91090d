/* SPDX-License-Identifier: MIT */
/* test_http_chunked.c - what common/http_chunked.h promises. */

#include "tests/support/suite.h"

#include "common/http_chunked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What came of a stream of bytes. */
struct outcome {
	enum http_chunked_status status;
	char body[512];
	size_t body_len;
	size_t used; /* of all bytes */
	const char *why;
};

/*
 * Decode in pieces of `step' bytes, each in memory of its own so that a
 * sanitizer sees whoever looks beyond it.
 */
static struct outcome
decode(const char *in, size_t len, size_t step)
{
	struct http_chunked chunked = { 0 };
	struct outcome out = { .status = HTTP_CHUNKED_MORE };

	while (out.used < len && (out.status == HTTP_CHUNKED_MORE ||
				     out.status == HTTP_CHUNKED_PIECE)) {
		size_t n = len - out.used < step ? len - out.used : step, used;
		char *copy = malloc(n);
		struct http_text piece = { NULL, 0 };

		assert_non_null(copy);
		memcpy(copy, in + out.used, n);
		out.status =
		    http_chunked_next(&chunked, copy, n, &used, &piece);
		assert_in_range(used, 0, n);
		if (out.status == HTTP_CHUNKED_PIECE) {
			assert_in_range(piece.len, 1, used);
			assert_ptr_equal(piece.at + piece.len, copy + used);
			assert_in_range(
			    out.body_len + piece.len, 1, sizeof(out.body));
			memcpy(out.body + out.body_len, piece.at, piece.len);
			out.body_len += piece.len;
		} else if (out.status == HTTP_CHUNKED_MORE) {
			assert_int_equal(used, n);
		}
		out.used += used;
		free(copy);
	}
	out.why = chunked.why;
	return out;
}

/* However the bytes are cut, the body is this, and so much is left. */
static void
expect_body(const char *in, const char *body, size_t left)
{
	for (size_t step = 1; step <= strlen(in); step++) {
		struct outcome out = decode(in, strlen(in), step);

		if (out.status != HTTP_CHUNKED_END)
			fail_msg("%s in pieces of %zu: %s", in, step,
			    out.why != NULL ? out.why : "no end");
		assert_int_equal(out.body_len, strlen(body));
		assert_memory_equal(out.body, body, out.body_len);
		assert_int_equal(out.used, strlen(in) - left);
	}
}

static void
expect_refused_at(const char *in, size_t len, size_t at, const char *why)
{
	for (size_t step = 1; step <= len; step++) {
		struct outcome out = decode(in, len, step);

		if (out.status != HTTP_CHUNKED_REFUSED)
			fail_msg("\"%.*s\" in pieces of %zu is not refused",
			    (int)len, in, step);
		if (strstr(out.why, why) == NULL)
			fail_msg("\"%.*s\": \"%s\", not for \"%s\"", (int)len,
			    in, why, out.why);
		assert_int_equal(out.used, at);
	}
}

/* Refused at its last byte, not earlier and not later. */
static void
expect_refused(const char *in, const char *why)
{
	expect_refused_at(in, strlen(in), strlen(in) - 1, why);
}

static void
test_chunks_are_put_together(void **state)
{
	(void)state;
	expect_body("5\r\nhello\r\n0\r\n\r\n", "hello", 0);
	expect_body("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef", 0);
	expect_body("0\r\n\r\n", "", 0);
	expect_body("a\r\n0123456789\r\nB\r\n0123456789a\r\n00\r\n\r\n",
	    "01234567890123456789a", 0);
	expect_body(
	    "000000000000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789", 0);
}

static void
test_a_chunk_may_hold_what_looks_like_framing(void **state)
{
	(void)state;
	expect_body("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n", 0);
}

static void
test_what_follows_is_left(void **state)
{
	(void)state;
	expect_body("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "a", 16);
	expect_body("0\r\n\r\n\r\n", "", 2);
}

static void
test_a_body_cut_short_has_not_ended(void **state)
{
	static const char in[] = "5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t len = 1; len < sizeof(in) - 1; len++) {
		enum http_chunked_status status = decode(in, len, len).status;

		assert_true(status == HTTP_CHUNKED_MORE ||
			    status == HTTP_CHUNKED_PIECE);
	}
	assert_int_equal(
	    decode(in, sizeof(in) - 1, 1).status, HTTP_CHUNKED_END);
}

static void
test_extensions_are_passed_over(void **state)
{
	(void)state;
	expect_body("1;a\r\nx\r\n0;b=c; d=\"e f\";\t\xc3\xa9\r\n\r\n", "x", 0);
	expect_body("1;\r\nx\r\n0\r\n\r\n", "x", 0);
}

static void
test_trailers_are_passed_over(void **state)
{
	(void)state;
	expect_body(
	    "1\r\nx\r\n0\r\nDigest: abc=\r\nX-Y:\r\nZ:\t1 2\r\n\r\nrest", "x",
	    4);
}

static void
test_bad_sizes_are_refused(void **state)
{
	static const char *const bad[] = { "\r", "\n", ";", " ", "\t", "g", "-",
		"+", "0x", "1g", "1 ", "1\t", "1,", "5\r\nhello\r\n ",
		"5\r\nhello\r\n\r", "5\r\nhello\r\n-" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		expect_refused(bad[i], "size");
	expect_refused_at("\0", 1, 0, "size");
	expect_refused("00000000000000001", "too long");
	expect_refused("ffffffffffffffff0", "too long");
}

/* The largest size that can be written is one that never comes to its end. */
static void
test_the_largest_size_does_not_wrap(void **state)
{
	struct outcome out = decode("ffffffffffffffff\r\nabc0\r\n\r\n", 26, 26);

	(void)state;
	assert_int_equal(out.status, HTTP_CHUNKED_PIECE);
	assert_int_equal(out.body_len, 8);
}

static void
test_line_ends_are_cr_lf(void **state)
{
	(void)state;
	expect_refused("5\n", "size");
	expect_refused("5\rh", "CR LF");
	expect_refused("5\r\r", "CR LF");
	expect_refused("5\r\nhello\n", "CR LF");
	expect_refused("5\r\nhello0", "CR LF");
	expect_refused("5\r\nhello\r0", "CR LF");
	expect_refused("5;a\n", "control");
	expect_refused("5;a\rb", "CR LF");
	expect_refused("0\r\n\n", "trailer");
	expect_refused("0\r\n\rx", "CR LF");
	expect_refused("0\r\nA: b\n", "control");
	expect_refused("0\r\nA: b\rc", "CR LF");
}

static void
test_bad_trailers_are_refused(void **state)
{
	(void)state;
	expect_refused("0\r\n ", "trailer");
	expect_refused("0\r\n:", "trailer");
	expect_refused("0\r\nA ", "trailer");
	expect_refused("0\r\nA\r", "trailer");
	expect_refused("0\r\nA: b\r\n\t", "trailer");
	expect_refused("0\r\nA: \x7f", "control");
	expect_refused("0\r\nA\xc3", "trailer");
}

/* Write a chunk of one byte with an extension of so many bytes behind its
 * semicolon, the CR being one of them. */
static size_t
put_extension(char *at, size_t bytes)
{
	int n = sprintf(at, "1;%0*d\r\nx\r\n", (int)bytes - 1, 0);

	assert_true(n > 0);
	return (size_t)n;
}

static void
test_extensions_of_a_body_are_bounded(void **state)
{
	char in[HTTP_CHUNKED_EXTENSIONS_MAX + 256];
	size_t half = HTTP_CHUNKED_EXTENSIONS_MAX / 2, len;
	struct outcome out;

	(void)state;
	len = put_extension(in, half);
	len += put_extension(in + len, half);
	strcpy(in + len, "0\r\n\r\n");
	out = decode(in, len + 5, 7);
	assert_int_equal(out.status, HTTP_CHUNKED_END);
	assert_int_equal(out.body_len, 2);

	len = put_extension(in, half);
	len += put_extension(in + len, half + 1);
	out = decode(in, len, 7);
	assert_int_equal(out.status, HTTP_CHUNKED_REFUSED);
	assert_non_null(strstr(out.why, "extensions"));
}

static void
test_trailers_of_a_body_are_bounded(void **state)
{
	char in[HTTP_CHUNKED_TRAILERS_MAX + 64];
	struct outcome out;
	size_t len = 3;

	(void)state;
	strcpy(in, "0\r\n");
	while (len < 3 + HTTP_CHUNKED_TRAILERS_MAX - 2) {
		memcpy(in + len, "A: bc\r\n", 7);
		len += 7;
	}
	/* 4096 - 2 is 7 * 584 + 6: the last one would end one byte too far. */
	assert_int_equal(len, 3 + HTTP_CHUNKED_TRAILERS_MAX - 2 + 1);
	memcpy(in + len - 7, "A: b\r\n\r\n", 8);
	out = decode(in, len + 1, 5);
	assert_int_equal(out.status, HTTP_CHUNKED_END);

	memcpy(in + len - 7, "A: bc\r\n\r\n", 9);
	out = decode(in, len + 2, 5);
	assert_int_equal(out.status, HTTP_CHUNKED_REFUSED);
	assert_non_null(strstr(out.why, "trailers"));
}

/* What is written in chunks is read from them again. */
static void
test_chunks_that_are_closed_can_be_read(void **state)
{
	static const size_t lens[] = { 1, 15, 16, 255, 256, 70000 };
	struct http_chunked chunked = { 0 };
	struct http_text piece;
	struct buf text;
	size_t used, at = 0;

	(void)state;
	buf_init(&text);
	for (size_t i = 0; i < COUNT(lens); i++) {
		size_t start = text.len, moved;

		memset(buf_room(&text, lens[i]), 'a' + (int)i, lens[i]);
		text.len += lens[i];
		moved = http_chunk_close(&text, start);
		assert_int_equal(text.at[start + moved], 'a' + (int)i);
	}
	buf_puts(&text, HTTP_CHUNK_LAST);
	for (size_t i = 0; i < COUNT(lens); i++) {
		assert_int_equal(http_chunked_next(&chunked, text.at + at,
				     text.len - at, &used, &piece),
		    HTTP_CHUNKED_PIECE);
		assert_int_equal(piece.len, lens[i]);
		assert_int_equal(piece.at[0], 'a' + (int)i);
		at += used;
	}
	assert_int_equal(http_chunked_next(&chunked, text.at + at,
			     text.len - at, &used, &piece),
	    HTTP_CHUNKED_END);
	assert_int_equal(at + used, text.len);
	buf_fini(&text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_chunks_that_are_closed_can_be_read),
	cmocka_unit_test(test_chunks_are_put_together),
	cmocka_unit_test(test_a_chunk_may_hold_what_looks_like_framing),
	cmocka_unit_test(test_what_follows_is_left),
	cmocka_unit_test(test_a_body_cut_short_has_not_ended),
	cmocka_unit_test(test_extensions_are_passed_over),
	cmocka_unit_test(test_trailers_are_passed_over),
	cmocka_unit_test(test_bad_sizes_are_refused),
	cmocka_unit_test(test_the_largest_size_does_not_wrap),
	cmocka_unit_test(test_line_ends_are_cr_lf),
	cmocka_unit_test(test_bad_trailers_are_refused),
	cmocka_unit_test(test_extensions_of_a_body_are_bounded),
	cmocka_unit_test(test_trailers_of_a_body_are_bounded),
};

SUITE_MAIN(tests);
