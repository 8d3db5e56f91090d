/* SPDX-License-Identifier: MIT */
/* test_ip.c - what common/ip.h promises. */

#include "common/ip.h"
#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct ip_address
ip(const char *text)
{
	struct ip_address parsed;

	assert_true(ip_parse(&parsed, text, strlen(text)));
	return parsed;
}

static void
test_an_address_is_written_in_one_way(void **state)
{
	static const char *const pairs[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "::ffff:192.0.2.1", "192.0.2.1" },
		{ "::ffff:c000:201", "192.0.2.1" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "unix" },
		{ "::192.0.2.1", "::192.0.2.1" }, /* not mapped */
		{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	char text[IP_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct ip_address parsed = ip(pairs[i][0]);

		assert_string_equal(ip_format(&parsed, text), pairs[i][1]);
	}
}

static void
test_what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "", "1", "1.2.3", "1.2.3.4.5",
		"1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "0x7f.1",
		"[::1]", "::1%lo", ":", ":::", "1:2", "::g", "1.2.3.4:80",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555", "localhost" };
	struct ip_address parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_false(ip_parse(&parsed, texts[i], strlen(texts[i])));
	assert_false(ip_parse(&parsed, "1.2.3.4\0", 8));
	assert_true(ip_parse(&parsed, "1.2.3.45", 7)); /* only so many bytes */
	assert_true(parsed.at[15] == 4);
}

static void
test_that_of_a_socket_is_without_its_family(void **state)
{
	struct sockaddr_storage from = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&from;
	struct sockaddr_in6 *in6 = (void *)&from;
	struct ip_address wanted = ip("192.0.2.1"), got;

	(void)state;
	inet_pton(AF_INET, "192.0.2.1", &in->sin_addr);
	assert_true(ip_from_sockaddr(&got, &from));
	assert_true(ip_equal(&got, &wanted));
	from.ss_family = AF_INET6;
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6->sin6_addr);
	assert_true(ip_from_sockaddr(&got, &from));
	assert_true(ip_equal(&got, &wanted));
	from.ss_family = AF_UNIX;
	assert_true(ip_from_sockaddr(&got, &from));
	assert_true(ip_is_unspecified(&got));
	from.ss_family = AF_UNSPEC;
	assert_false(ip_from_sockaddr(&got, &from));
}

static bool
is_loopback(const char *text)
{
	struct ip_address parsed = ip(text);

	return ip_is_loopback(&parsed);
}

static void
test_loopback_is_known_in_all_its_forms(void **state)
{
	(void)state;
	assert_true(is_loopback("127.0.0.1"));
	assert_true(is_loopback("127.255.0.9"));
	assert_true(is_loopback("::1"));
	assert_true(is_loopback("::ffff:127.0.0.1"));
	assert_false(is_loopback("126.255.255.255"));
	assert_false(is_loopback("128.0.0.1"));
	assert_false(is_loopback("10.0.0.127"));
	assert_false(is_loopback("::"));
	assert_false(is_loopback("::2"));
	assert_false(is_loopback("::127.0.0.1")); /* not mapped */
	assert_false(is_loopback("7f00::1"));
	assert_false(is_loopback("::ffff:128.0.0.1"));
}

static void
test_no_host_is_the_unspecified_one(void **state)
{
	struct ip_address v4 = ip("0.0.0.0"), v6 = ip("::"), other = ip("::1");

	(void)state;
	assert_true(ip_is_unspecified(&v4));
	assert_true(ip_is_unspecified(&v6));
	assert_false(ip_is_unspecified(&other));
}

/* Whether the network has the address. */
static bool
has(const char *network_text, const char *text)
{
	struct ip_address parsed = ip(text);
	struct ip_network network;

	assert_null(ip_network_parse(&network, network_text));
	return ip_is_among(&parsed, &network, 1);
}

static void
test_a_network_has_what_begins_alike(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.255.255"));
	assert_false(has("10.0.0.0/8", "11.0.0.0"));
	assert_true(has("192.0.2.8/29", "192.0.2.15"));
	assert_false(has("192.0.2.8/29", "192.0.2.7"));
	assert_false(has("192.0.2.8/29", "192.0.2.16"));
	assert_true(has("192.0.2.1", "192.0.2.1"));
	assert_false(has("192.0.2.1", "192.0.2.0"));
	assert_true(has("0.0.0.0/0", "203.0.113.9"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("2001:db8::/32", "2001:db8:ffff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:ffff::1"));
	assert_false(has("2001:db8::/32", "2001:db9::"));
	assert_true(has("::1", "::1"));
	assert_true(has("::/0", "192.0.2.1"));
}

static void
test_ipv4_is_the_same_mapped_into_ipv6(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "::ffff:10.1.2.3"));
	assert_true(has("::ffff:10.0.0.0/104", "10.1.2.3"));
	assert_false(has("::ffff:10.0.0.0/104", "11.1.2.3"));
}

static void
test_what_is_no_network_is_refused(void **state)
{
	static const char *const texts[] = { "", "/8", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
		"10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10/8",
		"10.0.0.1/8", "::/129", "2001:db8::1/64", "::/1000", "[::1]",
		"localhost", "*", "10.0.0.0/99999999999999999999" };
	struct ip_network network;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_non_null(ip_network_parse(&network, texts[i]));
}

static void
test_any_of_the_networks_will_do(void **state)
{
	struct ip_address inside = ip("192.0.2.1"), outside = ip("192.0.2.2");
	struct ip_network networks[2];

	(void)state;
	assert_null(ip_network_parse(&networks[0], "10.0.0.0/8"));
	assert_null(ip_network_parse(&networks[1], "192.0.2.1"));
	assert_true(ip_is_among(&inside, networks, 2));
	assert_false(ip_is_among(&inside, networks, 1));
	assert_false(ip_is_among(&inside, networks, 0));
	assert_false(ip_is_among(&outside, networks, 2));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_an_address_is_written_in_one_way),
	cmocka_unit_test(test_what_is_no_address_is_refused),
	cmocka_unit_test(test_that_of_a_socket_is_without_its_family),
	cmocka_unit_test(test_loopback_is_known_in_all_its_forms),
	cmocka_unit_test(test_no_host_is_the_unspecified_one),
	cmocka_unit_test(test_a_network_has_what_begins_alike),
	cmocka_unit_test(test_ipv4_is_the_same_mapped_into_ipv6),
	cmocka_unit_test(test_what_is_no_network_is_refused),
	cmocka_unit_test(test_any_of_the_networks_will_do),
};

SUITE_MAIN(tests);
