/* SPDX-License-Identifier: MIT */
/* test_conf.c - what broker/cli/conf.h promises. */

#include "broker/cli/conf.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static struct conf conf;
static struct conf_line line;
static char text[8192];

/* Begin with a text, up to its NUL. */
static void
begin(const char *said)
{
	snprintf(text, sizeof(text), "%s", said);
	conf_init(&conf, text, strlen(text));
}

static void
expect_setting(unsigned number, const char *key, const char *value)
{
	assert_int_equal(conf_next(&conf, &line), CONF_SETTING);
	assert_int_equal(line.number, number);
	assert_string_equal(line.key, key);
	assert_string_equal(line.value, value);
}

static void
test_lines_are_settings_with_their_numbers(void **state)
{
	(void)state;
	begin("# first\n\nrate = 5\n  \t\nlog=/a b\t\nlisten =*:80");
	expect_setting(3, "rate", "5");
	expect_setting(5, "log", "/a b");
	expect_setting(6, "listen", "*:80");
	assert_int_equal(conf_next(&conf, &line), CONF_END);
	assert_int_equal(conf_next(&conf, &line), CONF_END);
}

/* A value is all that stands there: signs of comment, '=', quotes too. */
static void
test_value_is_not_interpreted(void **state)
{
	(void)state;
	begin("a = b=c # d\nb = \"x\"\nc = \\\nd = ; y\n");
	expect_setting(1, "a", "b=c # d");
	expect_setting(2, "b", "\"x\"");
	expect_setting(3, "c", "\\");
	expect_setting(4, "d", "; y");
}

/* libinih appends an indented line to the value above it. */
static void
test_indented_line_is_a_line(void **state)
{
	(void)state;
	begin("a = 1\n\tb = 2\n  c = 3\n");
	expect_setting(1, "a", "1");
	expect_setting(2, "b", "2");
	expect_setting(3, "c", "3");
}

/* libinih cuts a long value. */
static void
test_long_value_is_whole_or_refused(void **state)
{
	char said[CONF_LINE_MAX + 2] = "a=";

	(void)state;
	memset(said + 2, 'x', CONF_LINE_MAX - 2);
	begin(said);
	expect_setting(1, "a", said + 2);
	said[CONF_LINE_MAX] = 'x';
	begin(said);
	assert_int_equal(conf_next(&conf, &line), CONF_FAULT);
	assert_string_equal(line.fault, "the line has more than 4096 bytes");
}

static void
test_section_has_a_kind_and_an_argument(void **state)
{
	(void)state;
	begin("[topic \"room/#\"]\n[ topic ]\n[topic \"\"]\n");
	assert_int_equal(conf_next(&conf, &line), CONF_SECTION);
	assert_string_equal(line.key, "topic");
	assert_string_equal(line.value, "room/#");
	assert_int_equal(conf_next(&conf, &line), CONF_SECTION);
	assert_string_equal(line.key, "topic");
	assert_null(line.value);
	assert_int_equal(conf_next(&conf, &line), CONF_SECTION);
	assert_string_equal(line.value, "");
}

static void
test_faults_have_a_line_and_a_reason(void **state)
{
	static const char *const lines[] = { "rate", "= 5",
		"rate =", "Rate = 5", "ra te = 5", "[", "[]", "[a", "[a \"b]",
		"[a\"b\"]", "[\"b\"]", "[a \"b\" c]", "a = \x01", "a = \x7f",
		"a = \xff", "a = 1\r", "\xef\xbb\xbf rate = 1" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		begin(lines[i]);
		if (conf_next(&conf, &line) != CONF_FAULT)
			fail_msg("\"%s\" was taken", lines[i]);
		assert_int_equal(line.number, 1);
		assert_non_null(line.fault);
	}
	conf_init(&conf, memcpy(text, "a = \0b\nc = 1", 12), 12);
	assert_int_equal(conf_next(&conf, &line), CONF_FAULT);
	expect_setting(2, "c", "1");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_lines_are_settings_with_their_numbers),
	cmocka_unit_test(test_value_is_not_interpreted),
	cmocka_unit_test(test_indented_line_is_a_line),
	cmocka_unit_test(test_long_value_is_whole_or_refused),
	cmocka_unit_test(test_section_has_a_kind_and_an_argument),
	cmocka_unit_test(test_faults_have_a_line_and_a_reason),
};

SUITE_MAIN(tests);
