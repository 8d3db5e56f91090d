/* SPDX-License-Identifier: MIT */
/* test_suggest.c - what broker/cli/suggest.h promises. */

#include "broker/cli/suggest.h"
#include "tests/support/suite.h"

#include <string.h>

/* The closest of some of pubsubd's own names, or "". */
static const char *
closest(const char *word)
{
	static const char *const names[] = { "start", "stop", "status",
		"workers", "max-topics", "max-topics-per-conn", "sub", "pub" };
	struct suggestion suggestion = { .word = word };

	for (size_t i = 0; i < COUNT(names); i++)
		suggestion_try(&suggestion, names[i]);
	return suggestion.best != NULL ? suggestion.best : "";
}

static void
test_two_changes_at_most(void **state)
{
	(void)state;
	assert_string_equal(closest("strat"), "start");
	assert_string_equal(closest("satrt"), "start");
	assert_string_equal(closest("statr"), "start");
	assert_string_equal(closest("stat"), "start"); /* one, the first */
	assert_string_equal(closest("statsu"), "status");
	assert_string_equal(closest("workres"), "workers");
	assert_string_equal(closest("wrokres"), "workers");
	assert_string_equal(closest("worcers1"), "workers");
	assert_string_equal(closest("xorcers1"), "");
	assert_string_equal(closest("frobnicate"), "");
}

static void
test_the_beginning_of_a_name_will_do(void **state)
{
	(void)state;
	assert_string_equal(closest("wor"), "workers");
	assert_string_equal(closest("max"), "max-topics");
	assert_string_equal(closest("max-topics-per"), "max-topics-per-conn");
	assert_string_equal(closest("w"), "");
	assert_string_equal(closest(""), "");
}

/* Half of a word is too much: what is left would fit anything. */
static void
test_of_a_short_word_one_change(void **state)
{
	(void)state;
	assert_string_equal(closest("sib"), "sub");
	assert_string_equal(closest("bub"), "sub");
	assert_string_equal(closest("cat"), "");
	assert_string_equal(closest("xy"), "");
}

static void
test_what_is_too_long_is_nobodys(void **state)
{
	char word[200];

	(void)state;
	memset(word, 's', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_string_equal(closest(word), "");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_two_changes_at_most),
	cmocka_unit_test(test_the_beginning_of_a_name_will_do),
	cmocka_unit_test(test_of_a_short_word_one_change),
	cmocka_unit_test(test_what_is_too_long_is_nobodys),
};

SUITE_MAIN(tests);
