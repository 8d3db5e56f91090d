/* SPDX-License-Identifier: MIT */
/*
 * test_http.c - requests that http_parse_request() understands, and how it
 * takes them bit by bit.  What it refuses is in test_http_refused.c.
 */

#include "common/http.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static struct http_request req;

static enum http_parse
parse(const char *text)
{
	size_t scanned = 0;

	return http_parse_request(
	    text, strlen(text), HTTP_HEAD_MAX, &scanned, &req);
}

static void
expect_ok(const char *text)
{
	if (parse(text) != HTTP_OK)
		fail_msg("%d %s: %s", req.status, req.why, text);
	assert_int_equal(req.head_len, strlen(text));
}

static void
expect_text(const struct http_text *text, const char *wanted)
{
	assert_non_null(text);
	if (!http_text_equal(text, wanted))
		fail_msg(
		    "\"%.*s\" is not \"%s\"", (int)text->len, text->at, wanted);
}

static void
test_a_browsers_request_is_taken_apart(void **state)
{
	(void)state;
	expect_ok("GET /ws?topic=a&buffer=0 HTTP/1.1\r\n"
		  "Host: localhost:8000\r\n"
		  "Connection: keep-alive, Upgrade\r\n"
		  "Accept-Language: de,en;q=0.5\r\n"
		  "\r\n");
	expect_text(&req.method, "GET");
	expect_text(&req.path, "/ws");
	expect_text(&req.query, "topic=a&buffer=0");
	expect_text(&req.host, "localhost:8000");
	assert_int_equal(req.minor_version, 1);
	assert_int_equal(req.headers_len, 3);
	expect_text(&req.headers[1].name, "Connection");
	expect_text(&req.headers[1].value, "keep-alive, Upgrade");
	assert_false(req.is_chunked);
	assert_false(req.has_content_length);
	assert_int_equal(req.content_length, 0);
}

static void
test_every_form_of_target_is_split(void **state)
{
	static const struct {
		const char *head;
		const char *path, *query, *host;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "/", "", "h" },
		{ "GET /? HTTP/1.1\r\nHost: h\r\n\r\n", "/", "", "h" },
		{ "GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n", "/a", "b?c", "h" },
		{ "GET //a/../%00 HTTP/1.1\r\nHost: h\r\n\r\n", "//a/../%00",
		    "", "h" },
		{ "GET /!{a|b}~ HTTP/1.1\r\nHost: h\r\n\r\n", "/!{a|b}~", "",
		    "h" },
		{ "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*", "", "h" },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "/", "", "" },
		{ "GET / HTTP/1.0\r\n\r\n", "/", "", "" },
		{ "GET / HTTP/1.0\r\nHost: h:80\r\n\r\n", "/", "", "h:80" },
		{ "GET http://a:1/b?c HTTP/1.1\r\nHost: h\r\n\r\n", "/b", "c",
		    "a:1" },
		{ "GET HTTPS://[::1]:1/b HTTP/1.1\r\nHost: h\r\n\r\n", "/b", "",
		    "[::1]:1" },
		{ "GET http://a HTTP/1.1\r\nHost: h\r\n\r\n", "/", "", "a" },
		{ "GET http://a?c HTTP/1.1\r\nHost: h\r\n\r\n", "/", "c", "a" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_ok(rows[i].head);
		expect_text(&req.path, rows[i].path);
		expect_text(&req.query, rows[i].query);
		expect_text(&req.host, rows[i].host);
	}
}

static void
test_white_space_around_a_value_does_not_belong_to_it(void **state)
{
	(void)state;
	expect_ok("GET / HTTP/1.1\r\nHost:h\r\n"
		  "A: \t b c \t\r\nB:\r\nC: \t\r\nD:a:b\r\nE: \xff\r\n\r\n");
	expect_text(http_header_find(&req, "a"), "b c");
	expect_text(http_header_find(&req, "b"), "");
	expect_text(http_header_find(&req, "c"), "");
	expect_text(http_header_find(&req, "d"), "a:b");
	expect_text(http_header_find(&req, "e"), "\xff");
}

static void
test_any_token_is_a_method(void **state)
{
	(void)state;
	expect_ok("M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_text(&req.method, "M-SEARCH");
	expect_ok("azAZ09!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_text(&req.method, "azAZ09!#$%&'*+-.^_`|~");
	expect_ok("get / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_text(&req.method, "get");
}

static void
test_the_bodys_length_is_told(void **state)
{
	(void)state;
	expect_ok("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
	assert_true(req.has_content_length);
	assert_int_equal(req.content_length, 12);

	expect_ok("POST / HTTP/1.1\r\nHost: h\r\ncontent-length: 000\r\n\r\n");
	assert_true(req.has_content_length);
	assert_int_equal(req.content_length, 0);

	expect_ok("POST / HTTP/1.1\r\nHost: h\r\n"
		  "Content-Length: 18446744073709551615\r\n\r\n");
	assert_true(req.content_length == UINT64_MAX);
}

static void
test_a_chunked_body_is_told(void **state)
{
	(void)state;
	expect_ok("POST / HTTP/1.1\r\nHost: h\r\n"
		  "Transfer-Encoding: Chunked\r\n\r\n");
	assert_true(req.is_chunked);
	assert_false(req.has_content_length);
}

static void
test_the_head_ends_where_the_body_begins(void **state)
{
	static const char head[] =
	    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
	static const char text[] =
	    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n\n\r\n\r";

	(void)state;
	assert_int_equal(parse(text), HTTP_OK);
	assert_int_equal(req.head_len, strlen(head));
}

/* Old clients end a body with a line break too many: RFC 9112, 2.2. */
static void
test_one_empty_line_before_the_request_is_skipped(void **state)
{
	(void)state;
	expect_ok("\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_text(&req.path, "/a");
	assert_int_equal(parse("\r"), HTTP_PARTIAL);
	assert_int_equal(parse("\r\n"), HTTP_PARTIAL);
	assert_int_equal(parse("\r\n\r"), HTTP_REFUSED);
	assert_int_equal(parse("\r\n\r\n"), HTTP_REFUSED);
}

static void
test_pipelined_requests_are_taken_one_by_one(void **state)
{
	static const char text[] = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
				   "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n";

	(void)state;
	assert_int_equal(parse(text), HTTP_OK);
	expect_text(&req.path, "/1");
	expect_ok(text + req.head_len);
	expect_text(&req.path, "/2");
}

static void
test_every_beginning_of_a_head_is_partial(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		char *block = malloc(len + 1);
		size_t scanned = 0;

		assert_non_null(block);
		memcpy(block + 1, text, len);
		assert_int_equal(http_parse_request(block + 1, len,
				     HTTP_HEAD_MAX, &scanned, &req),
		    HTTP_PARTIAL);
		free(block);
	}
}

/* What keeps a head that comes byte by byte from costing its square. */
static void
test_no_byte_is_scanned_twice(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
	size_t scanned = 0;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		assert_int_equal(http_parse_request(
				     text, len, HTTP_HEAD_MAX, &scanned, &req),
		    HTTP_PARTIAL);
		assert_int_equal(scanned, len);
	}
}

static void
test_the_largest_head_allowed_is_allowed(void **state)
{
	static const char text[] = "GET /a HTTP/1.1\r\nHost: h\r\n\r\nbody";
	size_t head_len = strlen(text) - 4, scanned = 0;

	(void)state;
	assert_int_equal(
	    http_parse_request(text, strlen(text), head_len, &scanned, &req),
	    HTTP_OK);
	assert_int_equal(req.head_len, head_len);
	scanned = 0;
	assert_int_equal(http_parse_request(
			     text, strlen(text), head_len - 1, &scanned, &req),
	    HTTP_REFUSED);
	assert_int_equal(req.status, 431);
}

static void
test_as_many_headers_as_allowed_are_allowed(void **state)
{
	char text[1024] = "GET / HTTP/1.1\r\nHost: h\r\n";

	(void)state;
	for (unsigned i = 1; i < HTTP_HEADERS_MAX; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "\r\n");
	expect_ok(text);
	assert_int_equal(req.headers_len, HTTP_HEADERS_MAX);

	text[strlen(text) - 2] = '\0';
	strcat(text, "A: b\r\n\r\n");
	assert_int_equal(parse(text), HTTP_REFUSED);
	assert_int_equal(req.status, 431);
}

static struct dice dice;

/* A good request with a few bytes changed, doubled or left out. */
static void
mutated_request(char *out)
{
	static const char seed[] = "POST http://a:80/b?c HTTP/1.1\r\n"
				   "Host: h:1\r\nContent-Length: 4\r\n"
				   "Connection: close\r\n\r\nbody\r\n\r\n";
	static const char bytes[] = "\r\n\r\n :/?#*09aZ\t\x01\x7f\x80@[],";

	strcpy(out, seed);
	for (unsigned n = dice_below(&dice, 4); n > 0; n--)
		dice_mutate(&dice, out, bytes);
}

/* Feed a copy byte by byte, in a new block each time. */
static enum http_parse
parse_bytewise(const char *text, size_t len, struct http_request *out)
{
	enum http_parse result = HTTP_PARTIAL;
	size_t scanned = 0;

	for (size_t n = 1; n <= len && result == HTTP_PARTIAL; n++) {
		char *block = malloc(n);

		assert_non_null(block);
		memcpy(block, text, n);
		result = http_parse_request(block, n, 100, &scanned, out);
		free(block);
	}
	return result;
}

static void
expect_inside(const char *buf, const struct http_text *text)
{
	if (text->len > 0 && !http_text_equal(text, "/"))
		assert_true(text->at >= buf &&
			    text->at + text->len <= buf + req.head_len);
}

static void
test_bytewise_is_judged_like_at_once(void **state)
{
	const uint64_t seed = 0x9e3779b97f4a7c15u;
	static struct http_request slow;
	unsigned results[3] = { 0 };
	char text[256];

	(void)state;
	print_message("seed %#llx\n", (unsigned long long)seed);
	dice.state = seed;
	for (int i = 0; i < 20000; i++) {
		enum http_parse result;
		size_t scanned = 0;

		mutated_request(text);
		result =
		    http_parse_request(text, strlen(text), 100, &scanned, &req);
		results[result]++;
		if (parse_bytewise(text, strlen(text), &slow) != result)
			fail_msg("judged differently: %s", text);
		if (result == HTTP_REFUSED) {
			assert_int_equal(slow.status, req.status);
			assert_string_equal(slow.why, req.why);
		} else if (result == HTTP_OK) {
			assert_int_equal(slow.head_len, req.head_len);
			assert_int_equal(slow.headers_len, req.headers_len);
			expect_inside(text, &req.path);
			expect_inside(text, &req.query);
			expect_inside(text, &req.host);
		}
	}
	assert_true(results[HTTP_OK] > 1000 && results[HTTP_REFUSED] > 1000);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_browsers_request_is_taken_apart),
	cmocka_unit_test(test_every_form_of_target_is_split),
	cmocka_unit_test(test_white_space_around_a_value_does_not_belong_to_it),
	cmocka_unit_test(test_any_token_is_a_method),
	cmocka_unit_test(test_the_bodys_length_is_told),
	cmocka_unit_test(test_a_chunked_body_is_told),
	cmocka_unit_test(test_the_head_ends_where_the_body_begins),
	cmocka_unit_test(test_one_empty_line_before_the_request_is_skipped),
	cmocka_unit_test(test_pipelined_requests_are_taken_one_by_one),
	cmocka_unit_test(test_every_beginning_of_a_head_is_partial),
	cmocka_unit_test(test_no_byte_is_scanned_twice),
	cmocka_unit_test(test_the_largest_head_allowed_is_allowed),
	cmocka_unit_test(test_as_many_headers_as_allowed_are_allowed),
	cmocka_unit_test(test_bytewise_is_judged_like_at_once),
};

SUITE_MAIN(tests);
