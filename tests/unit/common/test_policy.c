/* SPDX-License-Identifier: MIT */
/* test_policy.c - what common/policy.h promises. */

#include "common/policy.h"
#include "tests/support/suite.h"

#include <string.h>

static struct policies policies;

static int
setup(void **state)
{
	(void)state;
	memset(&policies, 0, sizeof(policies));
	return 0;
}

/* Another section that says this. */
static void
say(const char *pattern, unsigned said, struct policy says)
{
	struct policy_section *section = &policies.sections[policies.count++];

	section->said = said;
	section->says = says;
	section->pattern_len = (uint8_t)strlen(pattern);
	memcpy(section->pattern, pattern, section->pattern_len);
}

static struct policy
look_up(const char *name)
{
	struct policy policy;

	memset(&policy, 0x55, sizeof(policy)); /* all of it is filled in */
	policies_look_up(&policies, name, strlen(name), &policy);
	return policy;
}

#define SAYS(key) (1u << POLICY_##key)

static void
test_without_sections_the_default_holds(void **state)
{
	struct policy policy = look_up("room");

	(void)state;
	assert_int_equal(policy.history, POLICY_HISTORY_ALL);
	assert_int_equal(policy.overflow, POLICY_OVERFLOW_CLIENT);
	assert_int_equal(policy.rate, 0);
	assert_false(policy.retain);
	assert_int_equal(policy.ttl_s, 0);
}

static void
test_a_section_holds_for_the_topics_of_its_pattern(void **state)
{
	(void)state;
	say("room/+", SAYS(HISTORY) | SAYS(OVERFLOW) | SAYS(RATE),
	    (struct policy){
		.history = 7, .overflow = POLICY_OVERFLOW_CLOSE, .rate = 9 });
	assert_int_equal(look_up("room/1").history, 7);
	assert_int_equal(look_up("room/1").overflow, POLICY_OVERFLOW_CLOSE);
	assert_int_equal(look_up("room/1").rate, 9);
	assert_int_equal(look_up("room/1/log").rate, 0);
	assert_int_equal(look_up("room").history, POLICY_HISTORY_ALL);
}

static void
test_the_last_that_says_a_value_counts(void **state)
{
	(void)state;
	say("#", SAYS(HISTORY) | SAYS(RATE),
	    (struct policy){ .history = 100, .rate = 10 });
	say("room/#", SAYS(HISTORY), (struct policy){ .history = 5 });
	say("room/quiet", SAYS(RATE), (struct policy){ .rate = 1 });
	say("other", SAYS(RATE), (struct policy){ .rate = 2 });
	assert_int_equal(look_up("x").history, 100);
	assert_int_equal(look_up("room/1").history, 5);
	assert_int_equal(look_up("room/1").rate, 10);
	assert_int_equal(look_up("room/quiet").history, 5);
	assert_int_equal(look_up("room/quiet").rate, 1);
}

static void
test_a_later_section_can_say_the_default(void **state)
{
	(void)state;
	say("#", SAYS(HISTORY) | SAYS(RATE),
	    (struct policy){ .history = 0, .rate = 3 });
	say("room", SAYS(RATE), policy_default);
	assert_int_equal(look_up("room").rate, 0);
	assert_int_equal(look_up("room").history, 0);
}

static void
test_what_messages_are_is_said_like_the_rest(void **state)
{
	(void)state;
	say("lamp/#", SAYS(RETAIN) | SAYS(TTL),
	    (struct policy){ .retain = true, .ttl_s = 30 });
	say("lamp/+/log", SAYS(RETAIN), policy_default);
	assert_true(look_up("lamp/1").retain);
	assert_int_equal(look_up("lamp/1").ttl_s, 30);
	assert_false(look_up("lamp/1/log").retain);
	assert_int_equal(look_up("lamp/1/log").ttl_s, 30);
}

static void
test_equal_is_who_says_the_same_of_the_same(void **state)
{
	struct policies other;

	(void)state;
	say("a", SAYS(RATE), (struct policy){ .rate = 1 });
	say("b", SAYS(HISTORY), (struct policy){ .history = 1 });
	other = policies;
	assert_true(policies_equal(&policies, &other));
	other.count = 1;
	assert_false(policies_equal(&policies, &other));
	other = policies;
	other.sections[1].pattern[0] = 'c';
	assert_false(policies_equal(&policies, &other));
	other = policies;
	other.sections[1].said |= SAYS(OVERFLOW);
	assert_false(policies_equal(&policies, &other));
	other = policies;
	other.sections[0].says.rate = 2;
	assert_false(policies_equal(&policies, &other));
	other = policies;
	other.sections[0].says.retain = true;
	assert_false(policies_equal(&policies, &other));
	other = policies;
	other.sections[0].says.ttl_s = 1;
	assert_false(policies_equal(&policies, &other));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

static const struct CMUnitTest tests[] = {
	TEST(test_without_sections_the_default_holds),
	TEST(test_a_section_holds_for_the_topics_of_its_pattern),
	TEST(test_the_last_that_says_a_value_counts),
	TEST(test_a_later_section_can_say_the_default),
	TEST(test_what_messages_are_is_said_like_the_rest),
	TEST(test_equal_is_who_says_the_same_of_the_same),
};

SUITE_MAIN(tests);
