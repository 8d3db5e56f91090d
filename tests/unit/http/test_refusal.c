/* SPDX-License-Identifier: MIT */
/*
 * test_refusal.c - what a connection is told that is not served, by what it
 * asks.
 *
 * An EventSource that is answered anything but 200 is closed for good: each
 * stream that met a full server, or one that restarted, was lost until somebody
 * loaded the page again.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/http/refusal.h"
#include "worker/http/http_conn.h"

#include <string.h>

#define HEAD(method, path) \
	method " " path " HTTP/1.1\r\nHost: localhost:8000\r\n"
#define EVENTS  HEAD("GET", "/topics/x/events")
#define FOREIGN "Origin: https://evil.example\r\n"

/* A worker that is full already, by *holder. */
static void
start_full(struct crew *crew, struct peer **holder)
{
	crew->config.max_conns = 1;
	crew_start(crew, 1);
	*holder = peer_open(crew, 0, "");
}

/* All that has come, with a NUL behind it. */
static const char *
all_of(struct peer *client)
{
	peer_receive(client);
	client->got = xreallocarray(client->got, client->len + 1, 1);
	client->got[client->len] = '\0';
	return client->got;
}

/* A stream that has ended, with nothing in it but when to come back. */
static void
expect_put_off(struct peer *client)
{
	static const char rest[] = "\n\r\n0\r\n\r\n";
	const char *all = all_of(client);
	unsigned ms;
	int end = 0;

	assert_non_null(strstr(all, "\r\nContent-Type: text/event-stream\r\n"));
	peer_expect_status(client, 200);
	assert_int_equal(
	    sscanf(client->got + client->at, "c\r\nretry: %u%n", &ms, &end), 1);
	assert_in_range(ms, 1000, 5000);
	client->at += (size_t)end;
	assert_memory_equal(client->got + client->at, rest, strlen(rest));
	client->at += strlen(rest);
	peer_expect_nothing(client);
	assert_true(client->eof);
}

static void
expect_error(struct peer *client, int status)
{
	assert_non_null(strstr(all_of(client), "\r\nRetry-After: "));
	peer_expect_status(client, status);
	assert_true(client->eof);
}

/* One more connection, which sends this. */
static struct peer *
come(struct crew *crew, const char *text)
{
	struct peer *client = peer_connect(crew, 0, 0);

	peer_send_string(client, text);
	crew_run(crew);
	return client;
}

static void
test_each_request_is_refused_in_its_way(void **state)
{
	static const struct {
		const char *head;
		bool stream;
	} cases[] = {
		{ EVENTS "\r\n", true },
		{ EVENTS "Origin: http://localhost:8000\r\n\r\n", true },
		{ EVENTS FOREIGN "\r\n", false },
		{ HEAD("POST", "/topics/x/events") "\r\n", false },
		{ HEAD("OPTIONS", "/topics/x/events") "\r\n", false },
		{ HEAD("GET", "/topics/x") "\r\n", false },
		{ HEAD("GET", "/events?topic=x") "\r\n", true },
		{ HEAD("GET", "/event") "\r\n", false },
		{ HEAD("GET", "/") "\r\n", false },
		{ "nonsense\r\n\r\n", false },
	};
	struct crew *crew = *state;
	struct peer *holder, *client;

	start_full(crew, &holder);
	for (size_t i = 0; i < COUNT(cases); i++) {
		client = come(crew, cases[i].head);
		if (cases[i].stream)
			expect_put_off(client);
		else
			expect_error(client, 503);
		peer_close(&client);
		crew_run(crew);
	}
	client = come(crew, peer_handshake(""));
	expect_error(client, 503);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_REFUSED_LIMIT), COUNT(cases) + 1);
	peer_close(&client);
	peer_close(&holder);
}

static void
test_a_head_is_put_off_without_a_stream(void **state)
{
	struct crew *crew = *state;
	struct peer *holder, *client;

	start_full(crew, &holder);
	client = come(crew, HEAD("HEAD", "/topics/x/events") "\r\n");
	peer_expect_status(client, 200);
	peer_expect_nothing(client);
	peer_close(&client);
	peer_close(&holder);
}

/* A page of a listed origin must be able to read it, or its browser takes the
 * answer for an error that is final. */
static void
test_a_page_that_is_allowed_may_read_it(void **state)
{
	static const char *const origins[] = { "https://app.example" };
	struct crew *crew = *state;
	struct peer *holder, *client;

	memcpy(crew->config.allow_origin, origins, sizeof(origins));
	crew->config.allow_origin_count = 1;
	start_full(crew, &holder);
	client = come(crew, EVENTS "Origin: https://app.example\r\n\r\n");
	assert_non_null(strstr(all_of(client),
	    "\r\nAccess-Control-Allow-Origin: https://app.example\r\n"));
	expect_put_off(client);
	peer_close(&client);
	peer_close(&holder);
}

static void
test_a_head_is_waited_for_and_not_for_long(void **state)
{
	struct crew *crew = *state;
	struct peer *holder, *slow, *half, *silent;

	start_full(crew, &holder);
	slow = peer_connect(crew, 0, 0);
	for (const char *at = EVENTS "\r\n"; *at != '\0'; at++) {
		peer_send(slow, at, 1);
		crew_run(crew);
	}
	expect_put_off(slow);
	peer_close(&slow);
	half = come(crew, EVENTS "X-Half: of a line that");
	silent = peer_connect(crew, 0, 0);
	crew_run(crew);
	peer_expect_nothing(half);
	peer_expect_nothing(silent);
	crew_ticks(crew, 0, wheel_ticks(REFUSAL_WAIT_MS) + 1);
	expect_put_off(half);
	expect_error(silent, 503);
	peer_close(&half);
	peer_close(&silent);
	peer_close(&holder);
}

static void
test_no_memory_for_the_rest_of_a_head(void **state)
{
	char filler[3000];
	struct crew *crew = *state;
	struct peer *holder, *client;

	memset(filler, 'x', sizeof(filler));
	crew->config.max_worker_memory = 16u << 10;
	crew_start(crew, 1);
	holder = come(crew, EVENTS "X-Filler: ");
	peer_send(holder, filler, sizeof(filler));
	client = come(crew, EVENTS "X-Filler: ");
	peer_send(client, filler, sizeof(filler));
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 1);
	expect_put_off(client);
	peer_close(&client);
	client = come(crew, HEAD("GET", "/") "X-Filler: ");
	peer_send(client, filler, sizeof(filler));
	crew_run(crew);
	expect_error(client, 503);
	peer_close(&client);
	peer_close(&holder);
}

static void
test_a_head_that_takes_too_long(void **state)
{
	struct crew *crew = *state;
	struct peer *stream, *other;

	crew_start(crew, 1);
	stream = come(crew, EVENTS);
	other = come(crew, HEAD("GET", "/"));
	crew_ticks(crew, 0, wheel_ticks(crew->config.request_ms) + 1);
	expect_put_off(stream);
	peer_receive(other);
	peer_expect_status(other, 408);
	peer_close(&stream);
	peer_close(&other);
}

static void
test_a_drain_puts_streams_off(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	crew->config.drain_ms = 10000;
	crew_start(crew, 2); /* the other has not stopped: nobody is closed */
	crew_order(crew, RUN_DRAIN_RESTART);
	crew_turn(crew, 0);
	client = peer_connect(crew, 0, 0);
	peer_send_string(client, EVENTS "\r\n");
	crew_turn(crew, 0);
	crew_turn(crew, 0);
	expect_put_off(client);
	peer_close(&client);
	crew_order(crew, RUN_QUIT);
}

/* It waits for the lock when the drain has come to its end. */
static void
test_a_subscription_that_was_not_done_is_put_off(void **state)
{
	struct crew *crew = *state;
	struct peer *client;
	pid_t holder;

	crew_start(crew, 1);
	client = peer_connect(crew, 0, 0);
	holder = crew_lock_is_held(crew);
	peer_send_string(client, EVENTS "\r\n");
	CREW_UNTIL(crew, client->conn->requests_pending > 0);
	client->conn->handler->go_away(client->conn, true);
	crew_lock_is_free(holder);
	crew_run(crew);
	expect_put_off(client);
	peer_close(&client);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)
#define MP(test) \
	cmocka_unit_test_setup_teardown(test, crew_mp_setup, crew_mp_teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_request_is_refused_in_its_way),
	T(test_a_head_is_put_off_without_a_stream),
	T(test_a_page_that_is_allowed_may_read_it),
	T(test_a_head_is_waited_for_and_not_for_long),
	T(test_no_memory_for_the_rest_of_a_head),
	T(test_a_head_that_takes_too_long),
	T(test_a_drain_puts_streams_off),
	MP(test_a_subscription_that_was_not_done_is_put_off),
};

SUITE_MAIN(tests);
