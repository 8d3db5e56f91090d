/* SPDX-License-Identifier: MIT */
/*
 * test_http_refused.c - requests that http_parse_request() refuses, most of
 * them because somebody else might read them differently.
 */

#include "common/http.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX 200

struct row {
	const char *head;
	int status;
	const char *why;
};

static struct http_request req;

static enum http_parse
parse(const char *text, size_t len)
{
	char *block = malloc(len);
	enum http_parse result;
	size_t scanned = 0;

	assert_non_null(block);
	memcpy(block, text, len);
	result = http_parse_request(block, len, HEAD_MAX, &scanned, &req);
	free(block);
	return result;
}

static void
expect_refused(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];

		if (parse(row->head, strlen(row->head)) != HTTP_REFUSED)
			fail_msg("not refused: %s", row->head);
		if (req.status != row->status)
			fail_msg("%d %s: %s", req.status, req.why, row->head);
		assert_string_equal(req.why, row->why);
	}
}

static void
test_lines_end_in_cr_lf_only(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1\n", 400, "a line must end in CR LF" },
		{ "GET / HTTP/1.1\r\nHost: h\n", 400,
		    "a line must end in CR LF" },
		{ "GET / HTTP/1.1\r\nHost: h\r\n\n", 400,
		    "a line must end in CR LF" },
		{ "GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", 400,
		    "a control character in a header" },
		{ "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\r\n\r\n", 400,
		    "a control character in a header" },
		{ "GET / HTTP/1.1\r\nHost: h\r\n\r\r\n\r\n", 400,
		    "a header line has no colon" },
		{ "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 400,
		    "malformed HTTP version" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

static void
test_what_is_no_http_is_refused_at_its_first_byte(void **state)
{
	static const struct row rows[] = {
		{ "\x16\x03\x01", 400, "this is not HTTP" },
		{ " GET", 400, "this is not HTTP" },
		{ "\rG", 400, "this is not HTTP" },
		{ "\r\n\r", 400, "this is not HTTP" },
		{ "\r\n ", 400, "this is not HTTP" },
		{ "\x80", 400, "this is not HTTP" },
		{ "\n", 400, "this is not HTTP" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
	assert_int_equal(parse("\0", 1), HTTP_REFUSED);
}

static void
test_malformed_request_lines_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "GET\r\n\r\n", 400, "malformed request line" },
		{ "GET /\r\n\r\n", 400, "malformed request line" },
		{ "G(T / HTTP/1.1\r\n\r\n", 400, "malformed request line" },
		{ "GET\t/ HTTP/1.1\r\n\r\n", 400, "malformed request line" },
		{ "GET  / HTTP/1.1\r\n\r\n", 400, "malformed request target" },
		{ "GET /  HTTP/1.1\r\n\r\n", 400, "malformed request target" },
		{ "GET  HTTP/1.1\r\n\r\n", 400, "malformed request target" },
		{ "GET / HTTP/1.1 \r\n\r\n", 400, "malformed HTTP version" },
		{ "GET / http/1.1\r\n\r\n", 400, "malformed HTTP version" },
		{ "GET / HTTP/11\r\n\r\n", 400, "malformed HTTP version" },
		{ "GET / HTTP/1.10\r\n\r\n", 400, "malformed HTTP version" },
		{ "GET / HTTP/a.1\r\n\r\n", 400, "malformed HTTP version" },
		{ "GET / HTTP/0.9\r\n\r\n", 505, "only HTTP/1.0 and HTTP/1.1" },
		{ "GET / HTTP/9.9\r\n\r\n", 505, "only HTTP/1.0 and HTTP/1.1" },
		{ "GET / HTTP/1.2\r\n\r\n", 505, "only HTTP/1.0 and HTTP/1.1" },
		{ "PRI * HTTP/2.0\r\n\r\n", 505, "only HTTP/1.0 and HTTP/1.1" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

#define REST " HTTP/1.1\r\nHost: h\r\n\r\n"

static void
test_only_token_characters_make_a_method_and_a_name(void **state)
{
	static const char allowed[] =
	    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[64];

	(void)state;
	for (int c = 1; c < 256; c++) {
		bool is_allowed = strchr(allowed, c) != NULL;

		snprintf(text, sizeof(text), "G%cT /" REST, c);
		assert_int_equal(
		    parse(text, strlen(text)) == HTTP_OK, is_allowed);
		snprintf(text, sizeof(text),
		    "GET / HTTP/1.1\r\nHost: h\r\nA%cB: c\r\n\r\n", c);
		assert_int_equal(parse(text, strlen(text)) == HTTP_OK,
		    is_allowed || c == ':');
	}
}

static void
test_malformed_targets_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "GET a" REST, 400, "malformed request target" },
		{ "GET ?a" REST, 400, "malformed request target" },
		{ "GET *" REST, 400, "malformed request target" },
		{ "GET *a" REST, 400, "malformed request target" },
		{ "OPTIONS *a" REST, 400, "malformed request target" },
		{ "GET /a#b" REST, 400, "malformed request target" },
		{ "GET /a b" REST, 400, "malformed request target" },
		{ "GET /a\tb" REST, 400, "malformed request target" },
		{ "GET /\xc3\xa9" REST, 400, "malformed request target" },
		{ "GET /\x7f" REST, 400, "malformed request target" },
		{ "GET ftp://a/" REST, 400, "malformed request target" },
		{ "GET gopher://abcdefgh/" REST, 400,
		    "malformed request target" },
		{ "GET https://" REST, 400, "malformed request target" },
		{ "GET http:/a" REST, 400, "malformed request target" },
		{ "GET http://" REST, 400, "malformed request target" },
		{ "GET http:///a" REST, 400, "malformed host in the target" },
		{ "GET http://?a" REST, 400, "malformed host in the target" },
		{ "GET http://u@a/" REST, 400, "malformed host in the target" },
		{ "GET http://:80/" REST, 400, "malformed host in the target" },
		{ "CONNECT a:80" REST, 501, "this is no proxy" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

#define LINE "GET / HTTP/1.1\r\nHost: h\r\n"

static void
test_malformed_headers_are_refused(void **state)
{
	static const struct row rows[] = {
		{ LINE "A: b\r\n c\r\n\r\n", 400, "a header line is folded" },
		{ LINE "A: b\r\n\tc: d\r\n\r\n", 400,
		    "a header line is folded" },
		{ "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400,
		    "a header line is folded" },
		{ LINE "A : b\r\n\r\n", 400, "malformed header name" },
		{ LINE "A\t: b\r\n\r\n", 400, "malformed header name" },
		{ LINE ": b\r\n\r\n", 400, "malformed header name" },
		{ LINE "A(b): c\r\n\r\n", 400, "malformed header name" },
		{ LINE "\xc3\xa9: c\r\n\r\n", 400, "malformed header name" },
		{ LINE "A b\r\n\r\n", 400, "a header line has no colon" },
		{ LINE "A: b\x01\r\n\r\n", 400,
		    "a control character in a header" },
		{ LINE "A: b\x7f\r\n\r\n", 400,
		    "a control character in a header" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

static void
test_a_nul_byte_is_refused_wherever_it_stands(void **state)
{
	static const char text[] = "GET /a?b HTTP/1.1\r\nHost: h\r\nA: b\r\n";
	char copy[sizeof(text) + 4];

	(void)state;
	for (size_t at = 0; at < strlen(text); at++) {
		memcpy(copy, text, strlen(text));
		memcpy(copy + strlen(text), "\r\n\r\n", 4);
		copy[at] = '\0';
		assert_int_equal(parse(copy, strlen(text) + 4), HTTP_REFUSED);
		assert_int_equal(req.status, 400);
	}
}

static void
test_a_body_whose_end_is_not_certain_is_refused(void **state)
{
	static const struct row rows[] = {
		{ LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400,
		    "Content-Length given twice" },
		{ LINE "Content-Length: 5\r\nContent-length: 6\r\n\r\n", 400,
		    "Content-Length given twice" },
		{ LINE "Content-Length: 5, 5\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length:\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length: +5\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length: -5\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length: 0x5\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length: 5 5\r\n\r\n", 400,
		    "malformed Content-Length" },
		{ LINE "Content-Length: 18446744073709551616\r\n\r\n", 413,
		    "the body is too large" },
		{ LINE "Content-Length: 99999999999999999999\r\n\r\n", 413,
		    "the body is too large" },
		{ LINE
		    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		    400, "both Content-Length and Transfer-Encoding" },
		{ LINE
		    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		    400, "both Content-Length and Transfer-Encoding" },
		{ LINE "Transfer-Encoding: chunked\r\n"
		       "Transfer-Encoding: chunked\r\n\r\n",
		    400, "Transfer-Encoding given twice" },
		{ LINE "Transfer-Encoding: chunked\r\n"
		       "transfer-encoding: identity\r\n\r\n",
		    400, "Transfer-Encoding given twice" },
		{ LINE "Transfer-Encoding: identity\r\n\r\n", 400,
		    "the body's end is not known" },
		{ LINE "Transfer-Encoding:\r\n\r\n", 400,
		    "the body's end is not known" },
		{ LINE "Transfer-Encoding: chunked, gzip\r\n\r\n", 400,
		    "the body's end is not known" },
		{ LINE "Transfer-Encoding: xchunked\r\n\r\n", 400,
		    "the body's end is not known" },
		{ LINE "Transfer-Encoding: chunked;a=b\r\n\r\n", 400,
		    "the body's end is not known" },
		{ LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", 501,
		    "only chunked is understood" },
		{ LINE "Transfer-Encoding: chunked, chunked\r\n\r\n", 501,
		    "only chunked is understood" },
		{ LINE "Transfer-Encoding: chunked,\r\n\r\n", 501,
		    "only chunked is understood" },
		{ LINE "Transfer-Encoding: \x0b"
		       "chunked\r\n\r\n",
		    400, "a control character in a header" },
		{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
		    "Transfer-Encoding in an HTTP/1.0 request" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

static void
test_the_host_must_be_said_once_and_well(void **state)
{
	static const struct row rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", 400, "no Host" },
		{ "GET http://a/ HTTP/1.1\r\n\r\n", 400, "no Host" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400,
		    "Host given twice" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400,
		    "Host given twice" },
		{ "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400,
		    "Host given twice" },
		{ "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400,
		    "malformed Host" },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400,
		    "malformed Host" },
		{ "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400,
		    "malformed Host" },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400,
		    "malformed Host" },
		{ "GET http://a/ HTTP/1.1\r\nHost: a@b\r\n\r\n", 400,
		    "malformed Host" },
	};

	(void)state;
	expect_refused(rows, COUNT(rows));
}

static void
test_a_request_line_without_end_is_414(void **state)
{
	char text[HEAD_MAX + 10];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET /", 5);
	assert_int_equal(parse(text, HEAD_MAX - 1), HTTP_PARTIAL);
	assert_int_equal(parse(text, HEAD_MAX), HTTP_REFUSED);
	assert_int_equal(req.status, 414);
	assert_int_equal(parse(text, sizeof(text)), HTTP_REFUSED);
	assert_int_equal(req.status, 414);

	memcpy(text, "\r\nGET /", 7);
	assert_int_equal(parse(text, HEAD_MAX), HTTP_REFUSED);
	assert_int_equal(req.status, 414);
}

static void
test_headers_without_end_are_431(void **state)
{
	char text[HEAD_MAX + 10];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, LINE, strlen(LINE));
	assert_int_equal(parse(text, HEAD_MAX - 1), HTTP_PARTIAL);
	assert_int_equal(parse(text, HEAD_MAX), HTTP_REFUSED);
	assert_int_equal(req.status, 431);
	memcpy(text + sizeof(text) - 4, "\r\n\r\n", 4);
	assert_int_equal(parse(text, sizeof(text)), HTTP_REFUSED);
	assert_int_equal(req.status, 431);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lines_end_in_cr_lf_only),
	cmocka_unit_test(test_what_is_no_http_is_refused_at_its_first_byte),
	cmocka_unit_test(test_malformed_request_lines_are_refused),
	cmocka_unit_test(test_only_token_characters_make_a_method_and_a_name),
	cmocka_unit_test(test_malformed_targets_are_refused),
	cmocka_unit_test(test_malformed_headers_are_refused),
	cmocka_unit_test(test_a_nul_byte_is_refused_wherever_it_stands),
	cmocka_unit_test(test_a_body_whose_end_is_not_certain_is_refused),
	cmocka_unit_test(test_the_host_must_be_said_once_and_well),
	cmocka_unit_test(test_a_request_line_without_end_is_414),
	cmocka_unit_test(test_headers_without_end_are_431),
};

SUITE_MAIN(tests);
