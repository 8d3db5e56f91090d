/* SPDX-License-Identifier: MIT */
/* test_handshake.c - what common/handshake.h promises. */

#include "common/handshake.h"
#include "common/http.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

/* The key and the answer to it that RFC 6455 gives in section 1.3. */
#define RFC_KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define RFC_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define LINE       "GET /ws HTTP/1.1\r\nHost: h\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define UPGRADE    "Upgrade: websocket\r\n"
#define VERSION    "Sec-WebSocket-Version: 13\r\n"
#define KEY        "Sec-WebSocket-Key: " RFC_KEY "\r\n"

static struct http_request req;

static const struct http_request *
parse(const char *head)
{
	size_t scanned = 0;

	if (http_parse_request(
		head, strlen(head), HTTP_HEAD_MAX, &scanned, &req) != HTTP_OK)
		fail_msg("%s: %s", req.why, head);
	return &req;
}

static int
check(const char *head)
{
	const char *why = NULL;
	int status = handshake_check(parse(head), &why);

	assert_true(status == 101 || why != NULL);
	return status;
}

static void
test_the_handshake_of_a_browser_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(
	    check(LINE CONNECTION UPGRADE VERSION KEY "\r\n"), 101);
	assert_int_equal(
	    check(LINE "Origin: http://h\r\n"
		       "connection: keep-alive, upgrade\r\n"
		       "upgrade: WebSocket\r\n" VERSION
		       "Sec-WebSocket-Extensions: permessage-deflate\r\n" KEY
		       "\r\n"),
	    101);
}

static void
test_other_requests_are_refused_with_the_right_status(void **state)
{
	static const struct {
		const char *head;
		int status;
	} rows[] = {
		{ "POST /ws HTTP/1.1\r\nHost: h\r\n" CONNECTION UPGRADE VERSION
			KEY "\r\n",
		    405 },
		{ LINE "\r\n", 426 },
		{ LINE CONNECTION VERSION KEY "\r\n", 426 },
		{ LINE UPGRADE VERSION KEY "\r\n", 426 },
		{ LINE CONNECTION "Upgrade: h2c\r\n" VERSION KEY "\r\n", 426 },
		{ LINE "Connection: close\r\n" UPGRADE VERSION KEY "\r\n",
		    426 },
		{ "GET /ws HTTP/1.0\r\n" CONNECTION UPGRADE VERSION KEY "\r\n",
		    426 },
		{ LINE CONNECTION UPGRADE KEY "\r\n", 426 },
		{ LINE CONNECTION UPGRADE KEY
		    "Sec-WebSocket-Version: 8\r\n\r\n",
		    426 },
		{ LINE CONNECTION UPGRADE KEY
		    "Sec-WebSocket-Version: 13, 8\r\n\r\n",
		    426 },
		{ LINE CONNECTION UPGRADE KEY
		    "Sec-WebSocket-Version: 013\r\n\r\n",
		    426 },
		{ LINE CONNECTION UPGRADE KEY VERSION VERSION "\r\n", 400 },
		{ LINE CONNECTION UPGRADE KEY KEY VERSION "\r\n", 400 },
		{ LINE CONNECTION UPGRADE VERSION "\r\n", 400 },
		{ LINE CONNECTION UPGRADE KEY VERSION
		    "Content-Length: 1\r\n\r\n",
		    400 },
		{ LINE CONNECTION UPGRADE KEY VERSION
		    "Transfer-Encoding: chunked\r\n\r\n",
		    400 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (check(rows[i].head) != rows[i].status)
			fail_msg(
			    "should be %d: %s", rows[i].status, rows[i].head);
}

/* Behind a proxy that was not told to pass it on: what to tell it. */
static void
test_a_handshake_that_lost_its_upgrade_is_told_so(void **state)
{
	static const struct {
		const char *head, *part;
	} rows[] = {
		{ LINE "Connection: close\r\n" VERSION KEY "\r\n",
		    "proxy_set_header Upgrade $http_upgrade" },
		{ "GET /ws HTTP/1.0\r\nHost: h\r\nConnection: close\r\n" VERSION
			KEY "\r\n",
		    "proxy_http_version 1.1" },
		{ LINE "\r\n", "this is a WebSocket endpoint" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why = "";

		assert_int_equal(
		    handshake_check(parse(rows[i].head), &why), 426);
		assert_non_null(strstr(why, rows[i].part));
	}
}

static void
test_a_length_of_zero_is_no_body(void **state)
{
	(void)state;
	assert_int_equal(check(LINE CONNECTION UPGRADE VERSION KEY
			     "Content-Length: 0\r\n\r\n"),
	    101);
}

static int
check_key(const char *key)
{
	char head[512] = LINE CONNECTION UPGRADE VERSION "Sec-WebSocket-Key: ";

	strcat(head, key);
	strcat(head, "\r\n\r\n");
	return check(head);
}

static void
test_only_sixteen_bytes_in_base64_are_a_key(void **state)
{
	static const char *const wrong[] = { "", "AAAA",
		"AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAA===", "AAAAAAAAAAAAAAAAAAAAAA===",
		"AAAAAAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAA AAAAAAAAAA==",
		"AAAAAAAAAAAAAAAAAAAA-_==", "=AAAAAAAAAAAAAAAAAAAAA==" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(check_key(wrong[i]), 400);
	assert_int_equal(check_key("AAAAAAAAAAAAAAAAAAAAAA=="), 101);
	assert_int_equal(check_key("/+09azAZ/+09azAZ/+09aQ=="), 101);
}

static void
test_accept_is_that_of_the_standard(void **state)
{
	char accept[HANDSHAKE_ACCEPT_LEN + 1];

	(void)state;
	handshake_accept(RFC_KEY, strlen(RFC_KEY), accept);
	assert_string_equal(accept, RFC_ACCEPT);
}

static void
test_a_made_key_is_the_nonce_in_base64(void **state)
{
	uint8_t nonce[HANDSHAKE_NONCE_LEN];
	char key[HANDSHAKE_KEY_LEN + 1];

	(void)state;
	memcpy(nonce, "the sample nonce", sizeof(nonce));
	handshake_key(nonce, key);
	assert_string_equal(key, RFC_KEY);
}

static void
test_every_made_key_is_allowed(void **state)
{
	uint8_t nonce[HANDSHAKE_NONCE_LEN] = { 0 };
	char key[HANDSHAKE_KEY_LEN + 1];

	(void)state;
	for (unsigned n = 0; n < 256; n++) {
		memset(nonce, (int)n, sizeof(nonce));
		handshake_key(nonce, key);
		assert_int_equal(check_key(key), 101);
	}
}

static void
test_offers_are_compared_exactly(void **state)
{
	const struct http_request *r =
	    parse(LINE "Sec-WebSocket-Protocol: chat, pubsubd.v1\r\n"
		       "Sec-WebSocket-Protocol: other\r\n\r\n");

	(void)state;
	assert_true(handshake_offers(r, "pubsubd.v1"));
	assert_true(handshake_offers(r, "other"));
	assert_false(handshake_offers(r, "PUBSUBD.v1"));
	assert_false(handshake_offers(r, "pubsubd"));
	assert_false(handshake_offers(parse(LINE "\r\n"), "pubsubd.v1"));
}

static void
expect_response(const char *protocol, const char *extension, const char *wanted)
{
	const struct http_request *r =
	    parse(LINE CONNECTION UPGRADE VERSION KEY "\r\n");
	char buf[512];
	size_t len =
	    handshake_response(r, protocol, extension, buf, sizeof(buf));

	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(buf, wanted, len);
	assert_int_equal(
	    handshake_response(r, protocol, extension, buf, len), 0);
	assert_int_equal(
	    handshake_response(r, protocol, extension, buf, 10), 0);
}

static void
test_the_response_carries_the_accept(void **state)
{
	(void)state;
	expect_response(NULL, NULL,
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Accept: " RFC_ACCEPT "\r\n\r\n");
}

static void
test_the_response_names_the_protocol_chosen(void **state)
{
	(void)state;
	expect_response("pubsubd.v1", NULL,
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Accept: " RFC_ACCEPT "\r\n"
	    "Sec-WebSocket-Protocol: pubsubd.v1\r\n\r\n");
}

static void
test_the_response_names_the_extension_chosen(void **state)
{
	(void)state;
	expect_response("pubsubd.v1", "permessage-deflate",
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
	    "Sec-WebSocket-Accept: " RFC_ACCEPT "\r\n"
	    "Sec-WebSocket-Protocol: pubsubd.v1\r\n"
	    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
}

static void
test_a_protocol_over_the_limit_is_no_response(void **state)
{
	const struct http_request *r =
	    parse(LINE CONNECTION UPGRADE VERSION KEY "\r\n");
	char buf[1024], protocol[512];

	(void)state;
	memset(protocol, 'p', sizeof(protocol));
	protocol[sizeof(protocol) - 1] = '\0';
	assert_int_equal(
	    handshake_response(r, protocol, NULL, buf, sizeof(buf)), 0);
	protocol[128] = '\0';
	assert_int_not_equal(
	    handshake_response(r, protocol, protocol, buf, sizeof(buf)), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_handshake_of_a_browser_is_allowed),
	cmocka_unit_test(test_other_requests_are_refused_with_the_right_status),
	cmocka_unit_test(test_a_handshake_that_lost_its_upgrade_is_told_so),
	cmocka_unit_test(test_a_length_of_zero_is_no_body),
	cmocka_unit_test(test_only_sixteen_bytes_in_base64_are_a_key),
	cmocka_unit_test(test_accept_is_that_of_the_standard),
	cmocka_unit_test(test_a_made_key_is_the_nonce_in_base64),
	cmocka_unit_test(test_every_made_key_is_allowed),
	cmocka_unit_test(test_offers_are_compared_exactly),
	cmocka_unit_test(test_the_response_carries_the_accept),
	cmocka_unit_test(test_the_response_names_the_protocol_chosen),
	cmocka_unit_test(test_the_response_names_the_extension_chosen),
	cmocka_unit_test(test_a_protocol_over_the_limit_is_no_response),
};

SUITE_MAIN(tests);
