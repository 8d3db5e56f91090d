/* SPDX-License-Identifier: MIT */
/*
 * test_origin.c - who worker/access/origin.h lets in: tables of requests and verdicts.
 *
 * Every request goes through the parser, as in the worker.  Lists of allowed
 * origins and hosts are written as one string with spaces.
 */

#include "tests/support/suite.h"

#include "worker/access/origin.h"

#include <stdio.h>
#include <string.h>

struct check {
	const char *origin; /* NULL: no such line */
	const char *host;   /* NULL: an HTTP/1.0 request without one */
	enum origin_verdict wanted;
};

struct listed_check {
	const char *list;
	struct check check;
};

/* Split a list at its spaces into text, which must outlive the config. */
static size_t
split(const char *list, char *text, const char **entries)
{
	char *rest = text, *entry;
	size_t count = 0;

	strcpy(text, list);
	while ((entry = strsep(&rest, " ")) != NULL)
		if (*entry != '\0')
			entries[count++] = entry;
	return count;
}

static void
parse(char *head, size_t size, const struct check *check,
    struct http_request *req)
{
	size_t scanned = 0;
	int len =
	    snprintf(head, size, "GET /ws HTTP/1.%d\r\n", check->host != NULL);

	if (check->host != NULL)
		len += snprintf(head + len, size - (size_t)len, "Host: %s\r\n",
		    check->host);
	if (check->origin != NULL)
		len += snprintf(head + len, size - (size_t)len,
		    "oRIGIN: %s\r\n", check->origin);
	len += snprintf(head + len, size - (size_t)len, "\r\n");
	assert_int_equal(
	    http_parse_request(head, (size_t)len, size, &scanned, req),
	    HTTP_OK);
}

static void
expect(const struct check *check, enum origin_verdict got, const char *list)
{
	if (got != check->wanted)
		fail_msg("Origin %s at Host %s, allowed '%s': %d, not %d",
		    check->origin != NULL ? check->origin : "(none)",
		    check->host != NULL ? check->host : "(none)", list, got,
		    check->wanted);
}

static void
expect_origin(const char *allow_origin, const struct check *check)
{
	struct config config = { 0 };
	struct http_request req;
	char head[1024], text[256];

	config.allow_origin_count =
	    split(allow_origin, text, config.allow_origin);
	parse(head, sizeof(head), check, &req);
	expect(check, origin_check(&config, &req), allow_origin);
}

static void
expect_host(const char *allow_origin, const char *allow_host, bool loopback,
    const struct check *check)
{
	struct config config = { 0 };
	struct http_request req;
	char head[1024], origins[256], hosts[256];

	config.allow_origin_count =
	    split(allow_origin, origins, config.allow_origin);
	config.allow_host_count = split(allow_host, hosts, config.allow_host);
	parse(head, sizeof(head), check, &req);
	expect(check, origin_check_host(&config, &req, loopback), allow_host);
}

static void
test_without_an_origin_anybody_may(void **state)
{
	(void)state;
	expect_origin("", &(struct check){ NULL, "any.example", ORIGIN_OK });
	expect_origin("", &(struct check){ NULL, "", ORIGIN_OK });
	expect_origin("", &(struct check){ NULL, NULL, ORIGIN_OK });
	expect_origin("https://listed.example",
	    &(struct check){ NULL, "any.example", ORIGIN_OK });
}

static void
test_our_own_page_may(void **state)
{
	static const struct check checks[] = {
		{ "http://chat.example", "chat.example", ORIGIN_OK },
		{ "http://chat.example:8000", "chat.example:8000", ORIGIN_OK },
		{ "http://CHAT.example", "chat.EXAMPLE", ORIGIN_OK },
		{ "HTTP://chat.example", "chat.example", ORIGIN_OK },
		{ "http://chat.example.", "chat.example", ORIGIN_OK },
		{ "http://chat.example:", "chat.example:", ORIGIN_OK },
		{ "http://192.0.2.1:8000", "192.0.2.1:8000", ORIGIN_OK },
		{ "http://[2001:db8::1]:8000", "[2001:db8::1]:8000",
		    ORIGIN_OK },
		{ "http://[2001:DB8:0::1]", "[2001:db8::1]", ORIGIN_OK },
		{ "http://xn--bcher-kva.example", "xn--bcher-kva.example",
		    ORIGIN_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin("", &checks[i]);
}

/* ws4py and others say where they connect to, not where they come from. */
static void
test_the_url_of_the_websocket_is_our_own(void **state)
{
	static const struct check checks[] = {
		{ "ws://chat.example:8000", "chat.example:8000", ORIGIN_OK },
		{ "ws://chat.example", "chat.example", ORIGIN_OK },
		{ "wss://chat.example", "chat.example:443", ORIGIN_OK },
		{ "ws://chat.example", "chat.example:8000", ORIGIN_FOREIGN },
		{ "ws://evil.example", "chat.example", ORIGIN_FOREIGN },
		{ "ws://", "chat.example", ORIGIN_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin("", &checks[i]);
}

/* A proxy that ends TLS passes Host on; the scheme only gives the port. */
static void
test_behind_a_proxy_with_https(void **state)
{
	static const struct check checks[] = {
		{ "https://chat.example", "chat.example", ORIGIN_OK },
		{ "https://chat.example", "chat.example:443", ORIGIN_OK },
		{ "https://chat.example:443", "chat.example", ORIGIN_OK },
		{ "https://chat.example:8443", "chat.example:8443", ORIGIN_OK },
		{ "http://chat.example:80", "chat.example", ORIGIN_OK },
		{ "http://chat.example", "chat.example:80", ORIGIN_OK },
		/* without proxy_set_header Host */
		{ "https://chat.example", "127.0.0.1:8000", ORIGIN_FOREIGN },
		{ "https://chat.example", "chat.example:80", ORIGIN_FOREIGN },
		{ "http://chat.example", "chat.example:443", ORIGIN_FOREIGN },
		{ "https://chat.example:80", "chat.example", ORIGIN_FOREIGN },
		{ "https://chat.example", "chat.example:8000", ORIGIN_FOREIGN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin("", &checks[i]);
}

static void
test_other_pages_may_not(void **state)
{
	static const struct check checks[] = {
		{ "http://evil.example", "chat.example", ORIGIN_FOREIGN },
		{ "http://chat.example:8001", "chat.example:8000",
		    ORIGIN_FOREIGN },
		{ "http://chat.example", "chat.example:8000", ORIGIN_FOREIGN },
		{ "http://chat.example:8000", "chat.example", ORIGIN_FOREIGN },
		{ "http://www.chat.example", "chat.example", ORIGIN_FOREIGN },
		{ "http://example", "chat.example", ORIGIN_FOREIGN },
		{ "http://chat.example.evil.example", "chat.example",
		    ORIGIN_FOREIGN },
		{ "http://evilchat.example", "chat.example", ORIGIN_FOREIGN },
		{ "http://chat.exampl", "chat.example", ORIGIN_FOREIGN },
		{ "http://[2001:db8::2]", "[2001:db8::1]", ORIGIN_FOREIGN },
		{ "http://192.0.2.2", "192.0.2.1", ORIGIN_FOREIGN },
		{ "http://evil.example", "localhost:8000", ORIGIN_FOREIGN },
		{ "http://localhost:8000", "chat.example:8000",
		    ORIGIN_FOREIGN },
		{ "http://chat.example", "", ORIGIN_FOREIGN },
		{ "http://chat.example", NULL, ORIGIN_FOREIGN },
		/* the same name in another scheme is another program's */
		{ "chrome-extension://chat.example", "chat.example",
		    ORIGIN_FOREIGN },
		{ "ftp://chat.example", "chat.example", ORIGIN_FOREIGN },
		{ "app://localhost:80", "localhost:80", ORIGIN_FOREIGN },
		{ "file://", "chat.example", ORIGIN_FOREIGN },
		{ "file://", "", ORIGIN_FOREIGN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin("", &checks[i]);
}

static void
test_loopback_names_count_as_one(void **state)
{
	static const char *const names[] = { "localhost", "LocalHost",
		"localhost.", "chat.localhost", "a.b.localhost", "127.0.0.1",
		"127.255.0.9", "[::1]", "[0:0:0:0:0:0:0:1]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]" };
	char origin[64], host[64];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		for (size_t j = 0; j < COUNT(names); j++) {
			struct check check = { origin, host, ORIGIN_OK };

			snprintf(
			    origin, sizeof(origin), "http://%s:8000", names[i]);
			snprintf(host, sizeof(host), "%s:8000", names[j]);
			expect_origin("", &check);
		}
		expect_host(
		    "", "", true, &(struct check){ NULL, names[i], ORIGIN_OK });
	}
	/* ...but ports are still ports */
	expect_origin("", &(struct check){ "http://localhost:8001",
			      "127.0.0.1:8000", ORIGIN_FOREIGN });
	expect_origin("", &(struct check){ "http://localhost", "127.0.0.1:8000",
			      ORIGIN_FOREIGN });
}

static void
test_null_only_if_listed(void **state)
{
	static const struct listed_check checks[] = {
		{ "", { "null", "chat.example", ORIGIN_OPAQUE } },
		{ "", { "null", "null", ORIGIN_OPAQUE } },
		{ "", { "null", "", ORIGIN_OPAQUE } },
		{ "https://a.example",
		    { "null", "chat.example", ORIGIN_OPAQUE } },
		{ "https://a.example null",
		    { "null", "chat.example", ORIGIN_OK } },
		{ "null", { "http://null", "chat.example", ORIGIN_FOREIGN } },
		{ "null", { "NULL", "chat.example", ORIGIN_MALFORMED } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin(checks[i].list, &checks[i].check);
}

static void
test_listed_origins_may(void **state)
{
	static const char host[] = "chat.example:8000";
	static const struct listed_check checks[] = {
		{ "https://a.example", { "https://a.example", host, 0 } },
		{ "https://a.example", { "https://A.example:443", host, 0 } },
		{ "https://a.example:443", { "https://a.example", host, 0 } },
		{ "HTTPS://A.Example/", { "https://a.example", host, 0 } },
		{ "http://b.example https://a.example",
		    { "https://a.example", host, 0 } },
		{ "http://[2001:db8:0::1]:80",
		    { "http://[2001:db8::1]", host, 0 } },
		{ "http://localhost:5173",
		    { "http://127.0.0.1:5173", host, 0 } },
		{ "chrome-extension://abcdefgh",
		    { "chrome-extension://abcdefgh", host, 0 } },
		{ "capacitor://localhost",
		    { "capacitor://localhost", host, 0 } },
		{ "file://", { "file://", host, 0 } },
		{ "file:///", { "file://", host, 0 } },
		{ "tauri://localhost/", { "tauri://localhost", host, 0 } },
		/* our own page still may */
		{ "https://a.example",
		    { "http://chat.example:8000", host, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin(checks[i].list, &checks[i].check);
}

static void
test_what_only_resembles_a_listed_origin_may_not(void **state)
{
	static const char *const origins[] = { "http://a.example",
		"http://a.example:443", "https://a.example:8443",
		"https://b.example", "https://x.a.example",
		"https://a.example.b", "wss://a.example", "https://aaexample" };

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++)
		expect_origin("https://a.example",
		    &(struct check){ origins[i], "c", ORIGIN_FOREIGN });
	expect_origin("chrome-extension://abcd",
	    &(struct check){ "chrome-extension://abce", "c", ORIGIN_FOREIGN });
	expect_origin("chrome-extension://abcd",
	    &(struct check){ "moz-extension://abcd", "c", ORIGIN_FOREIGN });
	expect_origin("a.example", /* no origin: matches nothing */
	    &(struct check){ "https://a.example", "c", ORIGIN_FOREIGN });
	expect_origin("https://*.example",
	    &(struct check){ "https://a.example", "c", ORIGIN_FOREIGN });
	expect_origin("file://",
	    &(struct check){ "http://a.example", "c", ORIGIN_FOREIGN });
}

static void
test_a_star_allows_all_origins(void **state)
{
	static const struct check checks[] = {
		{ "http://evil.example", "chat.example", ORIGIN_OK },
		{ "chrome-extension://abc", "chat.example", ORIGIN_OK },
		{ "null", "chat.example", ORIGIN_OK },
		{ "not an origin", "chat.example", ORIGIN_MALFORMED },
		{ "*", "chat.example", ORIGIN_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_origin("https://a.example *", &checks[i]);
}

static void
test_malformed_origins_are_refused(void **state)
{
	static const char *const origins[] = { "", "chat.example",
		"chat.example:8000", "//chat.example", "://chat.example",
		"http:chat.example", "http:/chat.example", "http://",
		"http:///", "https://:8000", "http://chat.example/",
		"http://chat.example/path", "http://chat.example?q",
		"http://chat.example#f", "http://me@chat.example",
		"http://chat.example@evil.example", "http://chat.example:x",
		"http://chat.example:80800", "http://chat.example:-1",
		"http://chat.example:+80",
		"http://chat.example http://chat.example",
		"http://chat.example, http://chat.example",
		"http://chat.example,null", "http://[::1", "http://::1",
		"http://[::1]]", "http://[]", "http://[1::2::3]",
		"http://[chat.example]", "http://[fe80::1%25eth0]",
		"http://chat_example\\", "1http://chat.example",
		"ht tp://chat.example", "http://chat.ex\xc3\xa4mple",
		"http://%63hat.example", "app://chat.example/path",
		"app://me@chat.example", "file:///index.html", "http://.",
		"http:// chat.example" };

	(void)state;
	for (size_t i = 0; i < COUNT(origins); i++)
		expect_origin("", &(struct check){ origins[i], "chat.example",
				      ORIGIN_MALFORMED });
}

static void
test_two_origins_are_refused(void **state)
{
	static const char own[] = "http://chat.example";
	static const char *const pairs[][2] = { { own, own },
		{ own, "http://evil.example" }, { "http://evil.example", own },
		{ own, "" }, { "null", own } };
	char both[128];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct check check = { both, "chat.example", ORIGIN_TWICE };

		snprintf(both, sizeof(both), "%s\r\nOrigin: %s", pairs[i][0],
		    pairs[i][1]);
		expect_origin("", &check);
		expect_origin("* null", &check);
	}
}

/* A foreign name that leads to 127.0.0.1: Origin and Host agree. */
static void
test_rebinding_is_refused_on_loopback(void **state)
{
	static const char *const hosts[] = { "evil.example",
		"evil.example:8000", "localhost.evil.example",
		"127.0.0.1.evil.example", "evillocalhost", "localhosts",
		".localhost", "192.168.0.1:8000", "0.0.0.0:8000", "[::]:8000",
		"[::2]", "[::ffff:192.0.2.1]", "[2001:db8::7f00:1]",
		"128.0.0.1", "1270.0.1", "127.1", "[fe80::1]", "[127.0.0.1]",
		"localhost:80800", "." };

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct check check = { NULL, hosts[i], ORIGIN_HOST_FOREIGN };

		expect_host("", "", true, &check);
		check.wanted = ORIGIN_OK;
		expect_host("", "", false, &check);
	}
	/* the other check alone would let it in */
	expect_origin("", &(struct check){ "http://evil.example:8000",
			      "evil.example:8000", ORIGIN_OK });
}

static void
test_any_port_of_a_loopback_name_is_ours(void **state)
{
	static const char *const hosts[] = { "localhost", "localhost:1",
		"127.0.0.1:65535", "[::1]:8000", "room.localhost:8000",
		"localhost:" };

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++)
		expect_host(
		    "", "", true, &(struct check){ NULL, hosts[i], ORIGIN_OK });
}

static void
test_a_host_must_be_named_on_loopback(void **state)
{
	(void)state;
	expect_host(
	    "", "", true, &(struct check){ NULL, "", ORIGIN_HOST_FOREIGN });
	expect_host("", "", true, &(struct check){ NULL, NULL, ORIGIN_OK });
	expect_host("", "", false, &(struct check){ NULL, "", ORIGIN_OK });
}

static void
test_allowed_hosts_are_ours(void **state)
{
	static const struct {
		const char *origins, *hosts;
		struct check check;
	} checks[] = {
		{ "", "chat.example", { NULL, "chat.example", ORIGIN_OK } },
		{ "", "Chat.Example", { NULL, "chat.example.:99", ORIGIN_OK } },
		{ "", "a b chat.example", { NULL, "chat.example", ORIGIN_OK } },
		{ "", "[2001:db8:0::1]", { NULL, "[2001:db8::1]", ORIGIN_OK } },
		{ "", "*", { NULL, "any.example", ORIGIN_OK } },
		{ "https://chat.example", "",
		    { NULL, "chat.example:8000", ORIGIN_OK } },
		{ "null https://chat.example:8443/", "",
		    { NULL, "chat.example", ORIGIN_OK } },
		{ "", "chat.example",
		    { NULL, "x.chat.example", ORIGIN_HOST_FOREIGN } },
		{ "", "chat.example", { NULL, "", ORIGIN_HOST_FOREIGN } },
		{ "https://chat.example", "",
		    { NULL, "evil.example", ORIGIN_HOST_FOREIGN } },
		{ "null", "", { NULL, "null", ORIGIN_HOST_FOREIGN } },
		{ "file://", "", { NULL, ".", ORIGIN_HOST_FOREIGN } },
		/* which pages may is one thing, under which name another */
		{ "*", "", { NULL, "evil.example", ORIGIN_HOST_FOREIGN } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++)
		expect_host(
		    checks[i].origins, checks[i].hosts, true, &checks[i].check);
	expect_origin("", &(struct check){ "https://evil.example",
			      "chat.example", ORIGIN_FOREIGN });
}

/* In the absolute form the target's host counts, with or without a Host. */
static void
expect_target_counts(const char *head)
{
	struct config config = { 0 };
	struct http_request req;
	size_t scanned = 0;

	assert_int_equal(http_parse_request(
			     head, strlen(head), HTTP_HEAD_MAX, &scanned, &req),
	    HTTP_OK);
	assert_int_equal(
	    origin_check_host(&config, &req, true), ORIGIN_HOST_FOREIGN);
	assert_int_equal(origin_check(&config, &req), ORIGIN_FOREIGN);
}

static void
test_the_host_of_an_absolute_target_counts(void **state)
{
	(void)state;
	expect_target_counts("GET http://evil.example/ws HTTP/1.1\r\n"
			     "Host: localhost\r\n"
			     "Origin: http://localhost\r\n\r\n");
	expect_target_counts("GET http://evil.example/ws HTTP/1.0\r\n"
			     "Origin: http://localhost\r\n\r\n");
}

/* What Sec-Fetch-Site says counts only where there is no Origin. */
static void
test_blind_is_who_does_not_say_which_site(void **state)
{
	static const struct {
		const char *lines;
		bool blind;
	} cases[] = {
		{ "", false },
		{ "Sec-Fetch-Site: none\r\n", false },
		{ "Sec-Fetch-Site: same-origin\r\n", false },
		{ "Sec-Fetch-Site: same-site\r\n", true },
		{ "Sec-Fetch-Site: cross-site\r\n", true },
		{ "Sec-Fetch-Site: of-tomorrow\r\n", true },
		{ "Sec-Fetch-Site:\r\n", true },
		{ "Origin: null\r\nSec-Fetch-Site: cross-site\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request req;
		size_t scanned = 0;
		char head[256];

		snprintf(head, sizeof(head),
		    "GET / HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
		    cases[i].lines);
		assert_int_equal(http_parse_request(head, strlen(head),
				     HTTP_HEAD_MAX, &scanned, &req),
		    HTTP_OK);
		assert_int_equal(origin_is_blind(&req), cases[i].blind);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_without_an_origin_anybody_may),
	cmocka_unit_test(test_our_own_page_may),
	cmocka_unit_test(test_the_url_of_the_websocket_is_our_own),
	cmocka_unit_test(test_behind_a_proxy_with_https),
	cmocka_unit_test(test_other_pages_may_not),
	cmocka_unit_test(test_loopback_names_count_as_one),
	cmocka_unit_test(test_null_only_if_listed),
	cmocka_unit_test(test_listed_origins_may),
	cmocka_unit_test(test_what_only_resembles_a_listed_origin_may_not),
	cmocka_unit_test(test_a_star_allows_all_origins),
	cmocka_unit_test(test_malformed_origins_are_refused),
	cmocka_unit_test(test_two_origins_are_refused),
	cmocka_unit_test(test_rebinding_is_refused_on_loopback),
	cmocka_unit_test(test_any_port_of_a_loopback_name_is_ours),
	cmocka_unit_test(test_a_host_must_be_named_on_loopback),
	cmocka_unit_test(test_allowed_hosts_are_ours),
	cmocka_unit_test(test_the_host_of_an_absolute_target_counts),
	cmocka_unit_test(test_blind_is_who_does_not_say_which_site),
};

SUITE_MAIN(tests);
