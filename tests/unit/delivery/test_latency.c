/* SPDX-License-Identifier: MIT */
/*
 * test_latency.c - what worker/delivery/latency.h promises, with whole workers.
 *
 * Time is put in by hand where it matters: the stamp of a batch is changed in
 * the segment before the worker that measures has its turn.
 */

#include "common/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <string.h>

#define MS UINT64_C(1000000) /* nanoseconds */

/* Messages counted by a worker, and those that took at most so many ms. */
static uint64_t
measured(const struct crew *crew, unsigned worker)
{
	const struct stats_delays *d = &crew->t.seg.workers[worker].delays;
	uint64_t sum = 0;

	for (unsigned i = 0; i <= STATS_DELAY_BOUNDS; i++)
		sum += atomic_load(&d->count[i]);
	return sum;
}

static uint64_t
measured_between(
    const struct crew *crew, unsigned worker, uint64_t above, uint64_t to)
{
	const struct stats_delays *d = &crew->t.seg.workers[worker].delays;
	uint64_t sum = 0;

	for (unsigned i = 1; i < STATS_DELAY_BOUNDS; i++)
		if (stats_delay_bounds_ns[i - 1] >= above &&
		    stats_delay_bounds_ns[i] <= to)
			sum += atomic_load(&d->count[i]);
	return sum;
}

static uint64_t
sum_ns(const struct crew *crew, unsigned worker)
{
	return atomic_load(&crew->t.seg.workers[worker].delays.sum_ns);
}

/* Make the last batch one that was accepted so long ago. */
static void
age(struct crew *crew, uint64_t ns)
{
	uint64_t last = atomic_load(&crew->t.seg.header->stamped) - 1;

	atomic_store(&crew->t.seg.stamps[last % LAYOUT_STAMPS].ns,
	    clock_monotonic_ns() - ns);
}

/* Turns of worker 0 alone. */
static void
turn_until_published(struct crew *crew, uint64_t messages)
{
	for (int i = 0; i < 10; i++)
		if (crew_stat(crew, 0, STATS_MESSAGES_IN) < messages)
			crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), messages);
}

static void
test_each_message_counts_once_per_worker(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *c;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "?topic=a");
	b = peer_open(crew, 0, "?topic=a");
	c = peer_open(crew, 1, "?topic=a");
	for (int i = 0; i < 5; i++)
		peer_publish(a, "a", "x");
	crew_run(crew);
	assert_int_equal(measured(crew, 0), 5);
	assert_int_equal(measured(crew, 1), 5);
	assert_true(sum_ns(crew, 0) > 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_OUT), 10);
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
}

static void
test_what_nobody_here_wants_does_not_count(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "?topic=a");
	b = peer_open(crew, 1, "?topic=b");
	peer_publish(a, "a", "x");
	crew_run(crew);
	assert_int_equal(measured(crew, 0), 1);
	assert_int_equal(measured(crew, 1), 0);
	peer_close(&a);
	peer_close(&b);
}

/* From the publisher's turn to the other worker's. */
static void
test_time_until_the_worker_s_turn_counts(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 1, "?topic=a");
	peer_publish(a, "a", "x");
	peer_publish(a, "a", "y");
	turn_until_published(crew, 2);
	age(crew, 40 * MS);
	crew_run(crew);
	assert_int_equal(measured_between(crew, 1, 25 * MS, 10000 * MS), 2);
	assert_true(sum_ns(crew, 1) >= 2 * 40 * MS);
	peer_close(&a);
	peer_close(&b);
}

/* A publisher that waits for the lock has accepted its messages already. */
static void
test_time_until_the_lock_is_had_counts(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct ring other;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=a");
	ring_attach(&other, &crew->t.seg, 5);
	hand_lock(&other);
	peer_publish(a, "a", "x");
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_LOCK_BUSY), 1);
	ring_unlock(&other);
	CREW_UNTIL(crew, measured(crew, 0) == 1);
	assert_true(sum_ns(crew, 0) >= RING_LOCK_WAIT_MS * MS);
	ring_detach(&other);
	peer_close(&a);
}

/* The stamp is gone: the record's own time is what is left. */
static void
test_very_late_worker_goes_by_the_record_s_time(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 1, "?topic=a");
	peer_publish(a, "a", "x");
	turn_until_published(crew, 1);
	for (unsigned i = 0; i < 2 * LAYOUT_STAMPS; i++)
		stamps_add(&crew->t.seg, 0); /* since the host was started */
	crew_run(crew);
	assert_int_equal(measured(crew, 1), 1);
	assert_true(sum_ns(crew, 1) < CREW_SECONDS * 1000 * MS);
	peer_close(&a);
	peer_close(&b);
}

/* A history that is asked for says nothing about delays. */
static void
test_replay_does_not_count(void **state)
{
	static const char hello[] =
	    "GET /ws HTTP/1.1\r\nHost: localhost:8000\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Protocol: pubsubd.v1\r\n\r\n";
	static const char want[] =
	    "{\"type\":\"subscribe\",\"topic\":\"a\",\"history\":9}";
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 2);
	a = peer_open(crew, 0, "?topic=a");
	peer_publish(a, "a", "x");
	crew_run(crew);
	b = peer_connect(crew, 1, 0);
	peer_send_string(b, hello);
	peer_frame(b, WS_TEXT, want, strlen(want));
	CREW_UNTIL(crew, crew_stat(crew, 1, STATS_MESSAGES_OUT) == 1);
	assert_int_equal(measured(crew, 1), 0);
	peer_publish(a, "a", "y");
	crew_run(crew);
	assert_int_equal(measured(crew, 1), 1);
	peer_close(&a);
	peer_close(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_message_counts_once_per_worker),
	T(test_what_nobody_here_wants_does_not_count),
	T(test_time_until_the_worker_s_turn_counts),
	T(test_time_until_the_lock_is_had_counts),
	T(test_very_late_worker_goes_by_the_record_s_time),
	T(test_replay_does_not_count),
};

SUITE_MAIN(tests);
