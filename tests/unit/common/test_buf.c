/* SPDX-License-Identifier: MIT */
/* test_buf.c - what common/buf.h promises, one test per promise. */

#include "common/buf.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
expect(const struct buf *buf, const char *text)
{
	assert_int_equal(buf->len, strlen(text));
	assert_memory_equal(buf->at, text, strlen(text));
}

static void
test_appends(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf);
	buf_add(&buf, NULL, 0);
	assert_int_equal(buf.len, 0);
	buf_add(&buf, "abc", 2);
	buf_puts(&buf, "");
	buf_puts(&buf, "cd");
	buf_printf(&buf, "%d%s", 12, "x");
	expect(&buf, "abcd12x");
	buf_fini(&buf);
	assert_null(buf.at);
	buf_fini(&buf);
}

static void
test_numbers(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf);
	buf_number(&buf, 0);
	buf_puts(&buf, " ");
	buf_number(&buf, 10);
	buf_puts(&buf, " ");
	buf_number(&buf, UINT64_MAX);
	expect(&buf, "0 10 18446744073709551615");
	buf_fini(&buf);
}

/* Two digits are written at a time: each number of digits, odd and even. */
static void
test_digits(void **state)
{
	char text[32], out[BUF_DIGITS_MAX];
	uint64_t power = 1;

	(void)state;
	for (int n = 0; n < 20; n++, power *= 10)
		for (uint64_t number = power - 1; number <= power + 1;
		     number++) {
			int len = sprintf(text, "%" PRIu64, number);

			assert_int_equal(buf_digits(out, number), len);
			assert_memory_equal(out, text, (size_t)len);
		}
	for (uint64_t number = 0; number < 1000; number++) {
		int len = sprintf(text, "%" PRIu64, number);

		assert_int_equal(buf_digits(out, number), len);
		assert_memory_equal(out, text, (size_t)len);
	}
}

static void
test_json_strings(void **state)
{
	struct buf buf;
	char controls[32];

	(void)state;
	buf_init(&buf);
	buf_json_string(&buf, "", 0);
	buf_json_string(&buf, "a\"\\\n", 4);
	buf_json_string(&buf, "\xc3\xa9", 2);
	expect(&buf, "\"\"\"a\\\"\\\\\\n\"\"\xc3\xa9\"");
	buf_reset(&buf);
	memset(controls, 1, sizeof(controls));
	buf_json_string(&buf, controls, sizeof(controls));
	assert_int_equal(buf.len, 6 * sizeof(controls) + 2);
	buf_fini(&buf);
}

static void
test_memory_stays_and_grows(void **state)
{
	struct buf buf;
	char *was;

	(void)state;
	buf_init(&buf);
	for (int i = 0; i < 100000; i++)
		buf_number(&buf, (uint64_t)i % 10);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.at[i], '0' + i % 10);
	was = buf.at;
	buf_reset(&buf);
	assert_ptr_equal(buf_room(&buf, 100000), was);
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_appends),
	cmocka_unit_test(test_numbers),
	cmocka_unit_test(test_digits),
	cmocka_unit_test(test_json_strings),
	cmocka_unit_test(test_memory_stays_and_grows),
};

SUITE_MAIN(tests);
