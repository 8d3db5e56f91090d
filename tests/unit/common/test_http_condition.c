/* SPDX-License-Identifier: MIT */
/* test_http_condition.c - what common/http_condition.h promises. */

#include "common/http.h"
#include "common/http_condition.h"
#include "common/http_response.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

/* The resource was changed at 08:49:37 on 6 November 1994. */
#define MODIFIED 784111777
#define BEFORE   "Sun, 06 Nov 1994 08:49:36 GMT"
#define AT       "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEHIND   "Sun, 06 Nov 1994 08:49:38 GMT"

#define NOW 1800000000 /* in the year 2027 */

#define MET          HTTP_CONDITION_MET
#define NOT_MODIFIED HTTP_CONDITION_NOT_MODIFIED
#define FAILED       HTTP_CONDITION_FAILED

/* Ask with these header lines ("" for none). */
static enum http_condition
check(const struct http_validators *resource, const char *lines)
{
	struct http_request req;
	char head[512];
	size_t scanned = 0;
	int len = snprintf(
	    head, sizeof(head), "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", lines);

	assert_int_equal(
	    http_parse_request(head, (size_t)len, sizeof(head), &scanned, &req),
	    HTTP_OK);
	return http_condition_check(&req, resource, NOW);
}

struct condition_case {
	const char *lines;
	enum http_condition wanted;
};

static void
check_all(const struct http_validators *resource,
    const struct condition_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (check(resource, cases[i].lines) != cases[i].wanted)
			fail_msg("%s", cases[i].lines);
}

static const struct http_validators known = { "\"1-2-3\"", true, MODIFIED };

static void
test_if_none_match(void **state)
{
	static const struct condition_case cases[] = {
		{ "", MET },
		{ "If-None-Match: \"1-2-3\"\r\n", NOT_MODIFIED },
		{ "if-none-match: \"1-2-3\"\r\n", NOT_MODIFIED },
		{ "If-None-Match: W/\"1-2-3\"\r\n", NOT_MODIFIED },
		{ "If-None-Match: *\r\n", NOT_MODIFIED },
		{ "If-None-Match: \"a\", \"1-2-3\" ,W/\"b\"\r\n",
		    NOT_MODIFIED },
		{ "If-None-Match: \"a\"\r\nIf-None-Match: \"1-2-3\"\r\n",
		    NOT_MODIFIED },
		{ "If-None-Match: , ,\"1-2-3\"\r\n", NOT_MODIFIED },
		{ "If-None-Match: \"1-2-4\"\r\n", MET },
		{ "If-None-Match: 1-2-3\r\n", MET },
		{ "If-None-Match: w/\"1-2-3\"\r\n", MET },
		{ "If-None-Match: \"1-2-3\r\n", MET },
		{ "If-None-Match: \"x1-2-3\"\r\n", MET },
		{ "If-None-Match: \"*\"\r\n", MET },
		{ "If-None-Match: \"a\", *\r\n", MET },
		{ "If-None-Match:\r\n", MET },
	};

	(void)state;
	check_all(&known, cases, COUNT(cases));
}

/* A comma cut a tag in two: then a tag inside another one was found. */
static void
test_a_comma_inside_quotes_is_part_of_the_tag(void **state)
{
	static const struct http_validators comma = { "\"a,b\"", false, 0 };
	static const struct condition_case with_comma[] = {
		{ "If-None-Match: \"x\", \"a,b\"\r\n", NOT_MODIFIED },
		{ "If-None-Match: W/\"a,b\",\"x\"\r\n", NOT_MODIFIED },
		{ "If-Match: \"x,y\", \"a,b\"\r\n", MET },
		{ "If-Match: \"a, b\"\r\n", FAILED },
	};
	static const struct condition_case inside[] = {
		{ "If-None-Match: \"x,\"1-2-3\",y\"\r\n", MET },
		/* A backslash is no escape (RFC 9110, 8.8.3). */
		{ "If-None-Match: \"x\\\", \"1-2-3\"\r\n", NOT_MODIFIED },
	};

	(void)state;
	check_all(&comma, with_comma, COUNT(with_comma));
	check_all(&known, inside, COUNT(inside));
}

static void
test_if_match_compares_strongly(void **state)
{
	static const struct condition_case cases[] = {
		{ "If-Match: \"1-2-3\"\r\n", MET },
		{ "If-Match: *\r\n", MET },
		{ "If-Match: \"a\", \"1-2-3\"\r\n", MET },
		{ "If-Match: \"a\"\r\nIf-Match: \"1-2-3\"\r\n", MET },
		{ "If-Match: W/\"1-2-3\"\r\n", FAILED },
		{ "If-Match: \"a\"\r\n", FAILED },
		{ "If-Match: 1-2-3\r\n", FAILED },
		{ "If-Match:\r\n", FAILED },
	};

	(void)state;
	check_all(&known, cases, COUNT(cases));
}

static void
test_times_are_compared(void **state)
{
	static const struct condition_case cases[] = {
		{ "If-Modified-Since: " BEFORE "\r\n", MET },
		{ "If-Modified-Since: " AT "\r\n", NOT_MODIFIED },
		{ "If-Modified-Since: " BEHIND "\r\n", NOT_MODIFIED },
		{ "If-Unmodified-Since: " BEFORE "\r\n", FAILED },
		{ "If-Unmodified-Since: " AT "\r\n", MET },
		{ "If-Unmodified-Since: " BEHIND "\r\n", MET },
		/* What is no time, or two of them, is ignored. */
		{ "If-Modified-Since: yesterday\r\n", MET },
		{ "If-Modified-Since: " AT ", " AT "\r\n", MET },
		{ "If-Modified-Since: " AT "\r\nIf-Modified-Since: " AT "\r\n",
		    MET },
		{ "If-Unmodified-Since: 0\r\n", MET },
		{ "If-Unmodified-Since:\r\n", MET },
	};
	static const struct http_validators timeless = { "\"1-2-3\"", false,
		MODIFIED };

	(void)state;
	check_all(&known, cases, COUNT(cases));
	assert_int_equal(
	    check(&timeless, "If-Modified-Since: " BEHIND "\r\n"), MET);
	assert_int_equal(
	    check(&timeless, "If-Unmodified-Since: " BEFORE "\r\n"), MET);
}

/* RFC 9110, 13.2.2. */
static void
test_tags_win_over_times_and_failures_over_304(void **state)
{
	static const struct condition_case cases[] = {
		{ "If-Match: \"1-2-3\"\r\nIf-Unmodified-Since: " BEFORE "\r\n",
		    MET },
		{ "If-Match: \"a\"\r\nIf-Unmodified-Since: " AT "\r\n",
		    FAILED },
		{ "If-None-Match: \"a\"\r\nIf-Modified-Since: " AT "\r\n",
		    MET },
		{ "If-None-Match: \"1-2-3\"\r\nIf-Modified-Since: " BEFORE
		  "\r\n",
		    NOT_MODIFIED },
		{ "If-None-Match: *\r\nIf-Match: \"a\"\r\n", FAILED },
		{ "If-None-Match: *\r\nIf-Unmodified-Since: " BEFORE "\r\n",
		    FAILED },
		{ "If-None-Match: *\r\nIf-Match: *\r\n", NOT_MODIFIED },
	};

	(void)state;
	check_all(&known, cases, COUNT(cases));
}

static bool
parse(const char *text, time_t *when)
{
	const struct http_text range = { text, strlen(text) };

	return http_date_parse(&range, NOW, when);
}

static void
test_a_time_has_three_formats(void **state)
{
	static const struct {
		const char *text;
		time_t when;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", MODIFIED },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED },
		{ "Sun Nov  6 08:49:37 1994", MODIFIED },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		/* Two digits: 50 years ahead at most, seen from 2027. */
		{ "Friday, 01-Jan-77 00:00:00 GMT", 3376684800 },
		{ "Sunday, 01-Jan-78 00:00:00 GMT", 252460800 },
	};
	time_t when;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(parse(cases[i].text, &when));
		assert_int_equal(when, cases[i].when);
	}
}

static void
test_what_is_no_time_is_said(void **state)
{
	static const char *const cases[] = { "", "0", "Sun, 06 Nov 1994",
		"Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 31 Feb 1994 08:00:00 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT, and more than a time has" };
	const struct http_text with_nul = { AT "\0x", sizeof(AT) + 1 };
	time_t when;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (parse(cases[i], &when))
			fail_msg("%s", cases[i]);
	assert_false(http_date_parse(&with_nul, NOW, &when));
}

static void
test_every_time_that_is_written_is_read(void **state)
{
	char text[HTTP_DATE_SIZE];
	time_t when;

	(void)state;
	for (time_t t = 0; t < 253402300799; t += 86400 * 13 + 4321) {
		http_date(t, text);
		assert_true(parse(text, &when));
		assert_int_equal(when, t);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_if_none_match),
	cmocka_unit_test(test_a_comma_inside_quotes_is_part_of_the_tag),
	cmocka_unit_test(test_if_match_compares_strongly),
	cmocka_unit_test(test_times_are_compared),
	cmocka_unit_test(test_tags_win_over_times_and_failures_over_304),
	cmocka_unit_test(test_a_time_has_three_formats),
	cmocka_unit_test(test_what_is_no_time_is_said),
	cmocka_unit_test(test_every_time_that_is_written_is_read),
};

SUITE_MAIN(tests);
