/* SPDX-License-Identifier: MIT */
/* test_pattern.c - what common/pattern.h promises. */

#include "common/pattern.h"
#include "tests/support/suite.h"

#include <string.h>

static void
expect(const char *pattern, const char *name, bool wanted)
{
	const char *why;

	assert_true(pattern_valid(pattern, strlen(pattern), &why));
	if (pattern_matches(pattern, strlen(pattern), name, strlen(name)) !=
	    wanted)
		fail_msg("%s is %s%s", pattern, wanted ? "not " : "", name);
}

static void
test_a_name_without_wildcards_is_itself(void **state)
{
	(void)state;
	expect("room", "room", true);
	expect("room", "rooms", false);
	expect("room", "roo", false);
	expect("room", "Room", false);
	expect("room", "room/", false);
	expect("room/", "room", false);
	expect("room/", "room/", true);
	expect("/room", "room", false);
	expect("a//b", "a//b", true);
	expect("a//b", "a/b", false);
	expect("", "", true);
	expect("", "a", false);
	expect("", "/", false);
	expect("caf\xc3\xa9", "caf\xc3\xa9", true);
	expect("caf\xc3\xa9", "cafe", false);
}

static void
test_a_plus_is_one_level(void **state)
{
	(void)state;
	expect("room/+", "room/1", true);
	expect("room/+", "room/", true);
	expect("room/+", "room", false);
	expect("room/+", "room/1/2", false);
	expect("room/+", "rooms/1", false);
	expect("room/+/log", "room/1/log", true);
	expect("room/+/log", "room//log", true);
	expect("room/+/log", "room/log", false);
	expect("room/+/log", "room/1/2/log", false);
	expect("+", "room", true);
	expect("+", "", true);
	expect("+", "a/b", false);
	expect("+/+", "a/b", true);
	expect("+/+", "/", true);
	expect("+/+", "a", false);
	expect("+/+", "a/b/c", false);
}

static void
test_a_hash_is_the_rest(void **state)
{
	(void)state;
	expect("#", "", true);
	expect("#", "a", true);
	expect("#", "a/b/c", true);
	expect("#", "/", true);
	expect("room/#", "room", true);
	expect("room/#", "room/", true);
	expect("room/#", "room/1", true);
	expect("room/#", "room/1/log", true);
	expect("room/#", "rooms", false);
	expect("room/#", "rooms/1", false);
	expect("room/#", "roo", false);
	expect("room/#", "Room/1", false);
	expect("room/#", "/room/1", false);
	expect("room/#", "", false);
	expect("+/#", "a", true);
	expect("+/#", "a/b/c", true);
	expect("room/+/#", "room/1", true);
	expect("room/+/#", "room", false);
	expect("/#", "", true);
	expect("/#", "/a", true);
	expect("/#", "a", false);
}

/* Only a whole level is a wildcard, and nothing else is one at all. */
static void
test_nothing_else_is_special(void **state)
{
	(void)state;
	expect("a+b", "a+b", true);
	expect("a+b", "axb", false);
	expect("a+", "ab", false);
	expect("#a", "ba", false);
	expect("a#", "ab", false);
	expect("a#/b", "a#/b", true);
	expect("*", "room", false);
	expect("room/*", "room/1", false);
	expect("room.1", "room/1", false);
	expect("room/?", "room/1", false);
	expect("room/>", "room/1", false);
	expect("room\\/1", "room/1", false);
	expect("room%2F1", "room/1", false);
	expect("../#", "a/b", false);
	expect("room/../x", "x", false);
	/* A name may look like a pattern. */
	expect("room/1", "room/+", false);
	expect("room/+", "room/+", true);
	expect("room/+", "room/#", true);
	expect("room/1", "room/#", false);
	expect("room/1", "#", false);
}

static void
test_names_are_compared_whole_with_nul_bytes(void **state)
{
	(void)state;
	assert_false(pattern_matches("a\0b", 3, "a\0c", 3));
	assert_true(pattern_matches("a\0b", 3, "a\0b", 3));
	assert_false(pattern_matches("a", 1, "a\0b", 3));
}

static void
expect_refused(const char *pattern, size_t len, const char *reason)
{
	const char *why = NULL;

	assert_false(pattern_valid(pattern, len, &why));
	assert_string_equal(why, reason);
}

static void
test_what_is_no_pattern_is_refused(void **state)
{
	static const char last[] = "in a pattern, # is the last level";
	char text[PATTERN_MAX + 1];
	const char *why;

	(void)state;
	expect_refused("#/a", 3, last);
	expect_refused("a/#/b", 5, last);
	expect_refused("a/#/", 4, last);
	expect_refused("#/#", 3, last);
	memset(text, 'x', sizeof(text));
	assert_true(pattern_valid(text, PATTERN_MAX, &why));
	expect_refused(
	    text, sizeof(text), "a pattern is longer than 255 bytes");
}

static bool
covers(const char *wide, const char *pattern)
{
	return pattern_covers(wide, strlen(wide), pattern, strlen(pattern));
}

static void
test_a_pattern_covers_narrower_ones(void **state)
{
	(void)state;
	assert_true(covers("#", "#"));
	assert_true(covers("#", ""));
	assert_true(covers("#", "room/+/chat"));
	assert_true(covers("room/#", "room"));
	assert_true(covers("room/#", "room/#"));
	assert_true(covers("room/#", "room/+/#"));
	assert_true(covers("room/+", "room/1"));
	assert_true(covers("room/+", "room/+"));
	assert_true(covers("+/+", "room/+"));
	assert_false(covers("room/+", "room/#"));
	assert_false(covers("room/+", "room"));
	assert_false(covers("room/+", "room/+/chat"));
	assert_false(covers("room/1", "room/+"));
	assert_false(covers("room/+/chat", "room/+/+"));
	assert_false(covers("room/#", "+/1"));
	assert_false(covers("room/#", "rooms"));
}

/* Names and patterns of up to three levels, one after another. */
static size_t
pattern_number(unsigned n, char *text)
{
	static const char levels[] = { 'a', 'b', '+', '#' };
	size_t len = 0;

	for (;;) {
		if (n % 5 < 4)
			text[len++] = levels[n % 5];
		n /= 5;
		if (n == 0)
			return len;
		n--;
		text[len++] = '/';
	}
}

#define PATTERNS 155u /* 5 + 25 + 125 */

/* If one covers another, no name is the other's alone. */
static void
test_what_is_covered_matches_no_more(void **state)
{
	char wide[8], pattern[8], name[8];
	const char *why;
	unsigned covered = 0;

	(void)state;
	for (unsigned w = 0; w < PATTERNS; w++)
		for (unsigned p = 0; p < PATTERNS; p++) {
			size_t wide_len = pattern_number(w, wide);
			size_t len = pattern_number(p, pattern);

			if (!pattern_valid(wide, wide_len, &why) ||
			    !pattern_valid(pattern, len, &why) ||
			    !pattern_covers(wide, wide_len, pattern, len))
				continue;
			covered++;
			for (unsigned n = 0; n < PATTERNS; n++) {
				size_t name_len = pattern_number(n, name);

				if (pattern_matches(
					pattern, len, name, name_len))
					assert_true(pattern_matches(
					    wide, wide_len, name, name_len));
			}
		}
	assert_true(covered > PATTERNS); /* more than themselves */
}

static void
test_a_wildcard_is_a_whole_level(void **state)
{
	(void)state;
	assert_true(pattern_has_wildcard("#", 1));
	assert_true(pattern_has_wildcard("+", 1));
	assert_true(pattern_has_wildcard("a/+/b", 5));
	assert_true(pattern_has_wildcard("a/#", 3));
	assert_false(pattern_has_wildcard("", 0));
	assert_false(pattern_has_wildcard("a+/b#", 5));
	assert_false(pattern_has_wildcard("a//b", 4));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_pattern_covers_narrower_ones),
	cmocka_unit_test(test_what_is_covered_matches_no_more),
	cmocka_unit_test(test_a_wildcard_is_a_whole_level),
	cmocka_unit_test(test_a_name_without_wildcards_is_itself),
	cmocka_unit_test(test_a_plus_is_one_level),
	cmocka_unit_test(test_a_hash_is_the_rest),
	cmocka_unit_test(test_nothing_else_is_special),
	cmocka_unit_test(test_names_are_compared_whole_with_nul_bytes),
	cmocka_unit_test(test_what_is_no_pattern_is_refused),
};

SUITE_MAIN(tests);
