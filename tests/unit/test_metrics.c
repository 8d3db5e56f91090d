/* SPDX-License-Identifier: MIT */
/*
 * test_metrics.c - what broker/metrics.h and broker/overview.h promise, of a
 * segment in plain memory whose words are put in by hand.
 *
 * Whether Prometheus takes all of it is asked in tests/e2e/admin.test.mjs.
 */

#include "broker/metrics.h"
#include "broker/overview.h"
#include "common/json.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
	struct testseg t;
	struct buf buf;
	struct stats stats[2];
};

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	testseg_open(&b->t, 64u << 10, 4);
	segment_begin_run(&b->t.seg, 2, 1000);
	strcpy(b->t.seg.header->run.version, "1.2.3");
	buf_init(&b->buf);
	for (unsigned w = 0; w < 2; w++)
		b->stats[w].counters = b->t.seg.workers[w].counters;
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	buf_fini(&b->buf);
	testseg_close(&b->t);
	free(b);
	return 0;
}

static void
put_metrics(struct bench *b)
{
	buf_reset(&b->buf);
	buf_puts(&b->buf, "\n");
	metrics_put(&b->buf, &b->t.seg, "main");
}

/* How often a text stands in the output. */
static unsigned
count(const struct bench *b, const char *text)
{
	const char *at = b->buf.at, *end = at + b->buf.len;
	unsigned n = 0;

	while (
	    (at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL) {
		n++;
		at++;
	}
	return n;
}

/* That there is exactly this one line. */
static void
check_line(const struct bench *b, const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "\n%s\n", line);
	if (count(b, text) != 1)
		fail_msg("%u times: %s", count(b, text), line);
}

static void
test_every_counter_is_there_for_every_worker(void **state)
{
	struct bench *b = *state;
	char line[128];

	for (int i = 0; i < STATS_COUNT; i++)
		for (unsigned w = 0; w < 2; w++)
			stats_set(&b->stats[w], (enum stats_id)i,
			    1000 * (w + 1) + (unsigned)i);
	put_metrics(b);
	for (int i = 0; i < STATS_COUNT; i++) {
		const struct stats_info *info = &stats_info[i];
		char reason[64] = "";

		if (info->reason != NULL)
			snprintf(reason, sizeof(reason), ",reason=\"%s\"",
			    info->reason);
		for (unsigned w = 0; w < 2; w++) {
			snprintf(line, sizeof(line),
			    "pubsubd_%s%s{worker=\"%u\"%s} %u", info->metric,
			    info->kind == STATS_COUNTER ? "_total" : "", w,
			    reason, 1000 * (w + 1) + (unsigned)i);
			check_line(b, line);
		}
	}
	assert_int_equal(count(b, "worker=\"2\""), 0);
}

static void
test_each_metric_has_one_head(void **state)
{
	struct bench *b = *state;

	put_metrics(b);
	check_line(b, "# HELP pubsubd_drops_total messages dropped");
	check_line(b, "# TYPE pubsubd_drops_total counter");
	check_line(b, "# HELP pubsubd_websockets open WebSocket connections");
	check_line(b, "# TYPE pubsubd_websockets gauge");
	check_line(b, "# TYPE pubsubd_delivery_seconds histogram");
	assert_int_equal(count(b, "# HELP "), count(b, "# TYPE "));
	assert_int_equal(count(b, "\n# HELP "), count(b, "# HELP "));
	assert_int_equal(count(b, "\n\n"), 0);
	assert_int_equal(b->buf.at[b->buf.len - 1], '\n');
}

static void
test_buckets_include_those_below(void **state)
{
	struct bench *b = *state;
	struct stats_delays *delays = &b->t.seg.workers[1].delays;

	stats_delay_add(delays, 100000, 3);
	stats_delay_add(delays, 100001, 4);
	stats_delay_add(delays, 2000000000, 2);
	stats_delay_add(delays, 11000000000, 1);
	put_metrics(b);
#define BUCKET "pubsubd_delivery_seconds_bucket{worker=\"1\",le="
	check_line(b, BUCKET "\"0.0001\"} 3");
	check_line(b, BUCKET "\"0.00025\"} 7");
	check_line(b, BUCKET "\"0.001\"} 7");
	check_line(b, BUCKET "\"1\"} 7");
	check_line(b, BUCKET "\"2.5\"} 9");
	check_line(b, BUCKET "\"10\"} 9");
	check_line(b, BUCKET "\"+Inf\"} 10");
#undef BUCKET
	check_line(b, "pubsubd_delivery_seconds_count{worker=\"1\"} 10");
	check_line(
	    b, "pubsubd_delivery_seconds_sum{worker=\"1\"} 15.000700004");
	check_line(b, "pubsubd_delivery_seconds_count{worker=\"0\"} 0");
}

static void
test_server_as_a_whole(void **state)
{
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;
	char line[128];

	atomic_store(&h->head, 8192);
	atomic_store(&h->applied, 4096);
	atomic_store(&h->used, 3);
	atomic_store(&h->run.started_at, 1700000000007);
	atomic_store(&h->run.respawns, 5);
	atomic_store(&h->run.deaths, 7);
	atomic_store(&h->run.lock_deaths, 2);
	atomic_store(&h->run.watchdog_kills, 3);
	atomic_store(&b->t.seg.workers[0].state, WORKER_READY);
	atomic_store(&b->t.seg.workers[0].cursor, 8000);
	atomic_store(&b->t.seg.workers[0].starts, 6);
	atomic_store(&b->t.seg.workers[1].state, WORKER_GONE);
	put_metrics(b);
	snprintf(line, sizeof(line),
	    "pubsubd_build_info{version=\"1.2.3\",epoch=\"%s\","
	    "instance=\"main\"} 1",
	    h->epoch);
	check_line(b, line);
	check_line(b, "pubsubd_start_time_seconds 1700000000.007");
	check_line(b, "pubsubd_workers 2");
	check_line(b, "pubsubd_respawns_total 5");
	check_line(b, "pubsubd_worker_deaths_total 7");
	check_line(b, "pubsubd_watchdog_kills_total 3");
	check_line(b, "pubsubd_lock_owner_deaths_total 2");
	check_line(b, "pubsubd_ring_size_bytes 65536");
	check_line(b, "pubsubd_ring_head_bytes_total 8192");
	check_line(b, "pubsubd_ring_applied_bytes_total 4096");
	check_line(b, "pubsubd_topics 3");
	check_line(b, "pubsubd_topics_max 4");
	check_line(b, "pubsubd_worker_up{worker=\"0\"} 1");
	check_line(b, "pubsubd_worker_up{worker=\"1\"} 0");
	check_line(b, "pubsubd_worker_starts_total{worker=\"0\"} 6");
	check_line(b, "pubsubd_ring_lag_bytes{worker=\"0\"} 192");
	check_line(b, "pubsubd_ring_lag_bytes{worker=\"1\"} 0");
}

static void
test_state_is_one_of_all(void **state)
{
	static const struct {
		enum run_order order;
		uint32_t ready;
		const char *state;
	} cases[] = {
		{ RUN_SERVE, 0, "starting" },
		{ RUN_SERVE, 1, "serving" },
		{ RUN_DRAIN, 1, "draining" },
		{ RUN_DRAIN_RESTART, 1, "restarting" },
		{ RUN_QUIT, 1, "leaving" },
	};
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;
	char line[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		atomic_store(&h->run.order, (uint32_t)cases[i].order);
		atomic_store(&h->run.ready, cases[i].ready);
		put_metrics(b);
		snprintf(line, sizeof(line), "pubsubd_state{state=\"%s\"} 1",
		    cases[i].state);
		check_line(b, line);
		assert_int_equal(count(b, "\npubsubd_state{"), OVERVIEW_STATES);
		assert_int_equal(count(b, "\"} 1\n"), 2); /* and build_info */
	}
	atomic_store(&h->run.order, 99);
	assert_string_equal(overview_state(h), "unknown");
}

/* How workers died, each its last; what they said may need escaping. */
static void
test_deaths_are_told(void **state)
{
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;

	atomic_store(&h->run.deaths, 7);
	atomic_store(&h->run.lock_deaths, 2);
	atomic_store(&h->run.watchdog_kills, 3);
	strcpy(b->t.seg.workers[1].last_death, "left; its last words: \"x\"");
	overview_json(&b->buf, &b->t.seg, "main");
	assert_int_equal(count(b, "\"deaths\":7,\"lock_deaths\":2,"
				  "\"watchdog_kills\":3,"),
	    1);
	assert_int_equal(count(b, "\"last_death\":null"), 1);
	assert_int_equal(count(b, "\"last_death\":"
				  "\"left; its last words: \\\"x\\\"\""),
	    1);
}

/* Well-formed, with what is only there sometimes and without. */
static void
test_overview_is_json(void **state)
{
	struct bench *b = *state;
	struct layout_header *h = b->t.seg.header;
	const char *why;
	size_t where;

	for (int i = 0; i < 2; i++) {
		buf_reset(&b->buf);
		overview_json(&b->buf, &b->t.seg, "main");
		assert_int_equal(
		    json_check(b->buf.at, b->buf.len - 1, &where, &why),
		    JSON_OK);
		assert_int_equal(count(b, "\"admin\":null"), i == 0);
		assert_int_equal(
		    count(b, "\"admin\":\"http://127.0.0.1:8001\""), i == 1);
		assert_int_equal(
		    count(b, "\"listen\":[\"http://a\",\"http://b\"]"), i == 1);
		assert_int_equal(count(b, "\"slot\":"), 2);
		assert_int_equal(count(b, "\"buckets\":[[100,0],[250,0]"), 2);
		strcpy(h->run.admin, "http://127.0.0.1:8001");
		strcpy(h->run.urls, "http://a http://b");
	}
}

/* What is said of the sandbox, as text and as JSON. */
static void
check_sandbox(struct bench *b, const char *text, const char *json)
{
	char member[160];

	buf_reset(&b->buf);
	overview_sandbox(&b->buf, &b->t.seg);
	assert_int_equal(b->buf.len, strlen(text));
	assert_memory_equal(b->buf.at, text, b->buf.len);
	buf_reset(&b->buf);
	overview_json(&b->buf, &b->t.seg, "main");
	snprintf(member, sizeof(member), "\"sandbox\":{%s}", json);
	if (count(b, member) != 1)
		fail_msg("%s: %s", member, (const char *)b->buf.at);
}

/* What both workers say; those that are up. */
static void
set_confined(struct bench *b, uint32_t first, uint32_t second)
{
	atomic_store(&b->t.seg.workers[0].confined, first);
	atomic_store(&b->t.seg.workers[1].confined, second);
}

static void
test_sandbox_is_what_all_workers_have(void **state)
{
	const uint32_t all =
	    CONFINED_SECCOMP | CONFINED_LANDLOCK | CONFINED_NO_NEW_PRIVS;
	struct bench *b = *state;

	set_confined(b, all, all);
	check_sandbox(b, "no worker is up",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":null,\"off\":null");
	atomic_store(&b->t.seg.workers[0].state, WORKER_READY);
	atomic_store(&b->t.seg.workers[1].state, WORKER_STOPPED);
	check_sandbox(b, "seccomp, landlock, no_new_privs",
	    "\"seccomp\":true,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
	set_confined(b, all, all & ~(uint32_t)CONFINED_LANDLOCK);
	check_sandbox(b, "seccomp, no landlock in this kernel, no_new_privs",
	    "\"seccomp\":true,\"landlock\":false,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
	atomic_store(&b->t.seg.workers[1].state, WORKER_STARTING);
	check_sandbox(b, "seccomp, landlock, no_new_privs",
	    "\"seccomp\":true,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
}

static void
test_no_sandbox_has_a_reason(void **state)
{
	struct bench *b = *state;

	atomic_store(&b->t.seg.workers[0].state, WORKER_READY);
	strcpy(b->t.seg.header->run.user, "nobody");
	set_confined(b, CONFINED_NO_NEW_PRIVS | CONFINED_LANDLOCK, 0);
	check_sandbox(b,
	    "no seccomp in this kernel, landlock, no_new_privs, user nobody",
	    "\"seccomp\":false,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":\"nobody\",\"off\":null");
	strcpy(b->t.seg.header->run.user, "A\\b");
	set_confined(b, CONFINED_NOT_WANTED, 0);
	check_sandbox(b, "off (--no-sandbox), user A\\b",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":\"A\\\\b\",\"off\":\"--no-sandbox\"");
	strcpy(b->t.seg.header->run.user, "");
	set_confined(b, CONFINED_NOT_BUILT, 0);
	check_sandbox(b, "off (built with sanitizers or coverage)",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":null,"
	    "\"off\":\"built with sanitizers or coverage\"");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_every_counter_is_there_for_every_worker),
	T(test_each_metric_has_one_head),
	T(test_buckets_include_those_below),
	T(test_server_as_a_whole),
	T(test_state_is_one_of_all),
	T(test_deaths_are_told),
	T(test_overview_is_json),
	T(test_sandbox_is_what_all_workers_have),
	T(test_no_sandbox_has_a_reason),
};

SUITE_MAIN(tests);
