/* SPDX-License-Identifier: MIT */
/* test_refused.c - what worker/access/refused.h says of whom, and how often. */

#include "common/log.h"
#include "tests/support/suite.h"
#include "worker/access/refused.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A request with this Host and, unless NULL, this Origin. */
static void
parse(const char *host, const char *origin, struct http_request *req)
{
	static char head[4096];
	size_t scanned = 0;
	int len = snprintf(head, sizeof(head),
	    "GET /ws HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n", host,
	    origin != NULL ? "Origin: " : "", origin != NULL ? origin : "",
	    origin != NULL ? "\r\n" : "");

	assert_int_equal(
	    http_parse_request(head, (size_t)len, sizeof(head), &scanned, req),
	    HTTP_OK);
}

static void
test_it_names_what_was_seen_and_what_would_help(void **state)
{
	static const struct {
		const char *host, *origin;
		enum origin_verdict verdict;
		const char *reason;
	} cases[] = {
		{ "push.example:8000", NULL, ORIGIN_HOST_FOREIGN,
		    "this server does not go by the Host push.example "
		    "(--allow-host push.example)" },
		{ "", NULL, ORIGIN_HOST_FOREIGN,
		    "this server does not go by an empty Host "
		    "(--allow-host)" },
		{ "chat.example", "https://evil.example", ORIGIN_FOREIGN,
		    "pages of https://evil.example are not allowed here, where "
		    "the Host is chat.example (--allow-origin "
		    "https://evil.example)" },
		/* proxy_set_header Host $host */
		{ "chat.example", "https://chat.example:8443", ORIGIN_FOREIGN,
		    "pages of https://chat.example:8443 are not allowed here: "
		    "the Host is chat.example, without the port; a proxy must "
		    "pass it on (nginx: proxy_set_header Host $http_host), or "
		    "--allow-origin https://chat.example:8443" },
		{ "chat.example", "file://", ORIGIN_FOREIGN,
		    "pages of file:// are not allowed here, where the Host is "
		    "chat.example (--allow-origin file://)" },
		{ "chat.example", "null", ORIGIN_OPAQUE,
		    "pages without an Origin of their own are not allowed here "
		    "(--allow-origin null)" },
		{ "chat.example", "\"x\\y\t\xc3\xa4", ORIGIN_MALFORMED,
		    "malformed Origin: ?x?y???" },
		{ "chat.example", "a", ORIGIN_TWICE, "more than one Origin" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char reason[REFUSED_REASON_SIZE];
		struct http_request req;

		parse(cases[i].host, cases[i].origin, &req);
		refused_explain(cases[i].verdict, &req, reason);
		assert_string_equal(reason, cases[i].reason);
	}
}

static void
test_long_values_are_cut(void **state)
{
	char origin[2048], reason[REFUSED_REASON_SIZE];
	struct http_request req;

	(void)state;
	memset(origin, 'a', sizeof(origin));
	memcpy(origin, "https://", 8);
	origin[sizeof(origin) - 1] = '\0';
	parse("chat.example", origin, &req);
	refused_explain(ORIGIN_FOREIGN, &req, reason);
	assert_in_range(strlen(reason), 2 * REFUSED_VALUE_MAX, 400);
	assert_non_null(strstr(reason, "--allow-origin https://aaa"));
}

/* Lines in the pipe by now. */
static int
lines_in(int fd)
{
	char text[65536];
	ssize_t n = read(fd, text, sizeof(text));
	int lines = 0;

	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	return lines;
}

static void
test_it_is_counted_always_and_logged_seldom(void **state)
{
	static _Atomic uint64_t counters[STATS_COUNT];
	struct stats stats = { .counters = counters };
	char reason[REFUSED_REASON_SIZE], origin[64];
	struct http_request req;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	log_open("test", fds[1], LOG_INFO);
	for (int i = 0; i < 100; i++) {
		parse("chat.example", "https://one.example", &req);
		refused_report(
		    &stats, ORIGIN_FOREIGN, &req, "192.0.2.1", reason);
	}
	assert_int_equal(lines_in(fds[0]), 1);
	for (int i = 0; i < 500; i++) {
		snprintf(origin, sizeof(origin), "https://x%d.example", i);
		parse("chat.example", origin, &req);
		refused_report(
		    &stats, ORIGIN_FOREIGN, &req, "192.0.2.1", reason);
	}
	/* However slow this is: LOG_BURST for each second that it took. */
	assert_in_range(lines_in(fds[0]), 1, 100);
	assert_int_equal(stats_get(counters, STATS_REFUSED_ORIGIN), 600);
	log_open("test", STDERR_FILENO, LOG_ERROR);
	close(fds[0]);
	close(fds[1]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_it_names_what_was_seen_and_what_would_help),
	cmocka_unit_test(test_long_values_are_cut),
	cmocka_unit_test(test_it_is_counted_always_and_logged_seldom),
};

SUITE_MAIN(tests);
