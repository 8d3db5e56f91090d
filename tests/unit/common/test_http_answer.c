/* SPDX-License-Identifier: MIT */
/* test_http_answer.c - what common/http_answer.h and handshake_client.h
 * promise. */

#include "common/buf.h"
#include "common/handshake_client.h"
#include "common/http.h"
#include "common/http_answer.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

/* The key and its accept of RFC 6455, section 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct http_answer answer;

static enum http_parse
parse(const char *text)
{
	size_t scanned = 0;

	return http_parse_answer(
	    text, strlen(text), HTTP_HEAD_MAX, &scanned, &answer);
}

static void
test_a_head_is_taken_apart(void **state)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Retry-After:  2 \r\n"
				   "Content-Length: 5\r\n\r\nhello";
	const struct http_text *value;

	(void)state;
	assert_int_equal(parse(text), HTTP_OK);
	assert_int_equal(answer.status, 503);
	assert_true(http_text_equal(&answer.reason, "Service Unavailable"));
	assert_int_equal(answer.content_length, 5);
	assert_int_equal(answer.head.head_len, strlen(text) - 5);
	value = http_header_find(&answer.head, "retry-after");
	assert_non_null(value);
	assert_true(http_text_equal(value, "2"));
}

static void
test_reason_and_length_may_be_missing(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP/1.0 200 \r\n\r\n"), HTTP_OK);
	assert_int_equal(answer.reason.len, 0);
	assert_true(answer.content_length == HTTP_LENGTH_TO_END);
	assert_int_equal(parse("HTTP/1.1 200\r\n\r\n"), HTTP_OK);
	assert_int_equal(answer.reason.len, 0);
}

static void
test_it_may_come_byte_by_byte(void **state)
{
	static const char text[] = "HTTP/1.1 101 Upgrade\r\nA: b\r\n\r\n";
	size_t scanned = 0;

	(void)state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(http_parse_answer(text, len, HTTP_HEAD_MAX,
				     &scanned, &answer),
		    HTTP_PARTIAL);
	assert_int_equal(http_parse_answer(text, strlen(text), HTTP_HEAD_MAX,
			     &scanned, &answer),
	    HTTP_OK);
	assert_int_equal(answer.status, 101);
}

static void
test_what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} texts[] = {
		{ "SSH-2.0-OpenSSH", "this is not HTTP" },
		{ "HTTP/2", "this is not HTTP" },
		{ "HTTP/1.1 200 OK\n\n", "a line must end in CR LF" },
		{ "HTTP/1.1 099 x\r\n\r\n", "malformed status line" },
		{ "HTTP/1.1 600 x\r\n\r\n", "malformed status line" },
		{ "HTTP/1.1 20 OK\r\n\r\n", "malformed status line" },
		{ "HTTP/1.1  200 OK\r\n\r\n", "malformed status line" },
		{ "HTTP/1.1 2000\r\n\r\n", "malformed status line" },
		{ "HTTP/1.x 200 OK\r\n\r\n", "malformed status line" },
		{ "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "malformed header name" },
		{ "HTTP/1.1 200 OK\r\nA\r\n\r\n",
		    "a header line has no colon" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
		  "Content-Length: 1\r\n\r\n",
		    "Content-Length given twice" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		    "malformed Content-Length" },
		{ "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		    "malformed Content-Length" },
		{ "HTTP/1.1 200 OK\r\n"
		  "Content-Length: 18446744073709551615\r\n\r\n",
		    "malformed Content-Length" },
		{ "HTTP/1.1 200 OK\r\n"
		  "Content-Length: 18446744073709551616\r\n\r\n",
		    "malformed Content-Length" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "a Transfer-Encoding unasked for" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (parse(texts[i].text) != HTTP_REFUSED)
			fail_msg("taken: %s", texts[i].text);
		assert_string_equal(answer.head.why, texts[i].why);
	}
}

static void
test_a_head_over_the_limit_is_refused(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
	size_t len = strlen(text), scanned = 0;

	(void)state;
	assert_int_equal(
	    http_parse_answer(text, len, len - 1, &scanned, &answer),
	    HTTP_REFUSED);
	assert_string_equal(answer.head.why, "the head is too large");
	scanned = 0;
	assert_int_equal(
	    http_parse_answer(text, len, len, &scanned, &answer), HTTP_OK);
}

static void
test_a_request_is_a_handshake_that_a_server_takes(void **state)
{
	struct http_request req;
	size_t scanned = 0;
	const char *why;
	struct buf buf;

	(void)state;
	buf_init(&buf);
	handshake_request(&buf, "h:1", "/ws?a=b", "pubsubd.v1", NULL, KEY);
	assert_int_equal(
	    http_parse_request(buf.at, buf.len, HTTP_HEAD_MAX, &scanned, &req),
	    HTTP_OK);
	assert_int_equal(req.head_len, buf.len);
	assert_int_equal(handshake_check(&req, &why), 101);
	assert_true(handshake_offers(&req, "pubsubd.v1"));
	assert_true(http_text_equal(&req.host, "h:1"));
	assert_true(http_text_equal(&req.path, "/ws"));
	assert_true(http_text_equal(&req.query, "a=b"));
	buf_reset(&buf);
	scanned = 0;
	handshake_request(&buf, "h:1", "/", NULL, "X-A: b\r\n", KEY);
	assert_int_equal(
	    http_parse_request(buf.at, buf.len, HTTP_HEAD_MAX, &scanned, &req),
	    HTTP_OK);
	assert_int_equal(handshake_check(&req, &why), 101);
	assert_null(http_header_find(&req, "Sec-WebSocket-Protocol"));
	assert_true(http_text_equal(http_header_find(&req, "X-A"), "b"));
	buf_fini(&buf);
}

/* What is found wrong with a 101 of these lines, to a request for protocol. */
static const char *
fault_of(const char *protocol, const char *upgrade, const char *accept,
    const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
	    "Upgrade: %s\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
	    upgrade, accept, more);
	assert_int_equal(parse(text), HTTP_OK);
	return handshake_fault(&answer, protocol, KEY);
}

static const char *
fault(const char *upgrade, const char *accept, const char *more)
{
	return fault_of("pubsubd.v1", upgrade, accept, more);
}

static void
test_only_the_right_answer_opens(void **state)
{
	static const char v1[] = "Sec-WebSocket-Protocol: pubsubd.v1\r\n";

	(void)state;
	assert_null(fault("WebSocket", ACCEPT, v1));
	assert_string_equal(
	    fault("h2c", ACCEPT, v1), "it does not upgrade to websocket");
	assert_string_equal(
	    fault("websocket", KEY, v1), "its Sec-WebSocket-Accept is wrong");
	assert_string_equal(fault("websocket", ACCEPT, ""),
	    "it does not speak the subprotocol");
	assert_string_equal(fault("websocket", ACCEPT,
				"Sec-WebSocket-Protocol: pubsubd.v2\r\n"),
	    "it does not speak the subprotocol");
	assert_string_equal(
	    fault("websocket", ACCEPT,
		"Sec-WebSocket-Protocol: pubsubd.v1\r\n"
		"Sec-WebSocket-Extensions: permessage-deflate\r\n"),
	    "it wants an extension nobody asked for");
	assert_null(fault_of(NULL, "websocket", ACCEPT, ""));
	assert_string_equal(fault_of(NULL, "websocket", ACCEPT, v1),
	    "it chose a subprotocol nobody asked for");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_head_is_taken_apart),
	cmocka_unit_test(test_reason_and_length_may_be_missing),
	cmocka_unit_test(test_it_may_come_byte_by_byte),
	cmocka_unit_test(test_what_is_no_answer_is_refused),
	cmocka_unit_test(test_a_head_over_the_limit_is_refused),
	cmocka_unit_test(test_a_request_is_a_handshake_that_a_server_takes),
	cmocka_unit_test(test_only_the_right_answer_opens),
};

SUITE_MAIN(tests);
