/* SPDX-License-Identifier: MIT */
/* test_deflate.c - what common/deflate.h promises. */

#include "common/deflate.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define MAX 65536u

/* The two ends of every test. */
static struct deflater *deflater;
static struct inflater *inflater;

static int
make(void **state)
{
	(void)state;
	deflater = deflater_new();
	inflater = inflater_new(MAX);
	return deflater == NULL || inflater == NULL ? -1 : 0;
}

static int
unmake(void **state)
{
	(void)state;
	deflater_free(&deflater);
	inflater_free(&inflater);
	return 0;
}

/* It inflates to this text. */
static void
expect_text(const void *data, size_t len, const void *wanted, size_t wanted_len)
{
	const char *text;
	size_t text_len;

	assert_int_equal(
	    inflate_message(inflater, data, len, &text, &text_len), INFLATE_OK);
	assert_int_equal(text_len, wanted_len);
	assert_memory_equal(text, wanted, wanted_len);
}

static void
expect_status(const void *data, size_t len, enum inflate_status status)
{
	const char *text;
	size_t text_len;

	assert_int_equal(
	    inflate_message(inflater, data, len, &text, &text_len), status);
}

#define EXPECT_TEXT(data, wanted) \
	expect_text(data, sizeof(data) - 1, wanted, sizeof(wanted) - 1)
#define EXPECT_STATUS(data, status) \
	expect_status(data, sizeof(data) - 1, status)

/* A message of len bytes in the manner of JSON. */
static char *
json_of(size_t len)
{
	static const char piece[] =
	    "{\"topic\":\"room/1\",\"temperature\":21},";
	char *text = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = piece[i % (sizeof(piece) - 1)];
	return text;
}

/* It comes back as it was, or it is said that it does not become smaller.
 * Returns how many bytes it became, 0: as many as before. */
static size_t
there_and_back(const char *text, size_t len)
{
	char *out = xmalloc(len + DEFLATE_TAIL);
	size_t n = deflate_message(deflater, text, len, out);

	if (n > 0) {
		assert_true(n < len);
		expect_text(out, n, text, len);
	}
	free(out);
	return n;
}

static void
test_messages_of_all_sizes_come_back(void **state)
{
	static const size_t sizes[] = { 90, 125, 126, 127, 1000, 4095, 4096,
		4097, 16384, 40000, MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *text = json_of(sizes[i]);
		size_t n = there_and_back(text, sizes[i]);

		assert_true(n > 0 && n < sizes[i]);
		free(text);
	}
}

/* Nothing of a message goes on into the next. */
static void
test_a_message_is_compressed_the_same_each_time(void **state)
{
	char *text = json_of(500), first[600], second[600];
	size_t n = deflate_message(deflater, text, 500, first);

	(void)state;
	there_and_back("another message in between, in between", 38);
	assert_int_equal(deflate_message(deflater, text, 500, second), n);
	assert_memory_equal(first, second, n);
	free(text);
}

static void
test_what_does_not_become_smaller_goes_as_it_is(void **state)
{
	char noise[2000 + DEFLATE_TAIL], out[2000 + DEFLATE_TAIL];
	struct dice dice = { 42 };

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)dice_below(&dice, 256);
	for (size_t len = 0; len <= 2000; len += len < 40 ? 1 : 280)
		assert_int_equal(deflate_message(deflater, noise, len, out), 0);
	assert_int_equal(deflate_message(deflater, "hello", 5, out), 0);
	/* And the next one is not spoilt by it. */
	memset(noise, 'a', sizeof(noise));
	assert_true(there_and_back(noise, sizeof(noise)) > 0);
}

/* A client that has said so inflates with no more than our window. */
static void
test_nothing_refers_further_back_than_the_window(void **state)
{
	size_t window = (size_t)1 << DEFLATE_WINDOW_BITS;
	size_t len = window + 400, n;
	char *text = json_of(len), *out = xmalloc(len + DEFLATE_TAIL);
	struct dice dice = { 7 };

	(void)state;
	/* Noise, and the same again, further away than the window. */
	for (size_t i = 0; i < 200; i++)
		text[i] = text[len - 200 + i] = (char)dice_below(&dice, 256);
	n = deflate_message(deflater, text, len, out);
	assert_true(n > 400); /* the second time it was not found again */
	expect_text(out, n, text, len);
	free(text);
	free(out);
}

/* RFC 7692, section 7.2.3. */
static void
test_the_examples_of_the_standard_are_read(void **state)
{
	(void)state;
	EXPECT_TEXT("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello"); /* 7.2.3.1 */
	/* 7.2.3.3: a block that is not compressed */
	EXPECT_TEXT("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", "Hello");
	/* 7.2.3.4: a block with BFINAL */
	EXPECT_TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "Hello");
	/* 7.2.3.5: two blocks */
	EXPECT_TEXT(
	    "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", "Hello");
	EXPECT_TEXT("\x00", ""); /* 7.2.3.6: an empty message */
}

static void
test_a_last_block_may_be_followed_by_others(void **state)
{
	(void)state;
	EXPECT_TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00"
		    "\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
	    "HelloHello");
	EXPECT_TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00"
		    "\xf2\x48\xcd\xc9\xc9\x07\x00",
	    "HelloHello");
	/* The message ends with it. */
	EXPECT_TEXT("\xf3\x48\xcd\xc9\xc9\x07\x00", "Hello");
	EXPECT_TEXT("\x01\x00\x00\xff\xff", "");
	EXPECT_TEXT("\x01", ""); /* what is not sent is its end */
}

static void
test_an_empty_message_may_be_nothing_at_all(void **state)
{
	(void)state;
	EXPECT_TEXT("", "");
	EXPECT_TEXT("\x02\x00", ""); /* zlib's, when nothing is to be flushed */
}

static void
test_broken_data_is_refused(void **state)
{
	(void)state;
	EXPECT_STATUS("\x06", INFLATE_BAD);         /* the reserved type */
	EXPECT_STATUS("\xff\xff\xff", INFLATE_BAD); /* likewise */
	EXPECT_STATUS("Hello", INFLATE_BAD);
	EXPECT_STATUS("\xf2\x48\xcd\xc9", INFLATE_BAD); /* cut off */
	EXPECT_STATUS("\xf2\x48\xcd\xc9\xc9\x07", INFLATE_BAD);
	EXPECT_STATUS("\x00\x05\x00\xfa\xff\x48\x65", INFLATE_BAD);
	/* The length of a block that is not compressed does not fit. */
	EXPECT_STATUS(
	    "\x00\x05\x00\xfa\xfe\x48\x65\x6c\x6c\x6f\x00", INFLATE_BAD);
	/* Bytes from before the message began. */
	EXPECT_STATUS("\x03\x02\x00", INFLATE_BAD);
	/* The end that is not sent is there a second time, and half. */
	EXPECT_STATUS("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00", INFLATE_BAD);
	/* And the next one is not spoilt by any of them. */
	EXPECT_TEXT("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
}

/* Every message that is cut off is refused, wherever that is. */
static void
test_a_message_that_is_cut_off_is_refused(void **state)
{
	char *text = json_of(3000), *out = xmalloc(3000 + DEFLATE_TAIL);
	size_t n = deflate_message(deflater, text, 3000, out);

	(void)state;
	assert_true(n > 20);
	for (size_t len = 1; len < n; len++)
		expect_status(out, len, INFLATE_BAD);
	free(text);
	free(out);
}

/* Zeros of so many bytes, which are a thousandth of that. */
static void
expect_zeros(size_t len, enum inflate_status status)
{
	char *zeros = xcalloc(1, len), *out = xmalloc(len + DEFLATE_TAIL);
	size_t n = deflate_message(deflater, zeros, len, out);

	assert_true(n > 0 && n < len / 100);
	expect_status(out, n, status);
	free(zeros);
	free(out);
}

static void
test_a_text_over_the_limit_is_refused_whatever_it_came_as(void **state)
{
	(void)state;
	expect_zeros(MAX, INFLATE_OK);
	expect_zeros(MAX + 1, INFLATE_TOO_BIG);
	expect_zeros(1 << 20, INFLATE_TOO_BIG);
	expect_zeros(16 << 20, INFLATE_TOO_BIG);
	EXPECT_TEXT("\xf2\x48\xcd\xc9\xc9\x07\x00", "Hello");
}

static void
test_a_limit_of_nothing_takes_only_that(void **state)
{
	struct inflater *none = inflater_new(0);
	const char *text;
	size_t len;

	(void)state;
	assert_int_equal(
	    inflate_message(none, "\x00", 1, &text, &len), INFLATE_OK);
	assert_int_equal(len, 0);
	assert_int_equal(inflate_message(none, "\x4a\x04\x00", 3, &text, &len),
	    INFLATE_TOO_BIG); /* "a" */
	inflater_free(&none);
	assert_null(none);
	inflater_free(&none); /* nothing more happens */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_messages_of_all_sizes_come_back),
	cmocka_unit_test(test_a_message_is_compressed_the_same_each_time),
	cmocka_unit_test(test_what_does_not_become_smaller_goes_as_it_is),
	cmocka_unit_test(test_nothing_refers_further_back_than_the_window),
	cmocka_unit_test(test_the_examples_of_the_standard_are_read),
	cmocka_unit_test(test_a_last_block_may_be_followed_by_others),
	cmocka_unit_test(test_an_empty_message_may_be_nothing_at_all),
	cmocka_unit_test(test_broken_data_is_refused),
	cmocka_unit_test(test_a_message_that_is_cut_off_is_refused),
	cmocka_unit_test(
	    test_a_text_over_the_limit_is_refused_whatever_it_came_as),
	cmocka_unit_test(test_a_limit_of_nothing_takes_only_that),
};

int
main(int argc, char **argv)
{
	struct CMUnitTest group[COUNT(tests)];

	memcpy(group, tests, sizeof(group));
	suite_leave_out(group, COUNT(group), argv[0]);
	if (argc > 1 && !suite_choose(tests, COUNT(tests), argv[1]))
		return 1;
	return cmocka_run_group_tests(group, make, unmake);
}
