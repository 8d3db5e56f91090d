/* SPDX-License-Identifier: MIT */
/*
 * test_peer.c - whose a connection through a proxy is (worker/net/peer.h,
 * worker/http/client_address.h): 10.0.0.1 is a proxy that is trusted.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/peer.h"

#include <stdio.h>
#include <string.h>

#define PROXY    0x0a000001 /* 10.0.0.1 */
#define STRANGER 0xc0000201 /* 192.0.2.1 */
#define LOOPBACK 0x7f000001

#define FOR(address) "X-Forwarded-For: " address "\r\n"
#define ANNA         FOR("203.0.113.1")
#define BERT         FOR("203.0.113.2")

static void
start(struct crew *crew)
{
	assert_null(
	    ip_network_parse(&crew->config.trust_proxy[0], "10.0.0.0/8"));
	assert_null(
	    ip_network_parse(&crew->config.trust_proxy[1], "127.0.0.1"));
	crew->config.trust_proxy_count = 2;
	crew->from = PROXY;
	crew_start(crew, 1);
}

/* Ask for something without a body, with these lines. */
static void
ask(struct peer *client, const char *lines)
{
	char request[512];

	snprintf(request, sizeof(request),
	    "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n%s\r\n", lines);
	peer_send_string(client, request);
	crew_run(client->crew);
}

/* A connection with its first request. */
static struct peer *
come(struct crew *crew, const char *lines)
{
	struct peer *client = peer_connect(crew, 0, 0);

	ask(client, lines);
	return client;
}

static void
leave(struct peer **client)
{
	struct crew *crew = (*client)->crew;

	peer_close(client);
	crew_run(crew);
}

static void
test_each_client_of_a_proxy_has_its_own_share(void **state)
{
	struct crew *crew = *state;
	struct peer *anna, *bert, *again;

	crew->config.max_conns_per_address = 1;
	start(crew);
	anna = come(crew, ANNA);
	peer_expect_status(anna, 200);
	bert = come(crew, BERT);
	peer_expect_status(bert, 200);
	again = come(crew, ANNA);
	peer_expect_status(again, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_ADDRESS), 1);
	leave(&again);
	leave(&anna);
	again = come(crew, ANNA);
	peer_expect_status(again, 200);
	leave(&again);
	leave(&bert);
}

/* Until then nobody knows for whom it will be. */
static void
test_a_connection_counts_for_nobody_before_its_request(void **state)
{
	struct crew *crew = *state;
	struct peer *waiting[5], *anna;

	crew->config.max_conns_per_address = 1;
	crew->config.conn_rate = 1;
	start(crew);
	for (size_t i = 0; i < COUNT(waiting); i++)
		waiting[i] = peer_connect(crew, 0, 0);
	anna = come(crew, ANNA);
	peer_expect_status(anna, 200);
	for (size_t i = 0; i < COUNT(waiting); i++)
		leave(&waiting[i]);
	leave(&anna);
}

/* A proxy keeps its connections, and uses them for whoever comes. */
static void
test_a_kept_connection_goes_from_one_client_to_the_next(void **state)
{
	struct crew *crew = *state;
	struct peer *first, *second;
	char text[IP_TEXT_MAX];

	crew->config.max_conns_per_address = 1;
	crew->config.conn_rate = 1;
	start(crew);
	first = come(crew, ANNA);
	peer_expect_status(first, 200);
	assert_string_equal(peer_format(first->conn, text), "203.0.113.1");
	for (int i = 0; i < 5; i++) {
		ask(first, BERT);
		peer_expect_status(first, 200);
		ask(first, ANNA);
		peer_expect_status(first, 200);
	}
	ask(first, BERT);
	peer_expect_status(first, 200);
	assert_string_equal(peer_format(first->conn, text), "203.0.113.2");
	second = come(crew, BERT);
	peer_expect_status(second, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_CONN_RATE_WAITS), 0);
	leave(&second);
	leave(&first);
}

static void
test_new_ones_of_a_client_wait_for_its_rate(void **state)
{
	struct crew *crew = *state;
	struct peer *anna[2], *bert;

	crew->config.conn_rate = 1;
	start(crew);
	anna[0] = come(crew, ANNA);
	peer_expect_status(anna[0], 200);
	anna[1] = peer_connect(crew, 0, 0);
	peer_hold(anna[1]);
	ask(anna[1], ANNA);
	ask(anna[1], ANNA); /* pipelined */
	peer_release(anna[1]);
	crew_run(crew);
	assert_int_equal(anna[1]->conn->paused, PAUSE_RATE);
	assert_int_equal(peer_receive(anna[1]), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_CONN_RATE_WAITS), 1);
	bert = come(crew, BERT);
	peer_expect_status(bert, 200);
	crew_ticks(crew, 0, 1000 / WHEEL_TICK_MS + 1);
	peer_expect_status(anna[1], 200);
	peer_expect_status(anna[1], 200);
	assert_int_equal(crew_stat(crew, 0, STATS_CONN_RATE_WAITS), 1);
	leave(&anna[0]);
	leave(&anna[1]);
	leave(&bert);
}

static void
test_too_many_new_ones_of_a_client_are_refused(void **state)
{
	struct crew *crew = *state;
	struct peer *anna[8];

	crew->config.conn_rate = 1;
	start(crew);
	for (size_t i = 0; i < COUNT(anna); i++)
		anna[i] = come(crew, ANNA);
	peer_expect_status(anna[7], 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_CONN_RATE), 2);
	for (size_t i = 0; i < COUNT(anna); i++)
		leave(&anna[i]);
}

/* An event stream must not be told an error that would end it for good. */
static void
test_a_stream_is_refused_as_a_stream(void **state)
{
	struct crew *crew = *state;
	struct peer *anna, *stream;

	crew->config.max_conns_per_address = 1;
	start(crew);
	anna = come(crew, ANNA);
	stream = peer_connect(crew, 0, 0);
	peer_send_string(stream,
	    "GET /topics/a/events HTTP/1.1\r\nHost: localhost\r\n" ANNA "\r\n");
	crew_run(crew);
	peer_expect_status(stream, 200);
	assert_non_null(
	    memmem(stream->got, stream->len, "retry:", strlen("retry:")));
	leave(&stream);
	leave(&anna);
}

static void
test_a_websocket_stays_its_client_s(void **state)
{
	struct crew *crew = *state;
	struct peer *anna = NULL, *again;

	crew->config.max_conns_per_address = 1;
	start(crew);
	anna = peer_connect(crew, 0, 0);
	peer_send_string(anna, "GET /ws?topic=a HTTP/1.1\r\nHost: localhost\r\n"
			       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
			       "Sec-WebSocket-Version: 13\r\n" ANNA "\r\n");
	crew_run(crew);
	peer_expect_status(anna, 101);
	again = come(crew, ANNA);
	peer_expect_status(again, 503);
	peer_publish(anna, "a", "hello");
	crew_run(crew);
	peer_receive(anna);
	peer_expect(anna, "hello");
	leave(&again);
	leave(&anna);
}

static void
test_others_are_not_believed(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two;

	crew->config.max_conns_per_address = 1;
	start(crew);
	crew->from = STRANGER;
	one = come(crew, ANNA);
	peer_expect_status(one, 200);
	assert_false(one->conn->proxied);
	two = come(crew, BERT);
	peer_expect_status(two, 503);
	leave(&one);
	leave(&two);
}

/* The proxy's own look whether the server lives. */
static void
test_who_tells_nobody_is_the_client(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two;
	char text[IP_TEXT_MAX];

	crew->config.max_conns_per_address = 1;
	start(crew);
	one = come(crew, "");
	peer_expect_status(one, 200);
	assert_string_equal(peer_format(one->conn, text), "10.0.0.1");
	two = come(crew, "");
	peer_expect_status(two, 503);
	leave(&one);
	leave(&two);
	crew->from = LOOPBACK; /* is exempt */
	one = come(crew, "");
	two = come(crew, "");
	peer_expect_status(two, 200);
	assert_int_equal(crew_stat(crew, 0, STATS_BAD_FORWARDED), 0);
	leave(&one);
	leave(&two);
}

/* A client that makes its proxy tell nonsense must not be exempt for it. */
static void
test_nonsense_counts_for_the_proxy_even_on_loopback(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two;

	crew->config.max_conns_per_address = 1;
	start(crew);
	crew->from = LOOPBACK;
	one = come(crew, FOR("unknown"));
	peer_expect_status(one, 200);
	two = come(crew, ANNA "Forwarded: for=203.0.113.2\r\n");
	peer_expect_status(two, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_BAD_FORWARDED), 2);
	ask(one, ANNA);
	peer_expect_status(one, 200);
	leave(&two);
	two = come(crew, FOR("unknown"));
	peer_expect_status(two, 200);
	leave(&one);
	leave(&two);
}

static void
test_loopback_that_is_told_is_exempt(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two;

	crew->config.max_conns_per_address = 1;
	start(crew);
	one = come(crew, FOR("::1"));
	two = come(crew, FOR("127.0.0.2"));
	peer_expect_status(one, 200);
	peer_expect_status(two, 200);
	leave(&one);
	leave(&two);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, crew_setup, crew_teardown)
	TEST(test_each_client_of_a_proxy_has_its_own_share),
	TEST(test_a_connection_counts_for_nobody_before_its_request),
	TEST(test_a_kept_connection_goes_from_one_client_to_the_next),
	TEST(test_new_ones_of_a_client_wait_for_its_rate),
	TEST(test_too_many_new_ones_of_a_client_are_refused),
	TEST(test_a_stream_is_refused_as_a_stream),
	TEST(test_a_websocket_stays_its_client_s),
	TEST(test_others_are_not_believed),
	TEST(test_who_tells_nobody_is_the_client),
	TEST(test_nonsense_counts_for_the_proxy_even_on_loopback),
	TEST(test_loopback_that_is_told_is_exempt),
};

SUITE_MAIN(tests);
