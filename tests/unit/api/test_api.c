/* SPDX-License-Identifier: MIT */
/*
 * test_api.c - the HTTP interface within a worker: what waits for the lock and
 * in which order, what is given up when, and that nothing of it stays.
 *
 * What each request is answered is tested from outside (tests/e2e/api*).
 */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/http/http_conn.h"
#include "worker/api/list.h"
#include "worker/net/feed.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: localhost\r\n"

/* What comes next must be this. */
static void
expect_bytes(struct peer *client, const char *text)
{
	size_t len = strlen(text);

	peer_receive(client);
	if (client->len - client->at < len ||
	    memcmp(client->got + client->at, text, len) != 0)
		fail_msg("instead of \"%s\" came \"%.*s\"", text,
		    (int)(client->len - client->at), client->got + client->at);
	client->at += len;
}

/* Skip the next response head, which must have this status. */
static void
expect_head(struct peer *client, int status)
{
	peer_receive(client);
	assert_int_not_equal(client->len, 0);
	peer_expect_status(client, status);
}

/* A response with JSON that contains this; nothing is said of the rest. */
static void
expect_json(struct peer *client, int status, const char *part)
{
	const char *at, *end;

	expect_head(client, status);
	at = client->got + client->at;
	end = memchr(at, '\n', client->len - client->at);
	assert_non_null(end);
	if (memmem(at, (size_t)(end - at), part, strlen(part)) == NULL)
		fail_msg("no %s in %.*s", part, (int)(end - at), at);
	client->at = (size_t)(end + 1 - client->got);
}

/* An idle connection has nothing but itself. */
static void
expect_idle(const struct peer *client)
{
	assert_int_equal(client->conn->state, CONN_OPEN);
	assert_ptr_equal(client->conn->handler, &http_conn_handler);
	assert_null(client->conn->data);
	assert_null(client->conn->input);
	assert_null(client->conn->out);
	assert_int_equal(client->conn->paused, 0);
}

static void
test_nothing_stays_of_a_request(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, POST("/topics/x") "Content-Length: 2\r\n\r\nh");
	crew_run(crew);
	assert_non_null(a->conn->handler->held); /* reads a body */
	assert_int_equal(a->conn->handler->held(a->conn), 1);
	peer_send_string(a, "i");
	crew_run(crew);
	expect_json(a, 200, "\"seq\":1");
	expect_idle(a);
	peer_send_string(a, GET("/topics") GET("/topics/x"));
	crew_run(crew);
	expect_json(a, 200, "\"more\":false");
	expect_json(a, 200, "\"seq\":1");
	expect_idle(a);
	peer_close(&a);
}

static void
test_publishes_in_the_turn_it_is_read(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	b = peer_open(crew, 0, "?topic=x");
	peer_send_string(a, POST("/topics/x") "Content-Length: 2\r\n\r\nhi");
	crew_turn(crew, 0);
	expect_json(a, 200, "\"subscribers\":1");
	peer_expect(b, "hi");
	peer_close(&a);
	peer_close(&b);
}

/* Whoever holds the lock, nothing overtakes what waits for it. */
static void
test_requests_wait_for_the_lock_in_their_order(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	b = peer_connect(crew, 0, 0);
	holder = crew_lock_is_held(crew);
	peer_send_string(a,
	    POST("/topics/x") "Content-Length: 1\r\n\r\n1" GET("/healthz")
		GET("/topics") POST("/topics/x") "Content-Length: 1\r\n\r\n2");
	CREW_UNTIL(crew, a->conn->paused & PAUSE_INTAKE);
	peer_send_string(b, GET("/healthz"));
	crew_turn(crew, 0);
	expect_head(b, 200);
	peer_expect_nothing(a);
	crew_lock_is_free(holder);
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_MESSAGES_IN) == 2);
	crew_run(crew);
	expect_json(a, 200, "\"seq\":1");
	expect_head(a, 200);
	expect_bytes(a, "ok\n");
	expect_json(a, 200, "[{\"topic\":\"x\",\"subscribers\":0,\"seq\":1}]");
	expect_json(a, 200, "\"seq\":2");
	peer_close(&a);
	peer_close(&b);
}

/* A batch is one answer to many requests of the intake.  What a client leaves
 * behind is published, and its outcomes go nowhere. */
static void
test_a_batch_waits_for_the_lock(void **state)
{
	static const char batch[] =
	    POST("/publish") "Content-Length: 55\r\n\r\n"
			     "[{\"topic\":\"x\",\"message\":1},7,{\"topic\":"
			     "\"x\",\"message\":2}]";
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	b = peer_connect(crew, 0, 0);
	holder = crew_lock_is_held(crew);
	peer_send_string(a, batch);
	CREW_UNTIL(crew, a->conn->requests_pending == 2);
	peer_send_string(b, batch);
	CREW_UNTIL(crew, b->conn->requests_pending == 2);
	peer_expect_nothing(b);
	peer_close(&a);
	crew_lock_is_free(holder);
	CREW_UNTIL(crew, crew_stat(crew, 0, STATS_MESSAGES_IN) == 4);
	crew_run(crew);
	expect_json(b, 200,
	    "[{\"seq\":3,\"subscribers\":0},{\"error\":{\"code\":"
	    "\"bad_request\",");
	peer_close(&b);
}

static void
test_a_list_waits_for_the_lock(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	b = peer_connect(crew, 0, 0);
	holder = crew_lock_is_held(crew);
	peer_send_string(a, GET("/topics"));
	peer_send_string(b, GET("/topics"));
	crew_turn(crew, 0);
	crew_turn(crew, 0);
	peer_expect_nothing(a);
	peer_close(&a); /* the first in line leaves, unheard */
	crew_lock_is_free(holder);
	CREW_UNTIL(crew, peer_receive(b) > 0);
	expect_json(b, 200, "{\"topics\":[],\"more\":false}");
	peer_close(&b);
}

/* Make so many topics, the names in falling order. */
static void
make_topics(struct crew *crew, unsigned count)
{
	char name[16];

	for (unsigned i = count; i-- > 0;) {
		int len = snprintf(name, sizeof(name), "t%05u", i);

		assert_int_not_equal(
		    topics_open(&crew->t.seg, name, (size_t)len,
			topics_hash(&crew->t.seg, name, (size_t)len)),
		    TOPICS_NONE);
	}
}

static void
test_a_long_list_takes_turns(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint64_t holdings;

	crew->config.max_topics = 2 * TOPIC_PAGE_SLICE + 1;
	crew_start(crew, 1);
	make_topics(crew, crew->config.max_topics);
	a = peer_connect(crew, 0, 0);
	b = peer_connect(crew, 0, 0);
	holdings = crew->w[0].hub.ring.holdings;
	peer_send_string(a, GET("/topics?limit=2"));
	for (uint64_t slice = 1; slice <= 2; slice++) {
		peer_send_string(b, GET("/healthz"));
		crew_turn(crew, 0);
		expect_head(b, 200);
		expect_bytes(b, "ok\n");
		assert_int_equal(
		    crew->w[0].hub.ring.holdings - holdings, slice);
		peer_expect_nothing(a);
	}
	crew_turn(crew, 0);
	assert_int_equal(crew->w[0].hub.ring.holdings - holdings, 3);
	expect_json(a, 200,
	    "[{\"topic\":\"t00000\",\"subscribers\":0,\"seq\":0},"
	    "{\"topic\":\"t00001\",\"subscribers\":0,\"seq\":0}],"
	    "\"more\":true");
	peer_close(&a);
	peer_close(&b);
}

static void
test_a_body_has_its_time(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, POST("/topics/x") "Content-Length: 1000\r\n\r\nx");
	for (uint32_t i = 0; i < wheel_ticks(10000); i++) {
		peer_send_string(a, "x");
		crew_ticks(crew, 0, 1);
		peer_expect_nothing(a);
	}
	crew_ticks(crew, 0, 2);
	expect_json(a, 408, "timeout");
	peer_close(&a);
}

/* It was told that it took too long, while it was not read. */
static void
test_a_body_that_is_not_read_is_not_late(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, POST("/topics/x") "Content-Length: 2\r\n\r\nh");
	crew_run(crew);
	conn_pause(a->conn, PAUSE_INTAKE);
	crew_ticks(crew, 0, 2 * wheel_ticks(10000));
	peer_expect_nothing(a);
	peer_send_string(a, "i");
	conn_resume(a->conn, PAUSE_INTAKE);
	crew_run(crew);
	expect_json(a, 200, "\"seq\":1");
	peer_close(&a);
}

/* A head of which half came behind an unanswered request has a head's time, not
 * that of an idle connection. */
static void
test_half_a_head_behind_a_request_has_its_time(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, GET("/topics/x") "GET /");
	crew_run(crew);
	expect_json(a, 404, "not_found");
	crew_ticks(crew, 0, wheel_ticks(10000) - 1);
	peer_expect_nothing(a);
	crew_ticks(crew, 0, 2);
	expect_json(a, 408, "timeout");
	peer_close(&a);
}

static void
test_above_the_rate_it_waits(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.rate = 4;
	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	for (int i = 0; i < 6; i++)
		peer_send_string(
		    a, POST("/topics/x") "Content-Length: 1\r\n\r\nx");
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 4);
	assert_int_equal(crew_stat(crew, 0, STATS_RATE_PAUSES), 1);
	crew_ticks(crew, 0, 8);
	crew_run(crew);
	for (int i = 0; i < 6; i++)
		expect_json(a, 200, "\"topic\":\"x\"");
	peer_close(&a);
}

/* Skip what comes up to and with this text. */
static void
skip_behind(struct peer *client, const char *text)
{
	const char *at = memmem(client->got + client->at,
	    client->len - client->at, text, strlen(text));

	assert_non_null(at);
	client->at = (size_t)(at - client->got) + strlen(text);
}

/* Follow topic x in chunks, and skip what comes before the first event. */
static struct peer *
follow(struct crew *crew, int sndbuf)
{
	struct peer *client = peer_connect(crew, 0, sndbuf);

	peer_send_string(client, GET("/topics/x/events"));
	crew_run(crew);
	peer_receive(client);
	expect_head(client, 200);
	skip_behind(client, "\r\nretry: ");
	skip_behind(client, "\n\n\r\n");
	return client;
}

/* The same without chunks, which HTTP/1.0 does not know. */
static struct peer *
follow_without_chunks(struct crew *crew)
{
	struct peer *client = peer_connect(crew, 0, 0);

	peer_send_string(
	    client, "GET /topics/x/events HTTP/1.0\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_receive(client);
	assert_null(memmem(client->got, client->len, "chunked", 7));
	expect_head(client, 200);
	expect_bytes(client, "retry: ");
	skip_behind(client, "\n\n");
	return client;
}

static void
test_heartbeats(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t interval;

	crew_start(crew, 1);
	interval = wheel_ticks(crew->config.ping_interval_ms);
	a = follow(crew, 0);
	crew_ticks(crew, 0, interval / 2 - 1);
	peer_expect_nothing(a);
	crew_ticks(crew, 0, interval / 2 + 2);
	expect_bytes(a, "2\r\n:\n\r\n");
	peer_expect_nothing(a);
	crew_ticks(crew, 0, interval);
	expect_bytes(a, "2\r\n:\n\r\n");
	peer_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	peer_close(&a);
}

static void
test_http_1_0_has_no_chunks(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	char event[64];

	crew_start(crew, 1);
	a = follow_without_chunks(crew);
	crew_ticks(crew, 0, wheel_ticks(crew->config.ping_interval_ms) + 2);
	expect_bytes(a, ":\n");
	b = peer_connect(crew, 0, 0);
	peer_send_string(b, POST("/topics/x") "Content-Length: 1\r\n\r\ny");
	crew_run(crew);
	peer_receive(a);
	snprintf(event, sizeof(event), "data: y\nid: %s:1\n\n",
	    crew->w[0].hub.seg->header->epoch);
	expect_bytes(a, event);
	peer_expect_nothing(a);
	peer_close(&a);
	peer_close(&b);
}

static void
test_no_heartbeats(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.ping_interval_ms = 0;
	crew_start(crew, 1);
	a = follow(crew, 0);
	crew_ticks(crew, 0, wheel_ticks(300000));
	peer_expect_nothing(a);
	assert_false(a->eof);
	peer_close(&a);
}

/* Publish to x until something waits for the client. */
static void
block(struct crew *crew, const struct peer *client)
{
	struct peer *b = peer_connect(crew, 0, 0);
	char text[256];

	snprintf(text, sizeof(text),
	    POST("/topics/x") "Content-Length: 100\r\n\r\n%0100d", 1);
	for (int i = 0; client->conn->out == NULL; i++) {
		assert_in_range(i, 0, 10000);
		peer_send_string(b, text);
		crew_run(crew);
		expect_json(b, 200, "seq");
	}
	peer_close(&b);
	crew_run(crew);
}

static void
test_who_takes_nothing_is_given_up(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = follow(crew, 4096);
	block(crew, a);
	crew_ticks(crew, 0, 2 * wheel_ticks(crew->config.ping_interval_ms) + 2);
	assert_int_equal(crew_stat(crew, 0, STATS_EVENT_STREAMS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	peer_close(&a);
}

/* It never catches up, but it takes something in each interval. */
static void
test_who_takes_little_is_not_given_up(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t interval;
	size_t got = 0;

	crew_start(crew, 1);
	interval = wheel_ticks(crew->config.ping_interval_ms);
	a = follow(crew, 4096);
	for (int i = 0; i < 5; i++) {
		block(crew, a);
		crew_ticks(crew, 0, interval - 2);
		assert_int_equal(crew_stat(crew, 0, STATS_EVENT_STREAMS), 1);
		got += peer_receive(a);
		crew_turn(crew, 0);
	}
	assert_int_not_equal(got, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	peer_close(&a);
}

/* It wants to follow while the lock is held, and leaves before it is had. */
static void
test_a_follower_leaves_before_it_is_subscribed(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	pid_t holder;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	holder = crew_lock_is_held(crew);
	peer_send_string(a, GET("/topics/x/events"));
	CREW_UNTIL(crew, a->conn->handler == &api_handler);
	conn_abort(a->conn);
	crew_lock_is_free(holder);
	CREW_UNTIL(crew, intake_empty(&crew->w[0].intake));
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_EVENT_STREAMS), 0);
	peer_close(&a);
}

/* What was behind a stream that could not begin was thrown away, and the
 * connection went on: the rest of a body that had been lost so was taken for a
 * request.  The connection ends with the answer. */
static void
test_requests_behind_refused_events_are_not_done(void **state)
{
	struct crew *crew = *state;
	struct peer *holder, *a;

	crew->config.max_topics = 2;
	crew_start(crew, 1);
	holder = peer_open(crew, 0, "?topic=a&topic=b");
	a = peer_connect(crew, 0, 0);
	peer_hold(a);
	peer_send_string(a, GET("/topics/c/events"));
	peer_send_string(a, POST("/topics/a") "Content-Length: 10\r\n\r\n");
	peer_release(a);
	crew_run(crew);
	peer_send_string(a, "GET / HTTP");
	crew_run(crew);
	peer_send_string(a, GET("/topics/a"));
	crew_run(crew);
	expect_head(a, 200);
	expect_bytes(a, "c\r\nretry: ");
	a->at += 5; /* four digits, and a line's end */
	expect_bytes(a, "\r\n0\r\n\r\n");
	assert_int_equal(a->len, a->at);
	assert_true(a->eof);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 0);
	peer_close(&a);
	peer_close(&holder);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, crew_mp_setup, crew_mp_teardown)
	TEST(test_nothing_stays_of_a_request),
	TEST(test_publishes_in_the_turn_it_is_read),
	TEST(test_requests_wait_for_the_lock_in_their_order),
	TEST(test_a_batch_waits_for_the_lock),
	TEST(test_a_list_waits_for_the_lock),
	TEST(test_requests_behind_refused_events_are_not_done),
	TEST(test_a_long_list_takes_turns),
	TEST(test_a_body_has_its_time),
	TEST(test_a_body_that_is_not_read_is_not_late),
	TEST(test_half_a_head_behind_a_request_has_its_time),
	TEST(test_above_the_rate_it_waits),
	TEST(test_heartbeats),
	TEST(test_http_1_0_has_no_chunks),
	TEST(test_no_heartbeats),
	TEST(test_who_takes_nothing_is_given_up),
	TEST(test_who_takes_little_is_not_given_up),
	TEST(test_a_follower_leaves_before_it_is_subscribed),
#undef TEST
};

SUITE_MAIN(tests);
