/* SPDX-License-Identifier: MIT */
/* test_address_limits.c - what worker/net/address_limits.h promises, one test
 * per promise. */

#include "tests/support/suite.h"
#include "worker/net/address_limits.h"

#include <string.h>

static struct ip_address
peer(const char *text)
{
	struct ip_address ip;

	assert_true(ip_parse(&ip, text, strlen(text)));
	return ip;
}

static struct address_share *
take(struct address_limits *shares, const char *text)
{
	struct ip_address ip = peer(text);
	uint32_t wait_ms;

	return address_add_conn(shares, &ip, 0, &wait_ms);
}

/* Whether two peers are counted as one. */
static bool
is_one(const char *a, const char *b)
{
	struct address_limits shares;
	struct address_share *first, *second;
	bool one;

	address_limits_init(&shares, 0, NULL);
	first = take(&shares, a);
	second = take(&shares, b);
	one = first == second;

	assert_int_equal(address_count(first), one ? 2 : 1);
	address_remove_conn(&shares, first, 0);
	address_remove_conn(&shares, second, 0);
	address_limits_fini(&shares);
	return one;
}

static void
test_ipv4_counts_by_the_whole_address(void **state)
{
	(void)state;
	assert_true(is_one("192.0.2.1", "192.0.2.1"));
	assert_false(is_one("192.0.2.1", "192.0.2.2"));
	assert_false(is_one("192.0.2.1", "193.0.2.1"));
}

static void
test_mapped_ipv4_is_ipv4(void **state)
{
	(void)state;
	assert_true(is_one("192.0.2.1", "::ffff:192.0.2.1"));
	assert_false(is_one("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
}

static void
test_ipv6_counts_by_its_network(void **state)
{
	(void)state;
	assert_true(is_one("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
	assert_false(is_one("2001:db8:1:2::1", "2001:db8:1:3::1"));
	assert_false(is_one("2001:db8:1:2::1", "3001:db8:1:2::1"));
	/* the bytes of an IPv4 address elsewhere */
	assert_false(is_one("192.0.2.1", "c000:201::1"));
	assert_false(is_one("192.0.2.1", "64:ff9b::192.0.2.1"));
}

static void
test_each_connection_counts_until_given_back(void **state)
{
	struct address_share *one, *other;
	struct address_limits shares;

	(void)state;
	address_limits_init(&shares, 0, NULL);
	one = take(&shares, "192.0.2.1");
	for (uint32_t i = 2; i <= 1000; i++) {
		assert_ptr_equal(take(&shares, "192.0.2.1"), one);
		assert_int_equal(address_count(one), i);
	}
	other = take(&shares, "192.0.2.2");
	for (uint32_t i = 1000; i > 1; i--) {
		assert_int_equal(address_count(one), i);
		address_remove_conn(&shares, one, 0);
	}
	assert_int_equal(address_count(one), 1);
	address_remove_conn(&shares, one, 0);
	assert_int_equal(address_count(other), 1);
	address_remove_conn(&shares, other, 0);
	address_limits_fini(&shares);
}

/* Come and go at this tick.  Returns how long one has to wait, milliseconds. */
static uint32_t
visit(struct address_limits *shares, const char *text, uint32_t now)
{
	struct ip_address ip = peer(text);
	uint32_t wait_ms;

	address_remove_conn(
	    shares, address_add_conn(shares, &ip, now, &wait_ms), now);
	return wait_ms;
}

static void
test_new_ones_have_a_rate_for_each_address(void **state)
{
	struct address_limits shares;

	(void)state;
	address_limits_init(&shares, 8, NULL);
	for (int i = 0; i < 8; i++)
		assert_int_equal(visit(&shares, "192.0.2.1", 0), 0);
	/* Those who come too early are served one after the other. */
	for (uint32_t i = 1; i <= 40; i++)
		assert_int_equal(visit(&shares, "192.0.2.1", 0), i * 125);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    visit(&shares, "192.0.2.1", 0), ADDRESS_REFUSED);
	assert_int_equal(visit(&shares, "192.0.2.2", 0), 0);
	/* Having been refused costs nothing: a quarter of a second, two more.
	 */
	assert_int_equal(visit(&shares, "192.0.2.1", 1), 39 * 125);
	assert_int_equal(visit(&shares, "192.0.2.1", 1), 40 * 125);
	assert_int_equal(visit(&shares, "192.0.2.1", 1), ADDRESS_REFUSED);
	address_limits_fini(&shares);
}

/* After a restart the clients of one gateway come back at once: they are not
 * new, as many as there were. */
static void
test_who_was_there_before_is_not_new(void **state)
{
	struct address_limits shares;
	_Atomic uint32_t returning = 5;

	(void)state;
	address_limits_init(&shares, 2, &returning);
	for (int i = 0; i < 2 + 5; i++)
		assert_int_equal(visit(&shares, "192.0.2.1", 0), 0);
	assert_int_equal(returning, 0);
	assert_int_equal(visit(&shares, "192.0.2.1", 0), 500);
	returning = 5; /* nobody comes back after a minute */
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    visit(&shares, "192.0.2.2", ADDRESS_RETURN_TICKS + 1), 0);
	assert_int_equal(
	    visit(&shares, "192.0.2.2", ADDRESS_RETURN_TICKS + 1), 500);
	address_limits_fini(&shares);
}

/* Or its rate would be new with every connection. */
static void
test_an_address_is_known_until_its_rate_is_whole(void **state)
{
	const uint32_t kept = (1000 + ADDRESS_WAIT_MAX_MS) / WHEEL_TICK_MS;
	struct address_limits shares;

	(void)state;
	address_limits_init(&shares, 1, NULL);
	assert_int_equal(visit(&shares, "192.0.2.1", 10), 0);
	assert_int_equal(visit(&shares, "192.0.2.2", 12), 0);
	address_limits_tick(&shares, 14);
	assert_int_not_equal(visit(&shares, "192.0.2.2", 14), 0);
	address_limits_tick(&shares, 11 + kept);
	address_limits_tick(&shares, 15 + kept);
	assert_null(shares.by_address);
	assert_int_equal(visit(&shares, "192.0.2.2", 15 + kept), 0);
	address_limits_fini(&shares);
}

static void
test_who_comes_back_stays_known(void **state)
{
	struct address_limits shares;
	struct address_share *share;

	(void)state;
	address_limits_init(&shares, 1, NULL);
	assert_int_equal(visit(&shares, "192.0.2.1", 0), 0);
	share = take(&shares, "192.0.2.1");
	address_limits_tick(&shares, 100);
	assert_int_equal(address_count(share), 1);
	address_remove_conn(&shares, share, 100);
	address_limits_tick(
	    &shares, 101 + (1000 + ADDRESS_WAIT_MAX_MS) / WHEEL_TICK_MS);
	assert_null(shares.by_address);
	address_limits_fini(&shares);
}

static void
test_rate_of_none_is_any(void **state)
{
	struct address_limits shares;

	(void)state;
	address_limits_init(&shares, 0, NULL);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(visit(&shares, "192.0.2.1", 0), 0);
	address_limits_fini(&shares);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_ipv4_counts_by_the_whole_address),
	cmocka_unit_test(test_mapped_ipv4_is_ipv4),
	cmocka_unit_test(test_ipv6_counts_by_its_network),
	cmocka_unit_test(test_each_connection_counts_until_given_back),
	cmocka_unit_test(test_new_ones_have_a_rate_for_each_address),
	cmocka_unit_test(test_who_was_there_before_is_not_new),
	cmocka_unit_test(test_an_address_is_known_until_its_rate_is_whole),
	cmocka_unit_test(test_who_comes_back_stays_known),
	cmocka_unit_test(test_rate_of_none_is_any),
};

SUITE_MAIN(tests);
