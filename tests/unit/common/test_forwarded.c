/* SPDX-License-Identifier: MIT */
/* test_forwarded.c - what common/forwarded.h promises: 10.0.0.0/8 and 2001:db8::/32
 * are trusted here, the rest is clients. */

#include "common/forwarded.h"
#include "common/http.h"
#include "tests/support/suite.h"

#include <string.h>

#define BAD  "bad"
#define NONE "none"
#define X    "X-Forwarded-For: "
#define F    "Forwarded: "

/* What is found in a request with these header lines: an address, or one of the
 * above. */
static const char *
client(const char *lines)
{
	static char text[IP_TEXT_MAX];
	struct ip_network trusted[2];
	struct http_request req;
	struct ip_address ip;
	char head[4096];
	size_t scanned = 0;
	int len = snprintf(head, sizeof(head),
	    "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", lines);

	assert_null(ip_network_parse(&trusted[0], "10.0.0.0/8"));
	assert_null(ip_network_parse(&trusted[1], "2001:db8::/32"));
	assert_int_equal(
	    http_parse_request(head, (size_t)len, 8192, &scanned, &req),
	    HTTP_OK);
	switch (forwarded_client(&req, trusted, 2, &ip)) {
	case FORWARDED_OK:
		return ip_format(&ip, text);
	case FORWARDED_NONE:
		return NONE;
	case FORWARDED_BAD:
		return BAD;
	}
	fail();
	return NULL;
}

/* Header lines, and who is found. */
struct case_of {
	const char *lines, *client;
};

static void
check(const struct case_of *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_string_equal(client(cases[i].lines), cases[i].client);
}

static void
test_the_last_who_is_not_trusted_is_the_client(void **state)
{
	static const struct case_of cases[] = {
		{ X "203.0.113.9", "203.0.113.9" },
		{ X "198.51.100.1, 203.0.113.9", "203.0.113.9" },
		{ X "198.51.100.1, 203.0.113.9, 10.0.0.7", "203.0.113.9" },
		{ X "203.0.113.9, 10.0.0.7,2001:db8::7", "203.0.113.9" },
		{ X "203.0.113.9,,  , 10.0.0.7, ", "203.0.113.9" },
		{ "x-forwarded-for: 203.0.113.9", "203.0.113.9" },
		/* lines are one list */
		{ X "203.0.113.9\r\nAccept: a\r\n" X "10.0.0.7",
		    "203.0.113.9" },
		{ X "10.0.0.7\r\n" X "203.0.113.9", "203.0.113.9" },
		/* within the proxies: the first */
		{ X "10.0.0.8, 10.0.0.7", "10.0.0.8" },
		{ X "::ffff:10.0.0.8, ::ffff:10.0.0.7", "10.0.0.8" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

/* Whatever a client sends stands in front of what the proxy appends. */
static void
test_what_the_client_has_sent_is_not_looked_at(void **state)
{
	static const struct case_of cases[] = {
		{ X "junk, 203.0.113.9, 10.0.0.7", "203.0.113.9" },
		{ X "\"a, 203.0.113.9", "203.0.113.9" },
		{ X "\"a\r\n" X "203.0.113.9", "203.0.113.9" },
		{ F "for=\", for=203.0.113.9", "203.0.113.9" },
		{ F "for=\"a\\, for=203.0.113.9", "203.0.113.9" },
		{ F "junk;;=,for=203.0.113.9", "203.0.113.9" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_an_address_may_have_a_port_and_brackets(void **state)
{
	static const struct case_of cases[] = {
		{ X "203.0.113.9:1234", "203.0.113.9" },
		{ X "2001:db9::1", "2001:db9::1" },
		{ X "::1", "::1" },
		{ X "[2001:db9::1]", "2001:db9::1" },
		{ X "[2001:db9::1]:1234", "2001:db9::1" },
		{ X "::ffff:203.0.113.9", "203.0.113.9" },
		{ X "203.0.113.9:123456", BAD },
		{ X "203.0.113.9:", BAD },
		{ X "203.0.113.9:a", BAD },
		{ X "[203.0.113.9]", BAD },
		{ X "[2001:db9::1", BAD },
		{ X "[2001:db9::1]1234", BAD },
		{ X "[2001:db9::1]:", BAD },
		{ X "2001:db9::1%eth0", BAD },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_the_standard_header_says_the_same(void **state)
{
	static const struct case_of cases[] = {
		{ F "for=203.0.113.9", "203.0.113.9" },
		{ F "For=\"[2001:db9::1]:4711\"", "2001:db9::1" },
		{ F "for=203.0.113.9;proto=http;by=203.0.113.43",
		    "203.0.113.9" },
		{ F "proto=http; for=203.0.113.9 ; by=10.0.0.1",
		    "203.0.113.9" },
		{ F ";for=203.0.113.9;", "203.0.113.9" },
		{ F "for=203.0.113.9, for=10.0.0.7", "203.0.113.9" },
		{ F "for=203.0.113.9\r\n" F "for=\"[2001:db8::7]\"",
		    "203.0.113.9" },
		{ F "for=\"203.0.113.9:_hidden\"", "203.0.113.9" },
		/* commas, semicolons and escaped quotes within quotes */
		{ F "for=203.0.113.9;host=\"a,for=198.51.100.1\"",
		    "203.0.113.9" },
		{ F "host=\"a;for=198.51.100.1\";for=203.0.113.9",
		    "203.0.113.9" },
		{ F "host=\"a\\\",for=198.51.100.1\";for=203.0.113.9",
		    "203.0.113.9" },
		{ F "host=\"a\\\\\", for=203.0.113.9", "203.0.113.9" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_what_cannot_be_used_is_bad(void **state)
{
	static const struct case_of cases[] = {
		{ X "unknown", BAD },
		{ X "203.0.113.9, unknown", BAD },
		{ X "203.0.113.9, junk, 10.0.0.7", BAD },
		{ X "0.0.0.0", BAD },
		{ X "::", BAD },
		{ X "203.0.113.9 10.0.0.7", BAD },
		{ X "203.0.113.009", BAD },
		{ F "for=unknown", BAD },
		{ F "for=_hidden", BAD },
		{ F "proto=https", BAD },
		{ F "for=203.0.113.9;for=198.51.100.1", BAD },
		{ F "for", BAD },
		{ F "for=", BAD },
		{ F "for=[2001:db9::1]", BAD }, /* needs quotes */
		{ F "for=\"203.0.113.9", BAD },
		{ F "for=\"203.0.113.9\"x", BAD },
		{ F "fo r=203.0.113.9", BAD },
		{ F "203.0.113.9", BAD },
		{ F "for=203.0.113.9;host=a\"b", BAD },
	};

	(void)state;
	check(cases, COUNT(cases));
}

/* A proxy may pass on one of the two as its client has made it up. */
static void
test_two_headers_must_agree(void **state)
{
	static const struct case_of cases[] = {
		{ X "203.0.113.9\r\n" F "for=203.0.113.9", "203.0.113.9" },
		{ X "203.0.113.9:1, 10.0.0.7\r\n" F "for=\"203.0.113.9:2\"",
		    "203.0.113.9" },
		{ X "203.0.113.9\r\n" F "for=198.51.100.1", BAD },
		{ X "198.51.100.1\r\n" F "for=203.0.113.9", BAD },
		{ X "203.0.113.9\r\n" F "for=unknown", BAD },
		{ X "junk\r\n" F "for=203.0.113.9", BAD },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static void
test_nothing_may_be_told(void **state)
{
	static const struct case_of cases[] = {
		{ "Accept: 203.0.113.9", NONE },
		{ X "", NONE },
		{ X " , ,", NONE },
		{ X "\r\n" F "for=203.0.113.9", "203.0.113.9" },
	};

	(void)state;
	check(cases, COUNT(cases));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_last_who_is_not_trusted_is_the_client),
	cmocka_unit_test(test_what_the_client_has_sent_is_not_looked_at),
	cmocka_unit_test(test_an_address_may_have_a_port_and_brackets),
	cmocka_unit_test(test_the_standard_header_says_the_same),
	cmocka_unit_test(test_what_cannot_be_used_is_bad),
	cmocka_unit_test(test_two_headers_must_agree),
	cmocka_unit_test(test_nothing_may_be_told),
};

SUITE_MAIN(tests);
