/* SPDX-License-Identifier: MIT */
/* test_url.c - what common/url.h promises. */

#include "common/url.h"
#include "tests/support/suite.h"

#include <string.h>

static struct url url;

static void
test_both_spellings_name_one_place(void **state)
{
	static const struct {
		const char *text, *authority, *host, *port, *base, *endpoint;
	} urls[] = {
		{ "ws://localhost:8000/ws", "localhost:8000", "localhost",
		    "8000", "", "/ws" },
		{ "http://localhost:8000", "localhost:8000", "localhost",
		    "8000", "", "/ws" },
		{ "http://a.b/", "a.b", "a.b", "80", "", "/ws" },
		{ "ws://a.b", "a.b", "a.b", "80", "", "/ws" },
		{ "WS://a.b/", "a.b", "a.b", "80", "", "/ws" },
		{ "ws://[::1]:81/ws", "[::1]:81", "::1", "81", "", "/ws" },
		{ "http://h:1/chat", "h:1", "h", "1", "/chat", "/chat/ws" },
		{ "http://h:1/chat/", "h:1", "h", "1", "/chat", "/chat/ws" },
		{ "ws://h:1/chat/ws", "h:1", "h", "1", "/chat", "/chat/ws" },
		{ "wss://h/ws", "h", "h", "443", "", "/ws" },
		{ "HTTPS://h:1/a", "h:1", "h", "1", "/a", "/a/ws" },
		{ "ws://h:1/socket", "h:1", "h", "1", "", "/socket" },
		{ "ws://h/ws?buffer=9", "h", "h", "80", "", "/ws?buffer=9" },
		{ "ws://h/ws?a=/b", "h", "h", "80", "", "/ws?a=/b" },
		{ "ws://h?buffer=9", "h", "h", "80", "", "/ws?buffer=9" },
		{ "http://h?buffer=9", "h", "h", "80", "", "/ws?buffer=9" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		assert_null(url_parse(&url, urls[i].text));
		assert_string_equal(url.text, urls[i].text);
		assert_string_equal(url.authority, urls[i].authority);
		assert_string_equal(url.host, urls[i].host);
		assert_string_equal(url.port, urls[i].port);
		assert_string_equal(url.base, urls[i].base);
		assert_string_equal(url.endpoint, urls[i].endpoint);
	}
}

static void
test_a_unix_socket_is_a_path(void **state)
{
	(void)state;
	assert_null(url_parse(&url, "ws://h:1/a"));
	assert_null(url_parse(&url, "unix:/run/a?b"));
	assert_true(url.is_unix);
	assert_false(url.is_tls);
	assert_string_equal(url.text, "unix:/run/a?b");
	assert_string_equal(url.host, "/run/a?b");
	assert_string_equal(url.authority, "localhost");
	assert_string_equal(url.base, "");
	assert_string_equal(url.endpoint, "/ws");
	assert_non_null(url_parse(&url, "unix:run/a"));
	assert_null(url_parse(&url, "ws://h:1/a"));
	assert_false(url.is_unix);
}

static void
test_the_rest_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} urls[] = {
		{ "", "must be ws://" },
		{ "localhost:8000", "must be ws://" },
		{ "ftp://a", "must be ws://" },
		{ "wss:/a", "must be ws://" },
		{ "https:a", "must be ws://" },
		{ "ws://", "has no host" },
		{ "ws:///ws", "has no host" },
		{ "ws://:8000/ws", "has no host" },
		{ "ws://a:b/ws", "has no host" },
		{ "ws://a:123456/ws", "has no host" },
		{ "ws://user@a/ws", "has no host" },
		{ "ws://a b/ws", "has no host" },
		{ "ws://[::1/ws", "has no host" },
		{ "ws://a\r\nX: y/ws", "has no host" },
		{ "ws://a/ws\r\nX: y", "has a character" },
		{ "ws://a/w s", "has a character" },
		{ "ws://a/ws#top", "has a character" },
		{ "ws://a/\xc3\xa9", "has a character" },
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		why = url_parse(&url, urls[i].text);
		if (why == NULL || strstr(why, urls[i].why) != why)
			fail_msg("\"%s\": %s", urls[i].text,
			    why != NULL ? why : "was taken");
	}
}

static void
test_a_long_one_is_cut_nowhere(void **state)
{
	char text[URL_MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	text[URL_MAX] = '\0';
	assert_string_equal(url_parse(&url, text), "is too long");
	text[URL_MAX - 1] = '\0';
	assert_null(url_parse(&url, text));
	assert_int_equal(strlen(url.base), URL_MAX - 1 - 8);
	url_add(&url, "overflow", "close");
	assert_string_equal(
	    url.endpoint + strlen(url.base), "/ws?overflow=close");
}

static void
test_an_option_does_not_overrule_the_urls(void **state)
{
	(void)state;
	assert_null(url_parse(&url, "ws://h/ws?buffer=1"));
	url_add(&url, "overflow", "close");
	assert_string_equal(url.endpoint, "/ws?buffer=1&overflow=close");
	assert_null(url_parse(&url, "ws://h/ws?a=1&overflow=drop"));
	url_add(&url, "overflow", "close");
	assert_string_equal(url.endpoint, "/ws?a=1&overflow=drop");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_both_spellings_name_one_place),
	cmocka_unit_test(test_a_unix_socket_is_a_path),
	cmocka_unit_test(test_the_rest_is_refused),
	cmocka_unit_test(test_a_long_one_is_cut_nowhere),
	cmocka_unit_test(test_an_option_does_not_overrule_the_urls),
};

SUITE_MAIN(tests);
