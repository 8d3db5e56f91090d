/* SPDX-License-Identifier: MIT */
/* test_hosts.c - what broker/cli/client/hosts.h promises of where a client goes,
 * and when. */

#include "broker/cli/client/hosts.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define NOW 1000000u

static struct hosts hosts;

static const struct outcome lost = { .kind = CLIENT_LOST };
static const struct outcome absent = { .kind = CLIENT_UNREACHABLE };
static const struct outcome restarts = { .kind = CLIENT_CLOSED, .code = 1012 };

static int
setup(void **state)
{
	(void)state;
	hosts = (struct hosts){ 0 };
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hosts_fini(&hosts);
	return 0;
}

/* Have so many: "a", "b" ... */
static void
have(unsigned n)
{
	struct url url = { .text = "a" };

	for (; n > 0; n--) {
		hosts_add(&hosts, &url);
		url.text[0]++;
	}
}

/* A try begins here. */
static void
go(const char *where)
{
	assert_string_equal(hosts_next(&hosts)->url.text, where);
	hosts_go(&hosts);
	assert_string_equal(hosts_here(&hosts)->url.text, where);
}

static uint64_t
leave(const struct outcome *end, bool was_open, uint64_t after)
{
	return hosts_lost(&hosts, end, was_open, NOW + after, UINT32_MAX);
}

static void
test_the_others_are_passed_through_in_turn(void **state)
{
	(void)state;
	have(3);
	go("a");
	assert_true(hosts_have_untried(&hosts));
	/* It has the clients of a host to take: at random in half a second. */
	assert_int_equal(leave(&lost, true, 0), 500);
	go("b");
	/* Nobody was cut off there. */
	assert_int_equal(leave(&absent, false, 0), 0);
	go("c");
	assert_false(hosts_have_untried(&hosts));
	assert_int_equal(leave(&lost, true, 500), 500);
	go("a");
}

static void
test_one_alone_is_waited_for(void **state)
{
	(void)state;
	have(1);
	go("a");
	assert_int_equal(leave(&lost, true, 0), 500);
	go("a");
	assert_int_equal(leave(&absent, false, 0), 1000);
	go("a");
	assert_int_equal(leave(&absent, false, 0), 2000);
}

static void
test_each_is_left_alone_for_its_own_time(void **state)
{
	(void)state;
	have(2);
	go("a");
	hosts_here(&hosts)->retry.welcome.min_ms = 8000;
	hosts_here(&hosts)->retry.welcome.max_ms = 8000;
	leave(&lost, true, 0);
	go("b");
	hosts_here(&hosts)->retry.welcome.min_ms = 3000;
	hosts_here(&hosts)->retry.welcome.max_ms = 60000;
	/* b's time comes first, again and again, until it is a's. */
	assert_int_equal(leave(&absent, false, 0), 3000);
	go("b");
	assert_int_equal(leave(&absent, false, 3000), 5000);
	go("a");
	assert_int_equal(leave(&absent, false, 8000), 1000);
	go("b");
}

static void
test_who_drains_says_how_to_spread(void **state)
{
	(void)state;
	have(2);
	go("a");
	hosts_here(&hosts)->retry.has_drain = true;
	hosts_here(&hosts)->retry.drain.max_ms = 7000;
	assert_int_equal(leave(&restarts, true, 0), 7000);
	go("b");
	/* Which is no failure of a. */
	assert_int_equal(leave(&restarts, true, 7000), 500);
	go("a");
	assert_int_equal(hosts_here(&hosts)->retry.attempt, 0);
}

static void
test_what_is_about_the_client_is_no_reason_to_go(void **state)
{
	const struct outcome ends[] = {
		{ .kind = CLIENT_UNREADY },
		{ .kind = CLIENT_CLOSED, .code = 4103 },
		{ .kind = CLIENT_CLOSED, .code = 4200 },
	};

	(void)state;
	have(2);
	go("a");
	for (size_t i = 0; i < COUNT(ends); i++) {
		uint64_t wait = leave(&ends[i], true, 0);

		assert_true(ends[i].code == 4200 ? wait == 0 : wait > 0);
		go("a");
	}
}

static void
test_what_is_there_twice_counts_once(void **state)
{
	struct url url = { .text = "a" };

	(void)state;
	have(2);
	hosts_add(&hosts, &url);
	assert_int_equal(hosts.len, 2);
}

static void
test_the_first_stays_the_first(void **state)
{
	static const uint32_t orders[][4] = { { 0, 0, 0, 0 }, { 9, 1, 0, 0 },
		{ 9, 2, 1, 0 } };
	static const char *const expected[] = { "abcd", "acbd", "adbc" };

	(void)state;
	for (size_t i = 0; i < COUNT(orders); i++) {
		char order[5] = "";

		hosts_fini(&hosts);
		have(4);
		hosts_shuffle(&hosts, orders[i]);
		for (size_t k = 0; k < 4; k++)
			order[k] = hosts.all[k].url.text[0];
		if (strcmp(order, expected[i]) != 0)
			fail_msg("%s, not %s", order, expected[i]);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_the_others_are_passed_through_in_turn, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_one_alone_is_waited_for, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_each_is_left_alone_for_its_own_time, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_who_drains_says_how_to_spread, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_what_is_about_the_client_is_no_reason_to_go, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_what_is_there_twice_counts_once, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_the_first_stays_the_first, setup, teardown),
};

SUITE_MAIN(tests);
