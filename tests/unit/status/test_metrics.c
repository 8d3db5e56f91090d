/* SPDX-License-Identifier: MIT */
/*
 * test_metrics.c - what broker/status/metrics.h and broker/status/overview.h promise, of a
 * segment in plain memory whose words are put in by hand.
 *
 * Whether Prometheus takes all of it is asked in tests/e2e/admin.test.mjs.
 */

#include "broker/ring/store.h"
#include "broker/status/metrics.h"
#include "broker/status/overview.h"
#include "broker/status/overview_cluster.h"
#include "common/json.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct page {
	struct testseg t;
	struct buf buf;
	struct stats stats[2];
};

static int
setup(void **state)
{
	struct page *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	testseg_open(&p->t, 64u << 10, 4);
	store_begin_run(&p->t.seg, 2, 1000);
	strcpy(p->t.seg.header->run.version, "1.2.3");
	buf_init(&p->buf);
	for (unsigned w = 0; w < 2; w++)
		p->stats[w].counters = p->t.seg.workers[w].counters;
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct page *p = *state;

	buf_fini(&p->buf);
	testseg_close(&p->t);
	free(p);
	return 0;
}

static void
put_metrics(struct page *p)
{
	buf_reset(&p->buf);
	buf_puts(&p->buf, "\n");
	metrics_put(&p->buf, &p->t.seg, "main");
}

/* How often a text stands in the output. */
static unsigned
count(const struct page *p, const char *text)
{
	const char *at = p->buf.at, *end = at + p->buf.len;
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
check_line(const struct page *p, const char *line)
{
	char text[256];

	snprintf(text, sizeof(text), "\n%s\n", line);
	if (count(p, text) != 1)
		fail_msg("%u times: %s", count(p, text), line);
}

static void
test_every_counter_is_there_for_every_worker(void **state)
{
	struct page *p = *state;
	char line[128];

	atomic_store(&p->t.seg.header->cluster.heard_ms, 1);
	for (int i = 0; i < STATS_COUNT; i++)
		for (unsigned w = 0; w < 2; w++)
			stats_set(&p->stats[w], (enum stats_id)i,
			    1000 * (w + 1) + (unsigned)i);
	put_metrics(p);
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
			check_line(p, line);
		}
	}
	assert_int_equal(count(p, "worker=\"2\""), 0);
}

static void
test_each_metric_has_one_head(void **state)
{
	struct page *p = *state;

	put_metrics(p);
	check_line(p, "# HELP pubsubd_drops_total messages dropped");
	check_line(p, "# TYPE pubsubd_drops_total counter");
	check_line(p, "# HELP pubsubd_websockets open WebSocket connections");
	check_line(p, "# TYPE pubsubd_websockets gauge");
	check_line(p, "# TYPE pubsubd_delivery_seconds histogram");
	assert_int_equal(count(p, "# HELP "), count(p, "# TYPE "));
	assert_int_equal(count(p, "\n# HELP "), count(p, "# HELP "));
	assert_int_equal(count(p, "\n\n"), 0);
	assert_int_equal(p->buf.at[p->buf.len - 1], '\n');
}

static void
test_buckets_include_those_below(void **state)
{
	struct page *p = *state;
	struct stats_delays *delays = &p->t.seg.workers[1].delays;

	stats_delay_add(delays, 100000, 3);
	stats_delay_add(delays, 100001, 4);
	stats_delay_add(delays, 2000000000, 2);
	stats_delay_add(delays, 11000000000, 1);
	put_metrics(p);
#define BUCKET "pubsubd_delivery_seconds_bucket{worker=\"1\",le="
	check_line(p, BUCKET "\"0.0001\"} 3");
	check_line(p, BUCKET "\"0.00025\"} 7");
	check_line(p, BUCKET "\"0.001\"} 7");
	check_line(p, BUCKET "\"1\"} 7");
	check_line(p, BUCKET "\"2.5\"} 9");
	check_line(p, BUCKET "\"10\"} 9");
	check_line(p, BUCKET "\"+Inf\"} 10");
#undef BUCKET
	check_line(p, "pubsubd_delivery_seconds_count{worker=\"1\"} 10");
	check_line(
	    p, "pubsubd_delivery_seconds_sum{worker=\"1\"} 15.000700004");
	check_line(p, "pubsubd_delivery_seconds_count{worker=\"0\"} 0");
}

static void
test_without_a_cluster_there_is_none(void **state)
{
	struct page *p = *state;

	put_metrics(p);
	assert_int_equal(count(p, "cluster"), 0);
	overview_json(&p->buf, &p->t.seg, "main");
	assert_int_equal(count(p, "cluster"), 0);
}

static void
test_cluster(void **state)
{
	struct page *p = *state;
	struct layout_cluster *c = &p->t.seg.header->cluster;

	atomic_store(&c->heard_ms, 1);
	atomic_store(&c->pos, (UINT64_C(1234) << LAYOUT_PLACE_BITS) + 5);
	atomic_store(&c->out, 70);
	atomic_store(&c->returned, 63);
	atomic_store(&c->confirmed, 61);
	atomic_store(&c->waits_from, 1000);
	atomic_store(&p->t.seg.header->head, 5096);
	for (int i = 0; i < CLUSTER_COUNTERS; i++)
		atomic_store(&c->counters[i], 100 + (unsigned)i);
	atomic_store(&c->counters[CLUSTER_CONNECTED], 1);
	stats_delay_add(&c->accept_to_ring, 300000, 2);
	put_metrics(p);
	check_line(p, "pubsubd_cluster_connected 1");
	check_line(p, "pubsubd_cluster_hosts 109");
	check_line(p, "pubsubd_cluster_pos 1234");
	check_line(p, "pubsubd_cluster_lag_messages 110");
	check_line(p, "pubsubd_cluster_unconfirmed 9");
	check_line(p, "pubsubd_cluster_outbox_bytes 4096");
	check_line(p, "pubsubd_cluster_batches_total{result=\"sent\"} 100");
	check_line(p, "pubsubd_cluster_batches_total{result=\"accepted\"} 101");
	check_line(p, "pubsubd_cluster_batches_total{result=\"double\"} 102");
	check_line(p, "pubsubd_cluster_batches_total{result=\"hole\"} 103");
	check_line(p, "pubsubd_cluster_goback_total 104");
	check_line(p, "pubsubd_cluster_reconnects_total 105");
	check_line(p, "pubsubd_cluster_dropped_total 106");
	check_line(p, "pubsubd_cluster_divergence_total 107");
	check_line(p,
	    "pubsubd_cluster_accept_to_ring_seconds_bucket{le=\"0.0005\"} 2");
	check_line(p, "pubsubd_cluster_accept_to_ring_seconds_sum 0.000600000");
	check_line(p, "pubsubd_cluster_accept_to_ring_seconds_count 2");
	check_line(
	    p, "pubsubd_cluster_gaps_total{worker=\"0\",reason=\"cluster\"} 0");
	check_line(p, "pubsubd_cluster_refused_total{worker=\"0\"} 0");
	buf_reset(&p->buf);
	overview_cluster_text(&p->buf, &p->t.seg);
	assert_int_equal(count(p, "connected, 109 hosts, at message 1234, "
				  "110 behind, 9 unconfirmed"),
	    1);
	buf_reset(&p->buf);
	overview_json(&p->buf, &p->t.seg, "main");
	assert_int_equal(
	    count(p, ",\"cluster\":{\"connected\":true,\"hosts\":109,"
		     "\"pos\":1234,\"lag\":110,\"unconfirmed\":9,"
		     "\"outbox_bytes\":4096},"),
	    1);
}

static void
test_server_as_a_whole(void **state)
{
	struct page *p = *state;
	struct layout_header *h = p->t.seg.header;
	char line[128];

	atomic_store(&h->head, 8192);
	atomic_store(&h->applied, 4096);
	atomic_store(&h->used, 3);
	atomic_store(&h->run.started_at, 1700000000007);
	atomic_store(&h->run.respawns, 5);
	atomic_store(&h->run.deaths, 7);
	atomic_store(&h->run.lock_deaths, 2);
	atomic_store(&h->run.watchdog_kills, 3);
	atomic_store(&p->t.seg.workers[0].state, WORKER_READY);
	atomic_store(&p->t.seg.workers[0].cursor, 8000);
	atomic_store(&p->t.seg.workers[0].starts, 6);
	atomic_store(&p->t.seg.workers[1].state, WORKER_GONE);
	put_metrics(p);
	snprintf(line, sizeof(line),
	    "pubsubd_build_info{version=\"1.2.3\",epoch=\"%s\","
	    "instance=\"main\"} 1",
	    h->epoch);
	check_line(p, line);
	check_line(p, "pubsubd_start_time_seconds 1700000000.007");
	check_line(p, "pubsubd_workers 2");
	check_line(p, "pubsubd_respawns_total 5");
	check_line(p, "pubsubd_worker_deaths_total 7");
	check_line(p, "pubsubd_watchdog_kills_total 3");
	check_line(p, "pubsubd_lock_owner_deaths_total 2");
	check_line(p, "pubsubd_ring_size_bytes 65536");
	check_line(p, "pubsubd_ring_head_bytes_total 8192");
	check_line(p, "pubsubd_ring_applied_bytes_total 4096");
	check_line(p, "pubsubd_topics 3");
	check_line(p, "pubsubd_topics_max 4");
	check_line(p, "pubsubd_members 0");
	check_line(p, "pubsubd_members_max 8192");
	check_line(p, "pubsubd_worker_up{worker=\"0\"} 1");
	check_line(p, "pubsubd_worker_up{worker=\"1\"} 0");
	check_line(p, "pubsubd_worker_starts_total{worker=\"0\"} 6");
	check_line(p, "pubsubd_ring_lag_bytes{worker=\"0\"} 192");
	check_line(p, "pubsubd_ring_lag_bytes{worker=\"1\"} 0");
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
	struct page *p = *state;
	struct layout_header *h = p->t.seg.header;
	char line[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		atomic_store(&h->run.order, (uint32_t)cases[i].order);
		atomic_store(&h->run.ready, cases[i].ready);
		put_metrics(p);
		snprintf(line, sizeof(line), "pubsubd_state{state=\"%s\"} 1",
		    cases[i].state);
		check_line(p, line);
		assert_int_equal(count(p, "\npubsubd_state{"), OVERVIEW_STATES);
		assert_int_equal(count(p, "\"} 1\n"), 2); /* and build_info */
	}
	atomic_store(&h->run.order, 99);
	assert_string_equal(overview_state(h), "unknown");
}

/* How workers died, each its last; what they said may need escaping. */
static void
test_deaths_are_told(void **state)
{
	struct page *p = *state;
	struct layout_header *h = p->t.seg.header;

	atomic_store(&h->run.deaths, 7);
	atomic_store(&h->run.lock_deaths, 2);
	atomic_store(&h->run.watchdog_kills, 3);
	strcpy(p->t.seg.workers[1].last_death, "left; its last words: \"x\"");
	overview_json(&p->buf, &p->t.seg, "main");
	assert_int_equal(count(p, "\"deaths\":7,\"lock_deaths\":2,"
				  "\"watchdog_kills\":3,"),
	    1);
	assert_int_equal(count(p, "\"last_death\":null"), 1);
	assert_int_equal(count(p, "\"last_death\":"
				  "\"left; its last words: \\\"x\\\"\""),
	    1);
}

/* Well-formed, with what is only there sometimes and without. */
static void
test_overview_is_json(void **state)
{
	struct page *p = *state;
	struct layout_header *h = p->t.seg.header;
	const char *why;
	size_t where;

	for (int i = 0; i < 2; i++) {
		buf_reset(&p->buf);
		overview_json(&p->buf, &p->t.seg, "main");
		assert_int_equal(
		    json_check(p->buf.at, p->buf.len - 1, &where, &why),
		    JSON_OK);
		assert_int_equal(count(p, "\"admin\":null"), i == 0);
		assert_int_equal(
		    count(p, "\"admin\":\"http://127.0.0.1:8001\""), i == 1);
		assert_int_equal(
		    count(p, "\"listen\":[\"http://a\",\"http://b\"]"), i == 1);
		assert_int_equal(count(p, "\"slot\":"), 2);
		assert_int_equal(count(p, "\"buckets\":[[100,0],[250,0]"), 2);
		strcpy(h->run.admin, "http://127.0.0.1:8001");
		strcpy(h->run.urls, "http://a http://b");
	}
}

/* What is said of the sandbox, as text and as JSON. */
static void
check_sandbox(struct page *p, const char *text, const char *json)
{
	char member[160];

	buf_reset(&p->buf);
	overview_sandbox(&p->buf, &p->t.seg);
	assert_int_equal(p->buf.len, strlen(text));
	assert_memory_equal(p->buf.at, text, p->buf.len);
	buf_reset(&p->buf);
	overview_json(&p->buf, &p->t.seg, "main");
	snprintf(member, sizeof(member), "\"sandbox\":{%s}", json);
	if (count(p, member) != 1)
		fail_msg("%s: %s", member, (const char *)p->buf.at);
}

/* What both workers say; those that are up. */
static void
set_confined(struct page *p, uint32_t first, uint32_t second)
{
	atomic_store(&p->t.seg.workers[0].confined, first);
	atomic_store(&p->t.seg.workers[1].confined, second);
}

static void
test_sandbox_is_what_all_workers_have(void **state)
{
	const uint32_t all =
	    CONFINED_SECCOMP | CONFINED_LANDLOCK | CONFINED_NO_NEW_PRIVS;
	struct page *p = *state;

	set_confined(p, all, all);
	check_sandbox(p, "no worker is up",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":null,\"off\":null");
	atomic_store(&p->t.seg.workers[0].state, WORKER_READY);
	atomic_store(&p->t.seg.workers[1].state, WORKER_STOPPED);
	check_sandbox(p, "seccomp, landlock, no_new_privs",
	    "\"seccomp\":true,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
	set_confined(p, all, all & ~(uint32_t)CONFINED_LANDLOCK);
	check_sandbox(p, "seccomp, no landlock in this kernel, no_new_privs",
	    "\"seccomp\":true,\"landlock\":false,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
	atomic_store(&p->t.seg.workers[1].state, WORKER_STARTING);
	check_sandbox(p, "seccomp, landlock, no_new_privs",
	    "\"seccomp\":true,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":null,\"off\":null");
}

static void
test_no_sandbox_has_a_reason(void **state)
{
	struct page *p = *state;

	atomic_store(&p->t.seg.workers[0].state, WORKER_READY);
	strcpy(p->t.seg.header->run.user, "nobody");
	set_confined(p, CONFINED_NO_NEW_PRIVS | CONFINED_LANDLOCK, 0);
	check_sandbox(p,
	    "no seccomp in this kernel, landlock, no_new_privs, user nobody",
	    "\"seccomp\":false,\"landlock\":true,\"no_new_privs\":true,"
	    "\"user\":\"nobody\",\"off\":null");
	strcpy(p->t.seg.header->run.user, "A\\b");
	set_confined(p, CONFINED_NOT_WANTED, 0);
	check_sandbox(p, "off (--no-sandbox), user A\\b",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":\"A\\\\b\",\"off\":\"--no-sandbox\"");
	strcpy(p->t.seg.header->run.user, "");
	set_confined(p, CONFINED_NOT_BUILT, 0);
	check_sandbox(p, "off (built with sanitizers)",
	    "\"seccomp\":false,\"landlock\":false,\"no_new_privs\":false,"
	    "\"user\":null,"
	    "\"off\":\"built with sanitizers\"");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_every_counter_is_there_for_every_worker),
	T(test_each_metric_has_one_head),
	T(test_buckets_include_those_below),
	T(test_without_a_cluster_there_is_none),
	T(test_cluster),
	T(test_server_as_a_whole),
	T(test_state_is_one_of_all),
	T(test_deaths_are_told),
	T(test_overview_is_json),
	T(test_sandbox_is_what_all_workers_have),
	T(test_no_sandbox_has_a_reason),
};

SUITE_MAIN(tests);
