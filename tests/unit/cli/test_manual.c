/* SPDX-License-Identifier: MIT */
/* test_manual.c - what broker/cli/manual/ promises. */

#include "broker/cli/manual/blocks.h"
#include "broker/cli/manual/details.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

/* What manual_put_roff() makes of a text; valid until the next call. */
static const char *
roff(const char *text)
{
	static char made[256];
	FILE *out = fmemopen(made, sizeof(made), "w");

	assert_non_null(out);
	manual_put_roff(out, text);
	assert_int_equal(fclose(out), 0);
	return made;
}

static void
test_roff_prints_each_character_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(roff("plain text"), "plain text");
	assert_string_equal(roff("--max-conns"), "\\-\\-max\\-conns");
	assert_string_equal(roff("a\\b"), "a\\eb");
	assert_string_equal(roff("it's"), "it\\(aqs");
	assert_string_equal(roff("~/x^y"), "\\(ti/x\\(hay");
}

/* A line that begins with one of them is a request, which prints nothing. */
static void
test_roff_begins_no_request(void **state)
{
	(void)state;
	assert_string_equal(roff(".conf"), "\\&.conf");
	assert_string_equal(roff("'news'"), "\\&\\(aqnews\\(aq");
}

static void
test_roff_prints_what_is_to_be_typed_in_bold(void **state)
{
	(void)state;
	assert_string_equal(
	    roff("say `none` or `a-b`"), "say \\fBnone\\fR or \\fBa\\-b\\fR");
}

/* Whether one option of a server has this name. */
static bool
is_option(const char *name)
{
	for (size_t i = 0; i < cli_option_count; i++)
		if (strcmp(cli_options[i].name, name) == 0 &&
		    (cli_options[i].commands & 1u << CLI_RUN) != 0)
			return true;
	return false;
}

static void
test_details_are_of_options_that_there_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_detail_count; i++) {
		const char *name = option_details[i].name;

		if (!is_option(name))
			fail_msg("%s: no option of a server", name);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(option_details[k].name, name);
	}
}

static void
test_each_command_has_a_detail(void **state)
{
	(void)state;
	for (size_t i = 0; i < cli_command_count; i++)
		if (detail_of_command(&cli_commands[i]) == cli_commands[i].help)
			fail_msg("%s: only its help", cli_commands[i].name);
}

/* The same word may mean something else to a client. */
static void
test_the_detail_of_a_client_option_is_its_help(void **state)
{
	struct option option = { .name = "rate", .help = "of a client" };

	(void)state;
	option.commands = 1u << CLI_PUB;
	assert_string_equal(detail_of_option(&option), "of a client");
	option.commands = 1u << CLI_RUN;
	assert_string_not_equal(detail_of_option(&option), "of a client");
	option.name = "no-such-option";
	assert_string_equal(detail_of_option(&option), "of a client");
}

static void
test_a_block_that_is_not_there(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_false(manual_print("frob", out));
	assert_true(manual_print("version", out));
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "pubsubd " PUBSUBD_VERSION "\n");
	free(text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_roff_prints_each_character_as_it_is),
	cmocka_unit_test(test_roff_begins_no_request),
	cmocka_unit_test(test_roff_prints_what_is_to_be_typed_in_bold),
	cmocka_unit_test(test_details_are_of_options_that_there_are),
	cmocka_unit_test(test_each_command_has_a_detail),
	cmocka_unit_test(test_the_detail_of_a_client_option_is_its_help),
	cmocka_unit_test(test_a_block_that_is_not_there),
};

SUITE_MAIN(tests);
