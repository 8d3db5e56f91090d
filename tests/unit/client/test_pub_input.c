/* SPDX-License-Identifier: MIT */
/* test_pub_input.c - what broker/cli/client/pub_input.h promises. */

#include "broker/cli/client/pub_input.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX 100

static struct pub_input input;
static int ends[2]; /* of the pipe that is read */

static int
setup(void **state)
{
	(void)state;
	return pipe(ends);
}

static int
teardown(void **state)
{
	(void)state;
	pub_input_fini(&input);
	close(ends[0]);
	if (ends[1] != -1)
		close(ends[1]);
	return 0;
}

/* Somebody writes this, and it is read. */
static void
say(const char *text, size_t len)
{
	assert_int_equal(write(ends[1], text, len), len);
	pub_input_read(&input);
}

static void
hang_up(void)
{
	close(ends[1]);
	ends[1] = -1;
	pub_input_read(&input);
}

static void
expect_message(const char *wanted, size_t wanted_len)
{
	const char *text;
	size_t len;

	assert_int_equal(
	    pub_input_next(&input, MAX, &text, &len), PUB_INPUT_MESSAGE);
	assert_int_equal(len, wanted_len);
	assert_memory_equal(text, wanted, len);
}

static void
expect(enum pub_input_status status)
{
	const char *text;
	size_t len;

	assert_int_equal(pub_input_next(&input, MAX, &text, &len), status);
}

static void
test_lines_come_however_they_are_cut(void **state)
{
	(void)state;
	pub_input_init_fd(&input, ends[0], false);
	expect(PUB_INPUT_MORE);
	say("a\nbc\n\nd", 7);
	expect_message("a", 1);
	expect_message("bc", 2);
	expect_message("", 0);
	expect(PUB_INPUT_MORE);
	say("e", 1);
	expect(PUB_INPUT_MORE);
	say("\nf\n", 3);
	expect_message("de", 2);
	expect_message("f", 1);
	hang_up();
	expect(PUB_INPUT_END);
	assert_true(input.has_ended);
	expect(PUB_INPUT_END);
}

static void
test_the_last_line_may_end_without_newline(void **state)
{
	(void)state;
	pub_input_init_fd(&input, ends[0], false);
	say("a\nb", 3);
	hang_up();
	expect_message("a", 1);
	expect_message("b", 1);
	expect(PUB_INPUT_END);
}

static void
test_nothing_is_no_line_but_a_whole_message(void **state)
{
	(void)state;
	pub_input_init_fd(&input, ends[0], false);
	hang_up();
	expect(PUB_INPUT_END);
	pub_input_fini(&input);
	assert_int_equal(ends[1], -1);
	pub_input_init_fd(&input, ends[0], true);
	expect(PUB_INPUT_MORE);
	pub_input_read(&input);
	expect_message("", 0);
	expect(PUB_INPUT_END);
}

static void
test_all_of_it_may_be_one_message(void **state)
{
	(void)state;
	pub_input_init_fd(&input, ends[0], true);
	say("a\nb", 3);
	expect(PUB_INPUT_MORE);
	say("\n\0c\n", 4);
	hang_up();
	expect_message("a\nb\n\0c\n", 7);
	expect(PUB_INPUT_END);
}

static void
test_a_text_is_one_message(void **state)
{
	(void)state;
	pub_input_init_text(&input, "a\nb");
	expect_message("a\nb", 3);
	expect(PUB_INPUT_END);
	pub_input_fini(&input);
	pub_input_init_text(&input, "");
	expect_message("", 0);
	expect(PUB_INPUT_END);
}

static void
test_a_long_line_is_found_before_its_end(void **state)
{
	char text[MAX + 1];

	(void)state;
	memset(text, 'a', sizeof(text));
	pub_input_init_fd(&input, ends[0], false);
	say(text, MAX);
	expect(PUB_INPUT_MORE);
	say("\n", 1);
	expect_message(text, MAX);
	say(text, MAX + 1);
	expect(PUB_INPUT_TOO_LONG);
}

static void
test_a_failed_read_is_no_end_of_a_line(void **state)
{
	(void)state;
	pub_input_init_fd(&input, ends[0], false);
	say("a", 1);
	input.fd = ends[1]; /* cannot be read */
	pub_input_read(&input);
	expect(PUB_INPUT_END);
	assert_int_equal(input.error, EBADF);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_lines_come_however_they_are_cut, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_the_last_line_may_end_without_newline, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_nothing_is_no_line_but_a_whole_message, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_all_of_it_may_be_one_message, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_a_text_is_one_message, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_a_long_line_is_found_before_its_end, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_a_failed_read_is_no_end_of_a_line, setup, teardown),
};

SUITE_MAIN(tests);
