/* SPDX-License-Identifier: MIT */
/* test_share.c - what worker/share.h promises, one test per promise. */

#include "tests/support/suite.h"
#include "worker/share.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* A peer's address; of IPv6 if it has a colon.  Its port is of no account. */
static struct sockaddr_storage
peer(const char *text)
{
	static uint16_t port = 1024;
	struct sockaddr_storage ss;
	struct sockaddr_in *in = (void *)&ss;
	struct sockaddr_in6 *in6 = (void *)&ss;

	memset(&ss, 0, sizeof(ss));
	if (strchr(text, ':') != NULL) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port++);
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port++);
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return ss;
}

static bool
is_exempt(const char *text)
{
	struct sockaddr_storage ss = peer(text);

	return share_is_exempt(&ss);
}

static struct share *
take(struct share **shares, const char *text)
{
	struct sockaddr_storage ss = peer(text);

	return share_take(shares, &ss);
}

/* Whether two peers are counted as one. */
static bool
is_one(const char *a, const char *b)
{
	struct share *shares = NULL;
	struct share *first = take(&shares, a);
	struct share *second = take(&shares, b);
	bool one = first == second;

	assert_int_equal(share_count(first), one ? 2 : 1);
	share_give(&shares, first);
	share_give(&shares, second);
	assert_null(shares);
	return one;
}

static void
test_loopback_is_exempt(void **state)
{
	(void)state;
	assert_true(is_exempt("127.0.0.1"));
	assert_true(is_exempt("127.255.0.9"));
	assert_true(is_exempt("::1"));
	assert_true(is_exempt("::ffff:127.0.0.1"));
}

static void
test_nobody_else_is_exempt(void **state)
{
	(void)state;
	assert_false(is_exempt("126.255.255.255"));
	assert_false(is_exempt("128.0.0.1"));
	assert_false(is_exempt("10.0.0.127"));
	assert_false(is_exempt("::"));
	assert_false(is_exempt("::2"));
	assert_false(is_exempt("::127.0.0.1")); /* not mapped */
	assert_false(is_exempt("7f00::1"));
	assert_false(is_exempt("::ffff:128.0.0.1"));
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
	struct share *shares = NULL, *one, *other;

	(void)state;
	one = take(&shares, "192.0.2.1");
	for (uint32_t i = 2; i <= 1000; i++) {
		assert_ptr_equal(take(&shares, "192.0.2.1"), one);
		assert_int_equal(share_count(one), i);
	}
	other = take(&shares, "192.0.2.2");
	for (uint32_t i = 1000; i > 1; i--) {
		assert_int_equal(share_count(one), i);
		share_give(&shares, one);
	}
	assert_int_equal(share_count(one), 1);
	share_give(&shares, one);
	assert_int_equal(share_count(other), 1);
	share_give(&shares, other);
	assert_null(shares);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_loopback_is_exempt),
	cmocka_unit_test(test_nobody_else_is_exempt),
	cmocka_unit_test(test_ipv4_counts_by_the_whole_address),
	cmocka_unit_test(test_mapped_ipv4_is_ipv4),
	cmocka_unit_test(test_ipv6_counts_by_its_network),
	cmocka_unit_test(test_each_connection_counts_until_given_back),
};

SUITE_MAIN(tests);
