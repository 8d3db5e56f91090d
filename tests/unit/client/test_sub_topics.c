/* SPDX-License-Identifier: MIT */
/* test_sub_topics.c - what broker/cli/client/sub_topics.h promises of names. */

#include "broker/cli/client/sub_topics.h"
#include "tests/support/suite.h"

static void
test_what_is_a_pattern(void **state)
{
	static const char *const patterns[] = { "#", "a/#", "+", "+/a", "a/+/b",
		"a/+", "*/+" };
	static const char *const names[] = { "", "/", "news", "c++", "c#",
		"#main", "a/#/b", "*", "news/*", "a*b", "a/#b", "+1", "a/b+",
		"a/", "//" };

	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++)
		if (!sub_topics_is_pattern(patterns[i]))
			fail_msg("%s is one", patterns[i]);
	for (size_t i = 0; i < COUNT(names); i++)
		if (sub_topics_is_pattern(names[i]))
			fail_msg("%s is none", names[i]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_what_is_a_pattern),
};

SUITE_MAIN(tests);
