/* SPDX-License-Identifier: MIT */
/* test_http_response.c - what common/http_response.h promises. */

#include "common/http_response.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static void
expect_head(const struct http_response *response, const char *wanted)
{
	char buf[512];
	size_t len = http_response_head(buf, sizeof(buf), response);

	if (len != strlen(wanted) || memcmp(buf, wanted, len) != 0)
		fail_msg("%.*s", (int)len, buf);
}

static void
test_all_lines_are_written_in_order(void **state)
{
	(void)state;
	expect_head(
	    &(struct http_response){
		.status = 200,
		.date = 784111777,
		.content_type = "text/plain",
		.content_length = 12,
		.keep_alive = true,
		.extra = "ETag: \"a\"\r\nX: y\r\n",
	    },
	    "HTTP/1.1 200 OK\r\n"
	    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "Content-Type: text/plain\r\n"
	    "Content-Length: 12\r\n"
	    "Connection: keep-alive\r\n"
	    "ETag: \"a\"\r\nX: y\r\n\r\n");
}

static void
test_what_is_not_given_is_not_written(void **state)
{
	(void)state;
	expect_head(
	    &(struct http_response){
		.status = 503,
		.content_length = HTTP_LENGTH_UNKNOWN,
	    },
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Connection: close\r\n\r\n");
}

static void
test_an_empty_body_has_its_length_said(void **state)
{
	(void)state;
	expect_head(&(struct http_response){ .status = 404 },
	    "HTTP/1.1 404 Not Found\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n");
}

static void
test_a_response_that_cannot_have_a_body_has_no_length(void **state)
{
	(void)state;
	expect_head(
	    &(struct http_response){ .status = 204, .keep_alive = true },
	    "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
	expect_head(
	    &(struct http_response){ .status = 304, .keep_alive = true },
	    "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
}

static void
test_an_upgrade_is_announced_by_connection(void **state)
{
	(void)state;
	expect_head(
	    &(struct http_response){ .status = 101, .upgrade = "websocket" },
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
	expect_head(
	    &(struct http_response){ .status = 426, .upgrade = "websocket" },
	    "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n"
	    "Connection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

static void
test_a_head_that_does_not_fit_is_none(void **state)
{
	const struct http_response response = { .status = 200,
		.date = 1,
		.content_type = "a/b",
		.content_length = 5,
		.extra = "X: y\r\n" };
	char whole[512];
	size_t len = http_response_head(whole, sizeof(whole), &response);

	(void)state;
	assert_true(len > 0);
	for (size_t size = 0; size <= len + 1; size++) {
		char *buf = malloc(size > 0 ? size : 1);
		size_t n = http_response_head(buf, size, &response);

		assert_int_equal(n, size > len ? len : 0);
		free(buf);
	}
}

static void
test_every_status_in_use_has_a_reason(void **state)
{
	static const int statuses[] = { 101, 200, 204, 304, 400, 403, 404, 405,
		408, 411, 413, 414, 426, 429, 431, 500, 501, 503, 505 };

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++)
		assert_true(strlen(http_reason(statuses[i])) > 0);
	assert_string_equal(http_reason(429), "Too Many Requests");
	assert_string_equal(http_reason(299), "");
}

static void
test_dates_are_written_as_http_has_them(void **state)
{
	static const struct {
		time_t when;
		const char *date;
	} rows[] = {
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ 1700000000, "Tue, 14 Nov 2023 22:13:20 GMT" },
		{ 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ 253402300800, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ -1, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};
	char date[HTTP_DATE_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		http_date(rows[i].when, date);
		assert_string_equal(date, rows[i].date);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_all_lines_are_written_in_order),
	cmocka_unit_test(test_what_is_not_given_is_not_written),
	cmocka_unit_test(test_an_empty_body_has_its_length_said),
	cmocka_unit_test(test_a_response_that_cannot_have_a_body_has_no_length),
	cmocka_unit_test(test_an_upgrade_is_announced_by_connection),
	cmocka_unit_test(test_a_head_that_does_not_fit_is_none),
	cmocka_unit_test(test_every_status_in_use_has_a_reason),
	cmocka_unit_test(test_dates_are_written_as_http_has_them),
};

SUITE_MAIN(tests);
