/* SPDX-License-Identifier: MIT */
/* test_address.c - what common/address.h promises. */

#include "common/address.h"
#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* Parse what must be an address, and write it again. */
static const char *
again(const char *text)
{
	static char out[ADDRESS_TEXT_MAX];
	struct config_address address;

	assert_null(address_parse(&address, text));
	return address_format(&address, out);
}

static void
test_text_survives_parsing_and_formatting(void **state)
{
	static const char *const texts[] = { "127.0.0.1:8000", "0.0.0.0:0",
		"255.255.255.255:65535", "[::1]:8000", "[::]:0",
		"[2001:db8::8a2e:370:7334]:443" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_string_equal(again(texts[i]), texts[i]);
}

static void
test_ipv6_is_written_in_its_shortest_form(void **state)
{
	(void)state;
	assert_string_equal(again("[0:0:0:0:0:0:0:1]:80"), "[::1]:80");
	assert_string_equal(again("[2001:DB8::]:80"), "[2001:db8::]:80");
}

static void
test_the_longest_address_fits(void **state)
{
	const char *longest = "[1111:2222:3333:4444:5555:6666:7777:8888]:65535";

	(void)state;
	assert_string_equal(again(longest), longest);
}

static void
test_socket_address_is_what_the_kernel_wants(void **state)
{
	struct config_address address;
	const struct sockaddr_in *in = (const void *)&address.addr;

	(void)state;
	assert_null(address_parse(&address, "127.0.0.1:8000"));
	assert_int_equal(address.len, sizeof(*in));
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(in->sin_port, htons(8000));
	assert_int_equal(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
}

static void
test_what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "", ":", ":80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:80x", "127.0.0.1: 80",
		"127.0.0.1:-1", "127.0.0.1:+80", "127.0.0.1:65536",
		"127.0.0.1:99999999999999999999", "127.0.1:80", "localhost:80",
		"256.0.0.1:80", "::1:80", "[::1]", "[::1]80", "[::1:80",
		"::1]:80", "[]:80", "[127.0.0.1]:80", "[::1%lo]:80", "[", "]",
		"[:80", "127.0.0.1:80:80",
		"1111111111111111111111111111111111111111111111111:80" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct config_address address;

		if (address_parse(&address, texts[i]) == NULL)
			fail_msg("\"%s\" was taken for an address", texts[i]);
	}
}

static void
test_refusal_says_what_is_wrong(void **state)
{
	struct config_address address;

	(void)state;
	assert_non_null(strstr(
	    address_parse(&address, "127.0.0.1"), "such as 127.0.0.1:8000"));
	assert_non_null(
	    strstr(address_parse(&address, "localhost:80"), "numeric IPv4"));
	assert_non_null(
	    strstr(address_parse(&address, "[::x]:80"), "numeric IPv6"));
	assert_non_null(
	    strstr(address_parse(&address, "127.0.0.1:80000"), "port"));
}

static void
test_port_is_read_and_set_in_both_families(void **state)
{
	struct config_address address;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_null(address_parse(&address, "127.0.0.1:258"));
	assert_int_equal(address_port(&address), 258);
	address_set_port(&address, 8001);
	assert_string_equal(address_format(&address, text), "127.0.0.1:8001");
	assert_null(address_parse(&address, "[::1]:258"));
	assert_int_equal(address_port(&address), 258);
	address_set_port(&address, 8001);
	assert_string_equal(address_format(&address, text), "[::1]:8001");
}

static void
test_equal_means_address_and_port(void **state)
{
	struct config_address a, b;

	(void)state;
	assert_null(address_parse(&a, "[::1]:80"));
	assert_null(address_parse(&b, "[0::1]:80"));
	assert_true(address_equal(&a, &b));
	address_set_port(&b, 81);
	assert_false(address_equal(&a, &b));
	assert_null(address_parse(&b, "127.0.0.1:80"));
	assert_false(address_equal(&a, &b));
}

static void
test_all_addresses_overlap_each(void **state)
{
	struct config_address one, all, other;

	(void)state;
	assert_null(address_parse(&one, "10.1.2.3:80"));
	assert_null(address_parse(&all, "0.0.0.0:80"));
	assert_null(address_parse(&other, "10.1.2.4:80"));
	assert_true(address_overlaps(&one, &one));
	assert_true(address_overlaps(&one, &all));
	assert_true(address_overlaps(&all, &one));
	assert_false(address_overlaps(&one, &other));
	address_set_port(&one, 81);
	assert_false(address_overlaps(&one, &all));
	assert_null(address_parse(&other, "[::]:80"));
	assert_false(address_overlaps(&all, &other));
}

/* That text stands for these addresses, with IPv6 and without. */
static void
check_listen(const char *given, const char *first, const char *second)
{
	struct config_address out[ADDRESS_LISTEN_MAX];
	char text[ADDRESS_TEXT_MAX];
	size_t count;

	assert_null(address_parse_listen(out, &count, given, false));
	assert_int_equal(count, 1);
	assert_string_equal(address_format(&out[0], text), first);
	assert_null(address_parse_listen(out, &count, given, true));
	assert_int_equal(count, second != NULL ? 2 : 1);
	assert_string_equal(address_format(&out[0], text), first);
	if (second != NULL)
		assert_string_equal(address_format(&out[1], text), second);
}

static void
test_where_to_listen_may_be_said_in_short(void **state)
{
	(void)state;
	check_listen("9000", "127.0.0.1:9000", "[::1]:9000");
	check_listen(":9000", "127.0.0.1:9000", "[::1]:9000");
	check_listen("localhost:9000", "127.0.0.1:9000", "[::1]:9000");
	check_listen("LocalHost:0", "127.0.0.1:0", "[::1]:0");
	check_listen("*:9000", "0.0.0.0:9000", "[::]:9000");
	check_listen("10.1.2.3:9000", "10.1.2.3:9000", NULL);
	check_listen("[::1]:9000", "[::1]:9000", NULL);
}

static void
test_where_nobody_can_listen_is_refused(void **state)
{
	static const char *const wrong[] = { "", ":", "x", "localhost",
		"localhost:", "localhost:x", "*", "*:", "**:80", "65536",
		":65536", "-1", "80 ", "nowhere:80", "127.0.0.1", "::1:80",
		"[::1]" };
	struct config_address out[ADDRESS_LISTEN_MAX];
	size_t count;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_non_null(
		    address_parse_listen(out, &count, wrong[i], true));
}

static void
test_a_unix_socket_has_a_path(void **state)
{
	struct config_address one, two, other;
	char text[ADDRESS_TEXT_MAX], longest[ADDRESS_TEXT_MAX] = "unix:/";

	(void)state;
	assert_null(address_parse_unix(&one, "unix:/run/a"));
	assert_true(address_is_unix(&one));
	assert_string_equal(address_path(&one), "/run/a");
	assert_string_equal(address_format(&one, text), "unix:/run/a");
	assert_int_equal(address_port(&one), 0);
	assert_false(address_wants_port(&one));
	assert_int_equal(one.mode, ADDRESS_UNIX_MODE);
	assert_null(address_parse_unix(&two, "unix:/run/a"));
	assert_null(address_parse_unix(&other, "unix:/run/b"));
	assert_true(address_equal(&one, &two));
	assert_true(address_overlaps(&one, &two));
	assert_false(address_equal(&one, &other));
	assert_false(address_overlaps(&one, &other));
	memset(longest + 6, 'x', 106);
	assert_null(address_parse_unix(&one, longest));
	assert_string_equal(address_format(&one, text), longest);
	strcat(longest, "x");
	assert_non_null(address_parse_unix(&one, longest));
}

static void
test_other_paths_are_refused(void **state)
{
	static const char *const wrong[] = { "", "unix", "unix:", "unix:a",
		"unix:./a", "unix://a b", "unix:/a\n", "unix:/a,b",
		"unix:/\xc3\xa4", "/run/a", "UNIX:/run/a" };
	struct config_address address;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_non_null(address_parse_unix(&address, wrong[i]));
}

static void
test_a_port_may_be_the_kernels_choice(void **state)
{
	struct config_address address;

	(void)state;
	assert_null(address_parse(&address, "127.0.0.1:0"));
	assert_true(address_wants_port(&address));
	assert_null(address_parse(&address, "127.0.0.1:1"));
	assert_false(address_wants_port(&address));
	assert_false(address_is_unix(&address));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_unix_socket_has_a_path),
	cmocka_unit_test(test_other_paths_are_refused),
	cmocka_unit_test(test_a_port_may_be_the_kernels_choice),
	cmocka_unit_test(test_text_survives_parsing_and_formatting),
	cmocka_unit_test(test_ipv6_is_written_in_its_shortest_form),
	cmocka_unit_test(test_the_longest_address_fits),
	cmocka_unit_test(test_socket_address_is_what_the_kernel_wants),
	cmocka_unit_test(test_what_is_no_address_is_refused),
	cmocka_unit_test(test_refusal_says_what_is_wrong),
	cmocka_unit_test(test_port_is_read_and_set_in_both_families),
	cmocka_unit_test(test_equal_means_address_and_port),
	cmocka_unit_test(test_all_addresses_overlap_each),
	cmocka_unit_test(test_where_to_listen_may_be_said_in_short),
	cmocka_unit_test(test_where_nobody_can_listen_is_refused),
};

SUITE_MAIN(tests);
