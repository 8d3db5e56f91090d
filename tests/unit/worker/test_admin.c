/* SPDX-License-Identifier: MIT */
/* test_admin.c - what worker/admin.h promises, and worker/net/conn.h of
 * connections to the operator's listener; with whole workers. */

#include "common/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/conns.h"

#include <stdio.h>
#include <string.h>

/* Send a request and have it answered. */
static void
ask(struct peer *client, const char *method, const char *path,
    const char *lines)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "%s %s HTTP/1.1\r\nHost: localhost:8001\r\n%s\r\n", method, path,
	    lines);
	peer_send_string(client, text);
	crew_run(client->crew);
}

/* Whether a text stands in what has come and was not skipped. */
static bool
has(const struct peer *client, const char *part)
{
	return memmem(client->got + client->at, client->len - client->at, part,
		   strlen(part)) != NULL;
}

/* Skip what has come, which must have this in it. */
static void
expect_body(struct peer *client, const char *part)
{
	assert_true(has(client, part));
	client->at = client->len;
}

static void
test_each_page_is_there(void **state)
{
	static const struct {
		const char *path, *part;
	} pages[] = {
		{ "/", "<a href=\"metrics\">" },
		{ "/metrics", "\npubsubd_messages_in_total{worker=\"0\"} 0\n" },
		{ "/stats", "\"instance\":\"crew\"" },
		{ "/busiest", "\"topics\":[]" },
		{ "/healthz", "ok\n" },
		{ "/readyz", "ok\n" },
	};
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect_admin(crew, 0);
	for (size_t i = 0; i < COUNT(pages); i++) {
		ask(a, "GET", pages[i].path, "");
		peer_expect_status(a, 200);
		expect_body(a, pages[i].part);
		ask(a, "HEAD", pages[i].path, "");
		peer_expect_status(a, 200);
		peer_expect_nothing(a);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_ADMIN_REQUESTS), 12);
	assert_int_equal(crew_stat(crew, 0, STATS_REQUESTS), 0);
	peer_close(&a);
}

static void
test_nothing_public_is_there(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	crew_file(crew, "index.html", 10);
	a = peer_connect_admin(crew, 0);
	ask(a, "GET", "/index.html", "");
	peer_expect_status(a, 404);
	a->at = a->len;
	peer_send_string(a, peer_handshake(""));
	crew_run(crew);
	peer_expect_status(a, 404);
	a->at = a->len;
	ask(a, "GET", "/topics", "");
	peer_expect_status(a, 404);
	peer_close(&a);
}

/* And the other way round. */
static void
test_operator_s_pages_are_not_public(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect(crew, 0, 0);
	ask(a, "GET", "/metrics", "");
	peer_expect_status(a, 404);
	a->at = a->len;
	ask(a, "GET", "/stats", "");
	peer_expect_status(a, 404);
	peer_close(&a);
}

static void
test_other_methods_and_bodies_are_refused(void **state)
{
	static const struct {
		const char *method, *lines;
		int status;
	} cases[] = {
		{ "POST", "", 405 },
		{ "DELETE", "Content-Length: 3\r\n", 405 },
		{ "GET", "Content-Length: 3\r\n", 413 },
		{ "GET", "Transfer-Encoding: chunked\r\n", 413 },
	};
	struct crew *crew = *state;

	crew_start(crew, 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct peer *a = peer_connect_admin(crew, 0);

		ask(a, cases[i].method, "/metrics", cases[i].lines);
		peer_expect_status(a, cases[i].status);
		peer_receive(a);
		assert_true(a->eof);
		peer_close(&a);
	}
}

/* A page whose name was made to point here (DNS rebinding). */
static void
test_foreign_host_is_refused(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect_admin(crew, 0);
	peer_send_string(
	    a, "GET /metrics HTTP/1.1\r\nHost: evil.example:8001\r\n\r\n");
	crew_run(crew);
	peer_expect_status(a, 403);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_ORIGIN), 1);
	peer_close(&a);
}

static void
test_connection_ends_when_told(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_connect_admin(crew, 0);
	ask(a, "GET", "/stats", "Connection: close\r\n");
	peer_expect_status(a, 200);
	expect_body(a, "]}\n");
	peer_receive(a);
	assert_true(a->eof);
	peer_close(&a);
}

static void
test_one_worker_answers_for_all(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *admin;

	crew_start(crew, 2);
	/* as the supervisor of this run would have it */
	atomic_store(&crew->t.seg.header->run.workers, 2);
	a = peer_open(crew, 0, "?topic=a");
	b = peer_open(crew, 1, "?topic=a");
	peer_publish(a, "a", "x");
	crew_run(crew);
	admin = peer_connect_admin(crew, 1);
	ask(admin, "GET", "/metrics", "Connection: close\r\n");
	peer_expect_status(admin, 200);
	assert_true(
	    has(admin, "\npubsubd_messages_in_total{worker=\"0\"} 1\n"));
	assert_true(
	    has(admin, "\npubsubd_messages_out_total{worker=\"1\"} 1\n"));
	assert_true(
	    has(admin, "\npubsubd_delivery_seconds_count{worker=\"0\"} 1\n"));
	peer_close(&a);
	peer_close(&b);
	peer_close(&admin);
}

static void
test_operator_is_not_counted_with_the_clients(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *admin;

	crew->config.max_conns = 1;
	crew_start(crew, 1);
	admin = peer_connect_admin(crew, 0);
	a = peer_open(crew, 0, "");
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_ACCEPTED), 1);
	ask(admin, "GET", "/healthz", "");
	peer_expect_status(admin, 200);
	peer_close(&admin);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	peer_close(&a);
}

/* When the public side is full, the operator can still look; and has a limit of
 * its own. */
static void
test_operator_has_a_limit_of_its_own(void **state)
{
	struct crew *crew = *state;
	struct peer *admins[CONNS_ADMIN_MAX], *a, *more;

	crew->config.max_conns = 1;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	for (unsigned i = 0; i < CONNS_ADMIN_MAX; i++)
		admins[i] = peer_connect_admin(crew, 0);
	more = peer_connect_admin(crew, 0);
	crew_run(crew);
	peer_expect_status(more, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_LIMIT), 0);
	peer_close(&more);
	for (unsigned i = 0; i < CONNS_ADMIN_MAX; i++) {
		ask(admins[i], "GET", "/healthz", "");
		peer_expect_status(admins[i], 200);
		peer_close(&admins[i]);
	}
	crew_run(crew);
	more = peer_connect_admin(crew, 0);
	ask(more, "GET", "/healthz", "");
	peer_expect_status(more, 200);
	peer_close(&more);
	peer_close(&a);
}

/* A drain is told, waits for nobody here, and counts nobody here. */
static void
test_drain_is_seen_and_waits_for_clients_only(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *admin;

	crew_start(crew, 1);
	atomic_store(&crew->t.seg.header->run.workers, 1);
	a = peer_open(crew, 0, "");
	admin = peer_connect_admin(crew, 0);
	atomic_store(&crew->t.seg.header->run.order_ms, clock_monotonic_ms());
	atomic_store(&crew->t.seg.header->run.order, RUN_DRAIN);
	crew_turn(crew, 0);
	ask(admin, "GET", "/readyz", "");
	peer_expect_status(admin, 503);
	admin->at = admin->len;
	ask(admin, "GET", "/metrics", "");
	peer_expect_status(admin, 200);
	expect_body(admin, "\npubsubd_state{state=\"draining\"} 1\n");
	peer_close(&a);
	CREW_UNTIL(crew, crew->w[0].drain.phase == DRAIN_OUT);
	assert_int_equal(crew_stat(crew, 0, STATS_CUT), 0);
	peer_close(&admin);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_page_is_there),
	T(test_nothing_public_is_there),
	T(test_operator_s_pages_are_not_public),
	T(test_other_methods_and_bodies_are_refused),
	T(test_foreign_host_is_refused),
	T(test_connection_ends_when_told),
	T(test_one_worker_answers_for_all),
	T(test_operator_is_not_counted_with_the_clients),
	T(test_operator_has_a_limit_of_its_own),
	T(test_drain_is_seen_and_waits_for_clients_only),
};

SUITE_MAIN(tests);
