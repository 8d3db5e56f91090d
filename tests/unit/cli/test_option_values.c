/* SPDX-License-Identifier: MIT */
/* test_option_values.c - what broker/cli/option_values.h promises. */

#include "broker/cli/option_values.h"
#include "tests/support/suite.h"

#include <string.h>

static char why[VALUES_WHY_MAX];

static void
test_count_reads_numbers_within_its_bounds(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(value_count("1", 1, 64, &n, why));
	assert_int_equal(n, 1);
	assert_true(value_count("064", 1, 64, &n, why));
	assert_int_equal(n, 64);
	assert_true(value_count("0", 0, 0, &n, why));
	assert_int_equal(n, 0);
}

static void
test_count_refuses_the_rest(void **state)
{
	static const char *const texts[] = { "", "0", "65", "-1", "+1", " 1",
		"1 ", "1.0", "0x10", "1K", "one", "18446744073709551616",
		"99999999999999999999999" };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (value_count(texts[i], 1, 64, &n, why))
			fail_msg("\"%s\" was read as %llu", texts[i],
			    (unsigned long long)n);
	assert_string_equal(why, "must be a number from 1 to 64");
}

static void
test_size_multiplies_by_its_unit(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(value_size("123", 0, UINT64_MAX, &n, why));
	assert_int_equal(n, 123);
	assert_true(value_size("64K", 0, UINT64_MAX, &n, why));
	assert_int_equal(n, 65536);
	assert_true(value_size("32M", 0, UINT64_MAX, &n, why));
	assert_int_equal(n, 33554432);
	assert_true(value_size("3G", 0, UINT64_MAX, &n, why));
	assert_int_equal(n, UINT64_C(3221225472));
}

static void
test_size_refuses_the_rest(void **state)
{
	static const char *const texts[] = { "", "K", "4KB", "4k", "4 K", "4T",
		"-4K", "1.5M", "3K", "2G", "17179869184G",
		"18446744073709551615G" };
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (value_size(texts[i], 4096, 1 << 30, &n, why))
			fail_msg("\"%s\" was read as %llu", texts[i],
			    (unsigned long long)n);
	assert_non_null(strstr(why, "from 4K to 1G"));
}

static void
test_size_is_written_in_the_largest_exact_unit(void **state)
{
	char out[24];

	(void)state;
	assert_string_equal(value_size_format(0, out), "0");
	assert_string_equal(value_size_format(1023, out), "1023");
	assert_string_equal(value_size_format(1024, out), "1K");
	assert_string_equal(value_size_format(1025, out), "1025");
	assert_string_equal(value_size_format(32 << 20, out), "32M");
	assert_string_equal(value_size_format(UINT64_C(5) << 30, out), "5G");
	assert_string_equal(value_size_format(UINT64_C(5) << 40, out), "5120G");
}

static void
test_seconds_become_milliseconds(void **state)
{
	uint64_t ms;

	(void)state;
	assert_true(value_seconds("5", 0, 60000, &ms, why));
	assert_int_equal(ms, 5000);
	assert_true(value_seconds("0.25", 0, 60000, &ms, why));
	assert_int_equal(ms, 250);
	assert_true(value_seconds("1.5", 0, 60000, &ms, why));
	assert_int_equal(ms, 1500);
	assert_true(value_seconds("0.001", 0, 60000, &ms, why));
	assert_int_equal(ms, 1);
	assert_true(value_seconds("60.000", 0, 60000, &ms, why));
	assert_int_equal(ms, 60000);
}

static void
test_seconds_refuse_the_rest(void **state)
{
	static const char *const texts[] = { "", ".", "1.", ".5", "1.2345",
		"-1", "1,5", "5s", "1e3", "61", "60.001", "0.099",
		"18446744073709551615" };
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (value_seconds(texts[i], 100, 60000, &ms, why))
			fail_msg("\"%s\" was read as %llu ms", texts[i],
			    (unsigned long long)ms);
	assert_non_null(strstr(why, "from 0.1 to 60"));
}

static void
test_name_can_stand_in_a_path(void **state)
{
	static const char *const good[] = { "main", "a", "0", "a.b_c-D9",
		"12345678" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "_a",
		"a/b", "a b", "a\n", "\xc3\xa9", "123456789" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(value_name(good[i], 8, why));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(value_name(bad[i], 8, why));
	assert_non_null(strstr(why, "1 to 8 letters"));
}

static void
test_origin_is_scheme_host_and_port(void **state)
{
	static const char *const good[] = { "http://a", "https://chat.example",
		"http://localhost:8000", "https://[::1]:443",
		"http://127.0.0.1:65535", "null", "*", "https://chat.example/",
		"http://a:8000/", "HTTPS://A.example", "capacitor://localhost",
		"tauri://localhost", "chrome-extension://abcdefghijklmnop",
		"file://", "file:///" };
	static const char *const bad[] = { "", "http://", "https://", "a.b",
		"http:/a", "ftp://a", "HTTP//a", "http://a//", "http://a/b",
		"http:///", "/", "//", "://a", "ws://a", "wss://chat.example/",
		"http://a b", "http://a:", "http://a:0", "http://a:65536",
		"http://a:x", "http://[::1", "http://[]", "http://u@a", "Null",
		"**", "http://*", "http://.", "https://[::1::]",
		"http://[1.2.3.4]" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!value_origin(good[i], why))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (value_origin(bad[i], why))
			fail_msg("\"%s\" was taken for an origin", bad[i]);
}

static void
test_host_has_no_port(void **state)
{
	static const char *const good[] = { "a", "chat.example", "10.0.0.1",
		"[2001:db8::1]", "my_host", "*" };
	static const char *const bad[] = { "", "a:80", "[::1]:80", "::1", "a/b",
		"a b", "http://a", "*.a", ".", "a:", "[::1::]", "[1]" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!value_host(good[i], why))
			fail_msg("%s was refused", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (value_host(bad[i], why))
			fail_msg("\"%s\" was taken for a host", bad[i]);
}

static void
test_place_is_an_epoch_and_a_number(void **state)
{
	static const char *const texts[] = { "", "a", ":", "a:", ":1", "a:b",
		"a:1x", "a:-1", "a b:1", "12345678:1", "a:9007199254740992",
		"\"a:1", "a:1:", "a:1:log.7x\"", "a:1:1234567.", "a:1:b:c" };
	uint64_t seq;
	char epoch[8], pos[8];

	(void)state;
	assert_true(value_place(
	    "k3f9:41", epoch, sizeof(epoch), &seq, pos, sizeof(pos), why));
	assert_string_equal(epoch, "k3f9");
	assert_int_equal(seq, 41);
	assert_string_equal(pos, "");
	assert_true(value_place("k3f9:41:log.256", epoch, sizeof(epoch), &seq,
	    pos, sizeof(pos), why));
	assert_int_equal(seq, 41);
	assert_string_equal(pos, "log.256");
	assert_true(value_place("1234567:9007199254740991", epoch,
	    sizeof(epoch), &seq, pos, sizeof(pos), why));
	assert_string_equal(epoch, "1234567");
	assert_true(seq == UINT64_C(9007199254740991));
	for (size_t i = 0; i < COUNT(texts); i++)
		if (value_place(texts[i], epoch, sizeof(epoch), &seq, pos,
			sizeof(pos), why))
			fail_msg("\"%s\" was taken", texts[i]);
}

static void
test_base_paths(void **state)
{
	static const char *const good[] = { "/app", "/a/b", "/A-1_2~.x", "/.a",
		"/a..b", "/..a" };
	static const char *const bad[] = { "", "/", "app", "/app/", "//app",
		"/a//b", "/.", "/..", "/a/../b", "/a/./b", "/a b", "/a%20",
		"/a?b", "/a#b", "/\u00e9", "/a\n", "a/b" };
	char text[VALUES_BASE_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!value_base_path(good[i], why))
			fail_msg("%s: %s", good[i], why);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (value_base_path(bad[i], why))
			fail_msg("%s is not refused", bad[i]);
	memset(text, 'a', sizeof(text));
	text[0] = '/';
	text[VALUES_BASE_PATH_MAX + 1] = '\0';
	assert_false(value_base_path(text, why));
	text[VALUES_BASE_PATH_MAX] = '\0';
	assert_true(value_base_path(text, why));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_base_paths),
	cmocka_unit_test(test_count_reads_numbers_within_its_bounds),
	cmocka_unit_test(test_count_refuses_the_rest),
	cmocka_unit_test(test_size_multiplies_by_its_unit),
	cmocka_unit_test(test_size_refuses_the_rest),
	cmocka_unit_test(test_size_is_written_in_the_largest_exact_unit),
	cmocka_unit_test(test_seconds_become_milliseconds),
	cmocka_unit_test(test_seconds_refuse_the_rest),
	cmocka_unit_test(test_name_can_stand_in_a_path),
	cmocka_unit_test(test_origin_is_scheme_host_and_port),
	cmocka_unit_test(test_host_has_no_port),
	cmocka_unit_test(test_place_is_an_epoch_and_a_number),
};

SUITE_MAIN(tests);
