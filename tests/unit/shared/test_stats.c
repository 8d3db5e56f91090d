/* SPDX-License-Identifier: MIT */
/* test_stats.c - what broker/shared/stats.h promises. */

#include "broker/shared/layout.h"
#include "broker/shared/stats.h"
#include "tests/support/suite.h"

#include <string.h>

static void
test_every_counter_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < STATS_COUNT; i++) {
		assert_non_null(stats_info[i].name);
		assert_true(strlen(stats_info[i].what) > 0);
		assert_int_equal(
		    strspn(stats_info[i].name, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(stats_info[i].name));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
			    stats_info[i].name, stats_info[k].name);
	}
}

static void
test_name_belongs_to_its_number(void **state)
{
	(void)state;
	assert_string_equal(stats_info[STATS_MESSAGES_IN].name, "messages_in");
	assert_string_equal(stats_info[STATS_CONNECTIONS].name, "connections");
	assert_int_equal(stats_info[STATS_CONNECTIONS].kind, STATS_GAUGE);
	assert_string_equal(stats_info[STATS_LOG_DROPPED].name, "log_dropped");
	assert_int_equal(stats_info[STATS_LOG_DROPPED].kind, STATS_COUNTER);
}

static void
test_adding_and_setting_touch_one_counter(void **state)
{
	struct layout_worker worker;
	struct stats stats = { worker.counters };

	(void)state;
	memset(&worker, 0, sizeof(worker));
	stats_add(&stats, STATS_DROPS, 5);
	stats_add(&stats, STATS_DROPS, 7);
	stats_set(&stats, STATS_CONNECTIONS, 10);
	for (int i = 0; i < STATS_COUNT; i++)
		assert_int_equal(stats_get(worker.counters, (enum stats_id)i),
		    i == STATS_DROPS         ? 12
		    : i == STATS_CONNECTIONS ? 10
					     : 0);
}

static void
test_counter_may_exceed_32_bits(void **state)
{
	struct layout_worker worker;
	struct stats stats = { worker.counters };

	(void)state;
	memset(&worker, 0, sizeof(worker));
	stats_add(&stats, STATS_BYTES_OUT, UINT32_MAX);
	stats_add(&stats, STATS_BYTES_OUT, UINT32_MAX);
	assert_int_equal(stats_get(worker.counters, STATS_BYTES_OUT),
	    2 * (uint64_t)UINT32_MAX);
}

static void
test_reset_clears_gauges_and_keeps_counters(void **state)
{
	struct layout_worker worker;
	struct stats stats = { worker.counters };
	int gauges = 0;

	(void)state;
	memset(&worker, 0, sizeof(worker));
	for (int i = 0; i < STATS_COUNT; i++)
		stats_set(&stats, (enum stats_id)i, 9);
	stats_reset_gauges(worker.counters);
	for (int i = 0; i < STATS_COUNT; i++) {
		bool gauge = stats_info[i].kind == STATS_GAUGE;

		gauges += gauge;
		assert_int_equal(stats_get(worker.counters, (enum stats_id)i),
		    gauge ? 0 : 9);
	}
	assert_in_range(gauges, 1, STATS_COUNT - 1);
}

/* What /metrics rests on: it writes one heading for neighbours. */
static void
test_counters_of_one_metric_stand_together(void **state)
{
	(void)state;
	for (int i = 0; i < STATS_COUNT; i++) {
		const struct stats_info *info = &stats_info[i];

		assert_int_equal(
		    strspn(info->metric, "abcdefghijklmnopqrstuvwxyz_"),
		    strlen(info->metric));
		for (int k = 0; k < i; k++) {
			const struct stats_info *other = &stats_info[k];

			if (strcmp(other->metric, info->metric) != 0)
				continue;
			assert_string_equal(
			    stats_info[i - 1].metric, info->metric);
			assert_int_equal(other->kind, info->kind);
			assert_string_not_equal(other->reason, info->reason);
			assert_int_equal(strcspn(other->what, ":"),
			    strcspn(info->what, ":"));
			assert_memory_equal(
			    other->what, info->what, strcspn(info->what, ":"));
		}
	}
}

static void
test_delay_is_counted_at_its_bound(void **state)
{
	struct stats_delays delays;
	uint64_t sum = 0;

	(void)state;
	memset(&delays, 0, sizeof(delays));
	for (unsigned i = 0; i < STATS_DELAY_BOUNDS; i++) {
		uint64_t bound = stats_delay_bounds_ns[i];

		if (i > 0)
			assert_true(bound > stats_delay_bounds_ns[i - 1]);
		stats_delay_add(&delays, bound, 1);
		stats_delay_add(&delays, bound + 1, 2);
		sum += bound + 2 * (bound + 1);
		assert_int_equal(delays.count[i], i == 0 ? 1 : 3);
		assert_int_equal(delays.count[i + 1], 2);
	}
	assert_int_equal(delays.sum_ns, sum);
	stats_delay_add(&delays, 0, 1);
	assert_int_equal(delays.count[0], 2);
	stats_delay_add(&delays, UINT64_MAX / 2, 1);
	assert_int_equal(delays.count[STATS_DELAY_BOUNDS], 3);
}

static void
test_merge_replaces_gauges_and_adds_counters(void **state)
{
	_Atomic uint64_t slot[STATS_COUNT] = { 0 }, own[STATS_COUNT] = { 0 };

	(void)state;
	slot[STATS_CONNECTIONS] = 900;
	own[STATS_CONNECTIONS] = 7;
	slot[STATS_ACCEPTED] = 1000;
	own[STATS_ACCEPTED] = 3;
	stats_merge(slot, own);
	assert_int_equal(stats_get(slot, STATS_CONNECTIONS), 7);
	assert_int_equal(stats_get(slot, STATS_ACCEPTED), 1003);
	assert_int_equal(stats_get(slot, STATS_TOPICS), 0);
	assert_int_equal(stats_get(own, STATS_ACCEPTED), 3);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_every_counter_has_a_name_of_its_own),
	cmocka_unit_test(test_name_belongs_to_its_number),
	cmocka_unit_test(test_adding_and_setting_touch_one_counter),
	cmocka_unit_test(test_counter_may_exceed_32_bits),
	cmocka_unit_test(test_reset_clears_gauges_and_keeps_counters),
	cmocka_unit_test(test_merge_replaces_gauges_and_adds_counters),
	cmocka_unit_test(test_counters_of_one_metric_stand_together),
	cmocka_unit_test(test_delay_is_counted_at_its_bound),
};

SUITE_MAIN(tests);
