/* SPDX-License-Identifier: MIT */
/*
 * test_http_header.c - what http.h promises about the pieces of a head:
 * headers, lists, queries, hosts.
 */

#include "common/http.h"
#include "tests/support/suite.h"

#include <string.h>

static struct http_request req;

static const struct http_request *
request_with(const char *version, const char *headers)
{
	static char text[1024];
	size_t scanned = 0;

	strcpy(text, "GET / HTTP/");
	strcat(text, version);
	strcat(text, "\r\nHost: h\r\n");
	strcat(text, headers);
	strcat(text, "\r\n");
	assert_int_equal(http_parse_request(
			     text, strlen(text), sizeof(text), &scanned, &req),
	    HTTP_OK);
	return &req;
}

static struct http_text
text_of(const char *string)
{
	return (struct http_text){ string, strlen(string) };
}

static void
expect_text(const struct http_text *text, const char *wanted)
{
	assert_non_null(text);
	assert_int_equal(text->len, strlen(wanted));
	assert_memory_equal(text->at, wanted, text->len);
}

static void
test_headers_are_found_by_name_in_any_case(void **state)
{
	const struct http_request *r =
	    request_with("1.1", "Origin: a\r\nX-B: c\r\norigin: d\r\n");

	(void)state;
	expect_text(http_header_find(r, "ORIGIN"), "a");
	expect_text(http_header_find(r, "x-b"), "c");
	assert_null(http_header_find(r, "Origi"));
	assert_null(http_header_find(r, "Origin2"));
	assert_int_equal(http_header_count(r, "Origin"), 2);
	assert_int_equal(http_header_count(r, "X-B"), 1);
	assert_int_equal(http_header_count(r, "X-C"), 0);
}

static void
test_tokens_are_found_in_all_lines_of_a_list(void **state)
{
	const struct http_request *r = request_with(
	    "1.1", "Connection: keep-alive,\tUpgrade \r\nConnection: ,,TE\r\n");

	(void)state;
	assert_true(http_header_has_token(r, "connection", "upgrade"));
	assert_true(http_header_has_token(r, "Connection", "Keep-Alive"));
	assert_true(http_header_has_token(r, "Connection", "te"));
	assert_false(http_header_has_token(r, "Connection", "keep"));
	assert_false(http_header_has_token(r, "Connection", ""));
	assert_false(http_header_has_token(r, "Upgrade", "upgrade"));
}

static void
test_exact_members_differ_by_case(void **state)
{
	const struct http_request *r =
	    request_with("1.1", "P: a.v1, b\r\nP: C\r\n");

	(void)state;
	assert_true(http_header_has_exactly(r, "p", "a.v1"));
	assert_true(http_header_has_exactly(r, "p", "C"));
	assert_false(http_header_has_exactly(r, "p", "A.v1"));
	assert_false(http_header_has_exactly(r, "p", "c"));
}

static void
test_what_has_a_weight_of_zero_is_not_accepted(void **state)
{
	static const struct {
		const char *list;
		bool accepts;
	} rows[] = {
		{ "gzip", true },
		{ "br, GZip ;q=0.001, deflate", true },
		{ "gzip;q=1", true },
		{ "gzip;q=0", false },
		{ "gzip; Q=0.000", false },
		{ "gzip ;\tq=0.", false },
		{ "", false },
		{ "identity", false },
		{ "*", false },
		{ "x-gzip", false },
		{ "gzipped", false },
		{ "br;q=0, gzip", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char lines[64];

		snprintf(lines, sizeof(lines), "Accept-Encoding: %s\r\n",
		    rows[i].list);
		if (http_header_accepts(request_with("1.1", lines),
			"Accept-Encoding", "gzip") != rows[i].accepts)
			fail_msg("%s", rows[i].list);
	}
}

static void
test_connections_are_kept_as_the_version_and_the_client_say(void **state)
{
	static const struct {
		const char *version, *headers;
		bool keep;
	} rows[] = {
		{ "1.1", "", true },
		{ "1.1", "Connection: close\r\n", false },
		{ "1.1", "Connection: keep-alive\r\n", true },
		{ "1.1", "Connection: a, CLOSE\r\n", false },
		{ "1.1", "Connection: a\r\nConnection: close\r\n", false },
		{ "1.1", "Connection: closed\r\n", true },
		{ "1.0", "", false },
		{ "1.0", "Connection: Keep-Alive\r\n", true },
		{ "1.0", "Connection: keep-alive, close\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(http_keep_alive(request_with(
				     rows[i].version, rows[i].headers)),
		    rows[i].keep);
}

static void
test_a_list_is_taken_member_by_member(void **state)
{
	struct http_text list = text_of(" a,b c ,, \t,d"), member;

	(void)state;
	assert_true(http_list_next(&list, &member));
	expect_text(&member, "a");
	assert_true(http_list_next(&list, &member));
	expect_text(&member, "b c");
	assert_true(http_list_next(&list, &member));
	expect_text(&member, "d");
	assert_false(http_list_next(&list, &member));
	assert_false(http_list_next(&list, &member));
}

static void
test_a_query_is_taken_pair_by_pair(void **state)
{
	struct http_text query = text_of("topic=a%26b&&flag&x=&=y&k=v=w&f&g");
	struct http_text key, value;
	static const char *const pairs[][2] = { { "topic", "a%26b" },
		{ "flag", "" }, { "x", "" }, { "", "y" }, { "k", "v=w" },
		{ "f", "" }, { "g", "" } };

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		assert_true(http_query_next(&query, &key, &value));
		expect_text(&key, pairs[i][0]);
		expect_text(&value, pairs[i][1]);
	}
	assert_false(http_query_next(&query, &key, &value));
}

static void
test_hosts_are_split(void **state)
{
	static const struct {
		const char *text, *name, *port;
	} rows[] = {
		{ "localhost", "localhost", "" },
		{ "localhost:8000", "localhost", "8000" },
		{ "a_b-c.example.", "a_b-c.example.", "" },
		{ "127.0.0.1:1", "127.0.0.1", "1" },
		{ "azAZ09.~:90", "azAZ09.~", "90" },
		{ "[::1]", "[::1]", "" },
		{ "[0::9:afAF]", "[0::9:afAF]", "" },
		{ "[::ffff:1.2.3.4]:65535", "[::ffff:1.2.3.4]", "65535" },
		{ "a:", "a", "" },
		{ "", "", "" },
	};
	struct http_text text, name, port;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		text = text_of(rows[i].text);
		assert_true(http_host_split(&text, &name, &port));
		expect_text(&name, rows[i].name);
		expect_text(&port, rows[i].port);
	}
}

static void
test_what_is_no_host_is_not_split(void **state)
{
	static const char *const wrong[] = { ":80", "a:b", "a:1:2", "a:123456",
		"a:-1", "a b", "a/", "a,b", "a@b", "a%41", "\xc3\xa9", "[]",
		"[", "[::1", "::1", "[::1]80", "[g::]", "[::1]]", "a[::1]",
		"[::1%25eth0]" };
	struct http_text text, name, port;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		text = text_of(wrong[i]);
		if (http_host_split(&text, &name, &port))
			fail_msg("split: %s", wrong[i]);
	}
}

static void
test_texts_are_compared_whole(void **state)
{
	struct http_text text = text_of("Abc");

	(void)state;
	assert_true(http_text_equal(&text, "Abc"));
	assert_false(http_text_equal(&text, "abc"));
	assert_false(http_text_equal(&text, "Ab"));
	assert_false(http_text_equal(&text, "Abcd"));
	assert_true(http_text_equal_nocase(&text, "aBC"));
	assert_false(http_text_equal_nocase(&text, "ab"));
	assert_false(http_text_equal_nocase(&text, "abcd"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_headers_are_found_by_name_in_any_case),
	cmocka_unit_test(test_tokens_are_found_in_all_lines_of_a_list),
	cmocka_unit_test(test_exact_members_differ_by_case),
	cmocka_unit_test(test_what_has_a_weight_of_zero_is_not_accepted),
	cmocka_unit_test(
	    test_connections_are_kept_as_the_version_and_the_client_say),
	cmocka_unit_test(test_a_list_is_taken_member_by_member),
	cmocka_unit_test(test_a_query_is_taken_pair_by_pair),
	cmocka_unit_test(test_hosts_are_split),
	cmocka_unit_test(test_what_is_no_host_is_not_split),
	cmocka_unit_test(test_texts_are_compared_whole),
};

SUITE_MAIN(tests);
