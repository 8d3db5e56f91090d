/* SPDX-License-Identifier: MIT */
/* test_proxy_header.c - what common/proxy_header.h promises.  The whole headers of
 * version 2 are what HAProxy 2.6 has sent. */

#include "common/proxy_header.h"
#include "tests/support/suite.h"

#include <string.h>

#define MAX  8192u
#define REST "GET / HTTP/1.1\r\n"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2(text)  SIGNATURE text, sizeof(SIGNATURE text) - 1
#define A4        "\xcb\x00\x71\x09\xc0\x00\x02\x01\xdc\x04\x01\xbb"

/* Of HAProxy, with crc32c, ssl and authority. */
static const char haproxy_v4[] =
    SIGNATURE "\x21\x11\x00\x1e"
	      "\x7f\x00\x00\x01\x7f\x00\x00\x01\x98\xe2\x6d\xc7"
	      "\x03\x00\x04\xe3\xce\x73\x3c"
	      "\x05\x00\x00\x20\x00\x05\x00\x00\x00\x00\x00";
static const char haproxy_v6[] =
    SIGNATURE "\x21\x21\x00\x36"
	      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
	      "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
	      "\xbc\xc0\x6d\xc8"
	      "\x03\x00\x04\x16\xbb\xd0\x5b"
	      "\x05\x00\x00\x20\x00\x05\x00\x00\x00\x00\x00";

/* The whole header in front of a request: whom it tells, "nobody", or "bad". */
static const char *
told(const char *data, size_t len)
{
	static char text[IP_TEXT_MAX];
	struct proxy_header header;
	char room[4096];

	memcpy(room, data, len);
	memcpy(room + len, REST, sizeof(REST) - 1);
	switch (
	    proxy_header_parse(room, len + sizeof(REST) - 1, MAX, &header)) {
	case PROXY_HEADER_OK:
		assert_int_equal(header.len, len);
		if (header.has_address)
			return ip_format(&header.client, text);
		return "nobody";
	case PROXY_HEADER_PARTIAL:
		return "partial";
	case PROXY_HEADER_BAD:
		assert_non_null(header.why);
		return "bad";
	}
	fail();
	return NULL;
}

static const char *
told_line(const char *line)
{
	return told(line, strlen(line));
}

static void
test_a_line_tells_the_source(void **state)
{
	(void)state;
	assert_string_equal(
	    told_line("PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n"),
	    "203.0.113.9");
	assert_string_equal(
	    told_line("PROXY TCP6 2001:db8::9 2001:db8::1 0 65535\r\n"),
	    "2001:db8::9");
	assert_string_equal(
	    told_line(
		"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_string_equal(told_line("PROXY UNKNOWN\r\n"), "nobody");
	assert_string_equal(
	    told_line("PROXY UNKNOWN ffff:f...f:ffff x 65535 65535\r\n"),
	    "nobody");
}

static void
test_another_line_is_bad(void **state)
{
	static const char *const lines[] = {
		"PROXY\r\n",
		"PROXY \r\n",
		"PROXY  TCP4 203.0.113.9 192.0.2.1 1 2\r\n",
		"proxy TCP4 203.0.113.9 192.0.2.1 1 2\r\n",
		"PROXY tcp4 203.0.113.9 192.0.2.1 1 2\r\n",
		"PROXY UDP4 203.0.113.9 192.0.2.1 1 2\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 2\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 2 \r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 2 3\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1  1 2\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 65536\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 -2\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 01 2\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.1 1 0x2\r\n",
		"PROXY TCP4 203.0.113.09 192.0.2.1 1 2\r\n",
		"PROXY TCP4 203.0.113.9 192.0.2.256 1 2\r\n",
		"PROXY TCP4 2001:db8::9 192.0.2.1 1 2\r\n",
		"PROXY TCP4 203.0.113.9 2001:db8::1 1 2\r\n",
		"PROXY TCP6 203.0.113.9 192.0.2.1 1 2\r\n",
		"PROXY TCP4 0.0.0.0 192.0.2.1 1 2\r\n",
		"PROXY TCP6 :: ::1 1 2\r\n",
		"PROXY UNKNOWNX\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_string_equal(told_line(lines[i]), "bad");
}

static void
test_a_line_has_an_end(void **state)
{
	char line[160] = "PROXY UNKNOWN ";
	struct proxy_header header;

	(void)state;
	memset(line + 14, 'x', 91);
	memcpy(line + 105, "\r\n", 2);
	assert_int_equal(
	    proxy_header_parse(line, 107, MAX, &header), PROXY_HEADER_OK);
	assert_int_equal(header.len, 107);
	memcpy(line + 105, "x\r\n", 3);
	assert_int_equal(
	    proxy_header_parse(line, 106, MAX, &header), PROXY_HEADER_PARTIAL);
	assert_int_equal(
	    proxy_header_parse(line, 108, MAX, &header), PROXY_HEADER_BAD);
}

static void
test_what_haproxy_sends_is_understood(void **state)
{
	(void)state;
	assert_string_equal(
	    told(haproxy_v4, sizeof(haproxy_v4) - 1), "127.0.0.1");
	assert_string_equal(told(haproxy_v6, sizeof(haproxy_v6) - 1), "::1");
	assert_string_equal(told(V2("\x21\x11\x00\x0c" A4)), "203.0.113.9");
}

/* Any bit of it may be what broke on the way: the checksum's own too. */
static void
test_a_wrong_checksum_is_bad(void **state)
{
	(void)state;
	for (size_t at = 16; at < sizeof(haproxy_v4) - 1; at++) {
		char broken[sizeof(haproxy_v4)];

		/* What makes other TLVs of it may end in another error. */
		memcpy(broken, haproxy_v4, sizeof(broken));
		broken[at] ^= 0x10;
		if (at == 28) /* there is no checksum any more */
			continue;
		assert_string_equal(told(broken, sizeof(broken) - 1), "bad");
	}
}

static void
test_checksums_are_one_and_whole(void **state)
{
	(void)state;
	assert_string_equal(
	    told(V2("\x21\x11\x00\x12" A4 "\x03\x00\x03\0\0\0")), "bad");
	assert_string_equal(told(V2("\x21\x11\x00\x1a" A4 "\x03\x00\x04\0\0\0\0"
				    "\x03\x00\x04\0\0\0\0")),
	    "bad");
}

static void
test_tlvs_are_skipped_but_whole(void **state)
{
	(void)state;
	assert_string_equal(told(V2("\x21\x11\x00\x13" A4 "\x04\x00\x00"
				    "\xe0\x00\x01x")),
	    "203.0.113.9");
	assert_string_equal(told(V2("\x21\x11\x00\x0e" A4 "\x04\x00")), "bad");
	assert_string_equal(
	    told(V2("\x21\x11\x00\x10" A4 "\x04\x00\x02x")), "bad");
	assert_string_equal(
	    told(V2("\x21\x11\x00\x10" A4 "\x04\xff\xffx")), "bad");
}

/* Whatever else stands in such a header. */
static void
test_a_proxy_may_speak_for_itself(void **state)
{
	(void)state;
	assert_string_equal(told(V2("\x20\x00\x00\x00")), "nobody");
	assert_string_equal(told(V2("\x20\x11\x00\x0c" A4)), "nobody");
	assert_string_equal(told(V2("\x20\xff\x00\x02xy")), "nobody");
	assert_string_equal(told(V2("\x21\x00\x00\x00")), "nobody");
	assert_string_equal(told(V2("\x21\x00\x00\x03xyz")), "nobody");
}

static void
test_a_unix_socket_has_no_ip_address(void **state)
{
	char header[16 + 216] = SIGNATURE "\x21\x31\x00\xd8/run/a";

	(void)state;
	assert_string_equal(told(header, sizeof(header)), "nobody");
	header[15] = (char)0xd7;
	assert_string_equal(told(header, sizeof(header) - 1), "bad");
}

static void
test_other_binary_headers_are_bad(void **state)
{
	(void)state;
	assert_string_equal(told(V2("\x11\x11\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x31\x11\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x22\x11\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x21\x12\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x21\x10\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x21\x41\x00\x0c" A4)), "bad");
	assert_string_equal(told(V2("\x21\x11\x00\x0b"
				    "\1\2\3\4\1\2\3\4\1\2\3")),
	    "bad");
	assert_string_equal(told(V2("\x21\x21\x00\x0c" A4)), "bad");
	assert_string_equal(
	    told(V2("\x21\x11\x00\x0c\0\0\0\0\1\2\3\4\1\1\2\2")), "bad");
	assert_string_equal(
	    told("\r\n\r\n\0\r\nQUIT\r\x21\x00\x00\x00", 16), "bad");
}

static void
test_it_is_no_longer_than_allowed(void **state)
{
	static const char head[16] = SIGNATURE "\x21\x11\x01\x00";
	struct proxy_header header;

	(void)state;
	assert_int_equal(proxy_header_parse(head, 16, 16 + 256, &header),
	    PROXY_HEADER_PARTIAL);
	assert_int_equal(
	    proxy_header_parse(head, 16, 16 + 255, &header), PROXY_HEADER_BAD);
}

/* Every piece in front is the beginning of a header. */
static void
test_it_may_come_byte_by_byte(void **state)
{
	static const char line[] =
	    "PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n";
	struct proxy_header header;

	(void)state;
	for (size_t len = 0; len < sizeof(haproxy_v4) - 1; len++)
		assert_int_equal(
		    proxy_header_parse(haproxy_v4, len, MAX, &header),
		    PROXY_HEADER_PARTIAL);
	for (size_t len = 0; len < sizeof(line) - 1; len++)
		assert_int_equal(proxy_header_parse(line, len, MAX, &header),
		    PROXY_HEADER_PARTIAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_line_tells_the_source),
	cmocka_unit_test(test_another_line_is_bad),
	cmocka_unit_test(test_a_line_has_an_end),
	cmocka_unit_test(test_what_haproxy_sends_is_understood),
	cmocka_unit_test(test_a_wrong_checksum_is_bad),
	cmocka_unit_test(test_checksums_are_one_and_whole),
	cmocka_unit_test(test_tlvs_are_skipped_but_whole),
	cmocka_unit_test(test_a_proxy_may_speak_for_itself),
	cmocka_unit_test(test_a_unix_socket_has_no_ip_address),
	cmocka_unit_test(test_other_binary_headers_are_bad),
	cmocka_unit_test(test_it_is_no_longer_than_allowed),
	cmocka_unit_test(test_it_may_come_byte_by_byte),
};

SUITE_MAIN(tests);
