/* SPDX-License-Identifier: MIT */
/*
 * test_ws_whole.c - what common/ws_whole.h promises.  That it tells what the
 * parser would is seen to by test_ws.c, whose streams come both ways, and by
 * fuzz_ws.c.
 */

#include "common/ws_frame.h"
#include "common/ws_whole.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

#define MOST 1000u /* bytes of a message */

static const uint8_t mask[4] = { 0x0f, 0xf1, 0x5a, 0x81 };

static void
mask_one_by_one(uint8_t *data, size_t len, bool *is_ascii)
{
	*is_ascii = true;
	for (size_t i = 0; i < len; i++) {
		data[i] ^= mask[i % 4];
		*is_ascii = *is_ascii && data[i] < 0x80;
	}
}

/* Sixteen at a time, eight and one, wherever it begins: each says the same. */
static void
test_masking_is_the_same_for_every_length_and_place(void **state)
{
	struct dice dice = { 12 };
	uint8_t was[160], one[160], many[160];
	bool ascii[2];

	(void)state;
	for (size_t at = 0; at < 32; at++)
		for (size_t len = 0; len + at + 1 < sizeof(was); len++) {
			for (size_t i = 0; i < sizeof(was); i++)
				was[i] = dice_below(&dice, 128) ^
				         (i >= at ? mask[(i - at) % 4] : 0);
			if (len > 0 && dice_below(&dice, 2))
				was[at + dice_below(&dice, len)] ^= 0x80;
			memcpy(one, was, sizeof(was));
			memcpy(many, was, sizeof(was));
			mask_one_by_one(one + at, len, &ascii[0]);
			ascii[1] = ws_mask(many + at, len, mask);
			assert_memory_equal(one, many, sizeof(one));
			assert_int_equal(ascii[0], ascii[1]);
		}
}

/* Make a frame in a block of just its size, of which the last `cut' bytes are
 * not there. */
static uint8_t *
make(uint8_t first, const char *text, size_t len, size_t cut, size_t *size)
{
	uint8_t *frame = xmalloc(len + WS_HEADER_MAX), *block;

	*size = ws_frame_masked(frame, WS_TEXT, mask, text, len) - cut;
	frame[0] = first;
	block = xmalloc(*size + 1);
	memcpy(block, frame, *size);
	free(frame);
	return block;
}

static void
assert_taken(const char *text, size_t len)
{
	struct ws_whole whole;
	size_t size;
	uint8_t *frame = make(0x81, text, len, 0, &size);

	assert_int_equal(ws_take_whole(frame, size, MOST, &whole), size);
	assert_int_equal(whole.len, len);
	assert_memory_equal(whole.text, text, len);
	free(frame);
}

/* It is left to the parser, as it was. */
static void
assert_left(uint8_t first, const char *text, size_t len, size_t cut)
{
	struct ws_whole whole;
	size_t size;
	uint8_t *frame = make(first, text, len, cut, &size);
	uint8_t *before = xmalloc(size + 1);

	memcpy(before, frame, size);
	assert_int_equal(ws_take_whole(frame, size, MOST, &whole), 0);
	assert_memory_equal(before, frame, size);
	free(before);
	free(frame);
}

static void
test_a_whole_text_frame_is_taken(void **state)
{
	char text[MOST];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len <= MOST; len++)
		assert_taken(text, len);
	assert_taken("\xc3\xa9t\xc3\xa9, \xf0\x9f\x90\xb1", 11);
}

static void
test_what_is_behind_it_is_left_alone(void **state)
{
	struct ws_whole whole;
	uint8_t bytes[64];
	size_t len = ws_frame_masked(bytes, WS_TEXT, mask, "hello", 5);

	(void)state;
	memcpy(bytes + len, "what comes next", 15);
	assert_int_equal(ws_take_whole(bytes, len + 15, MOST, &whole), len);
	assert_memory_equal(bytes + len, "what comes next", 15);
}

static void
test_anything_else_is_left_to_the_parser(void **state)
{
	static const uint8_t others[] = { 0x01, 0x80, 0x82, 0x88, 0x89, 0x8a,
		0x83, 0xc1, 0xa1, 0x91, 0xf1 };
	char text[MOST + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < COUNT(others); i++)
		assert_left(others[i], "hello", 5, 0);
	for (size_t cut = 1; cut <= 11; cut++)
		assert_left(0x81, "hello", 5, cut);
	for (size_t cut = 1; cut <= 208; cut++)
		assert_left(0x81, text, 200, cut);
	assert_left(0x81, text, MOST + 1, 0);
	assert_left(0x81, "cut off: \xc3", 10, 0);
	assert_left(0x81, "a surrogate: \xed\xa0\x80", 16, 0);
}

static void
test_bad_headers_are_left_to_the_parser(void **state)
{
	static const char *const bad[] = {
		"\x81\x05hello   ",        /* no mask */
		"\x81\xfe\0\x05mask.....", /* a length in too many bytes */
		"\x81\xff\0\0\0\0\0\0\0\x05mask.....",
		"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask.....",
	};
	struct ws_whole whole;
	uint8_t bytes[24];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		memcpy(bytes, bad[i], 11);
		memset(bytes + 11, '.', sizeof(bytes) - 11);
		assert_int_equal(
		    ws_take_whole(bytes, sizeof(bytes), MOST, &whole), 0);
		assert_memory_equal(bytes, bad[i], 11);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_masking_is_the_same_for_every_length_and_place),
	cmocka_unit_test(test_a_whole_text_frame_is_taken),
	cmocka_unit_test(test_what_is_behind_it_is_left_alone),
	cmocka_unit_test(test_anything_else_is_left_to_the_parser),
	cmocka_unit_test(test_bad_headers_are_left_to_the_parser),
};

SUITE_MAIN(tests);
