/* SPDX-License-Identifier: MIT */
/* test_proxy.c - what worker/net/proxy.h promises. */

#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/peer.h"

#include <stdio.h>
#include <string.h>

#define FROM(address) "PROXY TCP4 " address " 192.0.2.1 56324 443\r\n"
#define ANNA          FROM("203.0.113.1")
#define BERT          FROM("203.0.113.2")
#define ASK           "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define TICKS(ms)     ((ms) / WHEEL_TICK_MS + 1)

static void
start(struct crew *crew)
{
	crew->listener.proxy = true;
	crew->config.max_conns_per_address = 1;
	crew_start(crew, 1);
}

static struct peer *
come(struct crew *crew, const char *text)
{
	struct peer *client = peer_connect(crew, 0, 0);

	peer_send_string(client, text);
	crew_run(crew);
	return client;
}

static void
leave(struct peer **client)
{
	struct crew *crew = (*client)->crew;

	peer_close(client);
	crew_run(crew);
}

/* It was closed without a word. */
static void
expect_closed(struct peer *client)
{
	assert_int_equal(peer_receive(client), 0);
	assert_true(client->eof || client->reset);
}

static void
test_the_header_tells_whose_the_connection_is(void **state)
{
	struct crew *crew = *state;
	struct peer *anna, *bert, *again;
	char text[IP_TEXT_MAX];

	start(crew);
	anna = come(crew, ANNA ASK);
	peer_expect_status(anna, 200);
	assert_string_equal(peer_format(anna->conn, text), "203.0.113.1");
	bert = come(crew, BERT ASK);
	peer_expect_status(bert, 200);
	again = come(crew, ANNA ASK);
	peer_expect_status(again, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_ADDRESS), 1);
	leave(&again);
	leave(&bert);
	leave(&anna);
}

/* However it comes; the request behind it is not touched. */
static void
test_it_may_come_in_pieces(void **state)
{
	static const char all[] = ANNA ASK ASK;
	struct crew *crew = *state;
	struct peer *anna;

	start(crew);
	anna = peer_connect(crew, 0, 0);
	for (size_t i = 0; i < sizeof(all) - 1; i++) {
		peer_send(anna, &all[i], 1);
		crew_run(crew);
	}
	peer_expect_status(anna, 200);
	peer_expect_status(anna, 200);
	assert_int_equal(crew_stat(crew, 0, STATS_BYTES_IN), sizeof(all) - 1);
	leave(&anna);
}

static void
test_without_it_nobody_is_served(void **state)
{
	static const char *const texts[] = { ASK, "\r\n" ANNA ASK,
		"PROXY X\r\n", "\x16\x03\x01", "PROXY TCP4 203.0.113.1 " };
	struct crew *crew = *state;

	start(crew);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct peer *client = come(crew, texts[i]);

		if (i == COUNT(texts) - 1) { /* half of one */
			shutdown(client->fd, SHUT_WR);
			crew_run(crew);
		}
		expect_closed(client);
		leave(&client);
		assert_int_equal(
		    crew_stat(crew, 0, STATS_BAD_PROXY_HEADER), i + 1);
	}
}

static void
test_a_look_at_the_port_is_no_fault(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	start(crew);
	client = peer_connect(crew, 0, 0);
	crew_run(crew);
	leave(&client);
	assert_int_equal(crew_stat(crew, 0, STATS_BAD_PROXY_HEADER), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
}

static void
test_it_has_the_time_of_a_head(void **state)
{
	struct crew *crew = *state;
	struct peer *silent, *half, *late;

	crew->config.request_ms = 1000;
	start(crew);
	silent = peer_connect(crew, 0, 0);
	half = come(crew, "PROXY ");
	late = come(crew, ANNA);
	crew_ticks(crew, 0, TICKS(500));
	peer_send_string(half, "T");
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	crew_ticks(crew, 0, TICKS(600));
	expect_closed(silent);
	expect_closed(half);
	expect_closed(late); /* no second time for its request */
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 3);
	assert_int_equal(crew_stat(crew, 0, STATS_BAD_PROXY_HEADER), 0);
	leave(&silent);
	leave(&half);
	leave(&late);
}

static void
test_it_has_the_length_of_a_head(void **state)
{
	static const char head[16] = "\r\n\r\n\0\r\nQUIT\n\x20\x11\x01\xf1";
	char *text = xcalloc(1, 1024);
	struct crew *crew = *state;
	struct peer *client;

	crew->config.max_head = 512;
	start(crew);
	memcpy(text, head, sizeof(head));
	client = peer_connect(crew, 0, 0);
	peer_send(client, text, 513);
	crew_run(crew);
	expect_closed(client);
	leave(&client);
	assert_int_equal(crew_stat(crew, 0, STATS_BAD_PROXY_HEADER), 1);
	text[15]--;
	client = peer_connect(crew, 0, 0);
	peer_send(client, text, 512);
	peer_send_string(client, ASK);
	crew_run(crew);
	peer_expect_status(client, 200);
	leave(&client);
	free(text);
}

static void
test_a_proxy_that_speaks_for_itself_is_the_client(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two;
	char text[IP_TEXT_MAX];

	start(crew);
	crew->from = 0xc6336401; /* 198.51.100.1 */
	one = come(crew, "PROXY UNKNOWN\r\n" ASK);
	peer_expect_status(one, 200);
	assert_string_equal(peer_format(one->conn, text), "198.51.100.1");
	two = come(crew, "PROXY UNKNOWN\r\n" ASK);
	peer_expect_status(two, 503);
	leave(&two);
	leave(&one);
	crew->from = 0; /* loopback is exempt */
	one = come(crew, "PROXY UNKNOWN\r\n" ASK);
	two = come(crew, "PROXY UNKNOWN\r\n" ASK);
	peer_expect_status(one, 200);
	peer_expect_status(two, 200);
	leave(&two);
	leave(&one);
}

/* A balancer of TCP in front of proxies that speak HTTP. */
static void
test_who_is_told_may_tell_on(void **state)
{
	struct crew *crew = *state;
	struct peer *one, *two, *three;
	char text[IP_TEXT_MAX];

	assert_null(ip_network_parse(
	    &crew->config.trust_proxy[crew->config.trust_proxy_count++],
	    "203.0.113.1"));
	start(crew);
	one = come(crew, ANNA "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n"
			      "X-Forwarded-For: 198.51.100.7\r\n\r\n");
	peer_expect_status(one, 200);
	assert_string_equal(peer_format(one->conn, text), "198.51.100.7");
	two = come(crew, ANNA ASK);
	peer_expect_status(two, 200);
	assert_string_equal(peer_format(two->conn, text), "203.0.113.1");
	three = come(crew, BERT "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n"
				"X-Forwarded-For: 198.51.100.7\r\n\r\n");
	peer_expect_status(three, 200);
	assert_string_equal(peer_format(three->conn, text), "203.0.113.2");
	leave(&three);
	leave(&two);
	leave(&one);
}

static void
test_the_rate_is_that_of_who_is_told(void **state)
{
	struct crew *crew = *state;
	struct peer *anna[2], *bert;

	crew->config.conn_rate = 1;
	start(crew);
	crew->config.max_conns_per_address = 10;
	crew->w[0].config.max_conns_per_address = 10;
	anna[0] = come(crew, ANNA ASK);
	anna[1] = come(crew, ANNA ASK);
	bert = come(crew, BERT ASK);
	peer_expect_status(anna[0], 200);
	peer_expect_status(bert, 200);
	assert_int_equal(peer_receive(anna[1]), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_CONN_RATE_WAITS), 1);
	crew_ticks(crew, 0, TICKS(1000));
	peer_expect_status(anna[1], 200);
	leave(&anna[0]);
	leave(&anna[1]);
	leave(&bert);
}

/* It is told so behind its header, which it may not have sent yet. */
static void
test_a_full_server_says_so(void **state)
{
	struct crew *crew = *state;
	struct peer *first, *second, *silent;

	start(crew);
	crew->w[0].net.conns.max = 1;
	first = come(crew, ANNA ASK);
	peer_expect_status(first, 200);
	second = come(crew, BERT ASK);
	peer_expect_status(second, 503);
	silent = peer_connect(crew, 0, 0);
	crew_ticks(crew, 0, TICKS(2000));
	expect_closed(silent);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_LIMIT), 2);
	leave(&silent);
	leave(&second);
	leave(&first);
}

static bool
has_ended(struct peer *client)
{
	peer_receive(client);
	return client->eof;
}

static void
test_a_drain_does_not_wait_for_it(void **state)
{
	struct crew *crew = *state;
	struct peer *silent, *half;

	crew->listener.proxy = true;
	crew_start_for_drain(crew, 1, 2000);
	silent = peer_connect(crew, 0, 0);
	half = come(crew, "PROXY ");
	crew_order(crew, RUN_DRAIN);
	CREW_UNTIL(crew, has_ended(silent) && has_ended(half));
	assert_int_equal(crew_stat(crew, 0, STATS_CUT), 0);
	leave(&silent);
	leave(&half);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, crew_setup, crew_teardown)
	TEST(test_the_header_tells_whose_the_connection_is),
	TEST(test_it_may_come_in_pieces),
	TEST(test_without_it_nobody_is_served),
	TEST(test_a_look_at_the_port_is_no_fault),
	TEST(test_it_has_the_time_of_a_head),
	TEST(test_it_has_the_length_of_a_head),
	TEST(test_a_proxy_that_speaks_for_itself_is_the_client),
	TEST(test_who_is_told_may_tell_on),
	TEST(test_the_rate_is_that_of_who_is_told),
	TEST(test_a_full_server_says_so),
	TEST(test_a_drain_does_not_wait_for_it),
};

SUITE_MAIN(tests);
