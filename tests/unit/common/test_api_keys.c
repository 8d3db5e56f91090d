/* SPDX-License-Identifier: MIT */
/* test_api_keys.c - what common/api_keys.h promises. */

#include "common/api_keys.h"
#include "tests/support/suite.h"

#include <string.h>

/* SHA-256 of "test" (sha256sum), and of nothing in particular. */
#define TEST "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define SOME "0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789"

static bool
add(struct api_keys *keys, const char *text, struct jwk_fault *fault)
{
	return api_keys_add(keys, text, strlen(text), fault);
}

static void
test_lines_are_keys(void **state)
{
	static const char text[] = "# programs\n"
				   "\n"
				   "cron\t" TEST "  publish:news/# all:cron\r\n"
				   "   # another\n"
				   "  ops " SOME " subscribe,history:#";
	struct api_keys keys = { 0 };
	const struct api_key *key;
	struct jwk_fault fault;
	uint8_t digest[SHA256_LEN];

	(void)state;
	assert_true(add(&keys, text, &fault));
	assert_int_equal(keys.count, 2);
	sha256("test", 4, digest);
	key = api_keys_find(&keys, digest);
	assert_non_null(key);
	assert_int_equal(key->name_len, 4);
	assert_memory_equal(key->name, "cron", 4);
	assert_int_equal(
	    grants_left(&key->grants, GRANT_PUBLISH, "news/1", 6), 0);
	assert_int_equal(grants_left(&key->grants, GRANT_ALL, "cron", 4), 0);
	assert_int_equal(grants_left(&key->grants, GRANT_SUBSCRIBE, "news", 4),
	    GRANT_SUBSCRIBE);
	digest[31] ^= 1;
	assert_null(api_keys_find(&keys, digest));
	api_keys_fini(&keys);
	assert_null(api_keys_find(&keys, digest));
}

static void
test_lines_that_are_no_keys_are_refused(void **state)
{
	static const char *const lines[] = { "cron", "cron " TEST,
		"cron test publish:a", "cron " TEST "0 publish:a",
		"cron g" TEST " publish:a", "cron " TEST " news",
		"cron " TEST " all:{sub}", "one " TEST " publish:a",
		"other " SOME " publish:a",
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnn " TEST " publish:a" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct api_keys keys = { 0 };
		struct jwk_fault fault = { 0 };

		assert_true(add(&keys, "one " SOME " publish:a\n", &fault));
		if (add(&keys, lines[i], &fault))
			fail_msg("%s is taken", lines[i]);
		assert_int_equal(fault.line, 1);
		assert_true(strlen(fault.why) > 0);
		api_keys_fini(&keys);
	}
}

static void
test_the_line_of_a_fault_is_counted(void **state)
{
	struct api_keys keys = { 0 };
	struct jwk_fault fault;

	(void)state;
	assert_false(add(&keys, "# one\n\na " TEST " all:a\nb\n", &fault));
	assert_int_equal(fault.line, 4);
	api_keys_fini(&keys);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lines_are_keys),
	cmocka_unit_test(test_lines_that_are_no_keys_are_refused),
	cmocka_unit_test(test_the_line_of_a_fault_is_counted),
};

SUITE_MAIN(tests);
