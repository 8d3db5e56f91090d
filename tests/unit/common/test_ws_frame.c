/* SPDX-License-Identifier: MIT */
/* test_ws_frame.c - the frames that common/ws_frame.h makes, byte for byte. */

#include "common/utf8.h"
#include "common/ws_frame.h"
#include "tests/support/suite.h"

#include <string.h>

static void
test_header_is_as_short_as_may_be(void **state)
{
	static const struct {
		uint64_t len;
		size_t header_len;
		const char *header;
	} cases[] = {
		{ 0, 2, "\x81\x00" },
		{ 125, 2, "\x81\x7d" },
		{ 126, 4, "\x81\x7e\x00\x7e" },
		{ 65535, 4, "\x81\x7e\xff\xff" },
		{ 65536, 10, "\x81\x7f\0\0\0\0\0\x01\0\0" },
		{ 0x0123456789abcdef, 10,
		    "\x81\x7f\x01\x23\x45\x67\x89\xab\xcd\xef" },
	};
	uint8_t out[WS_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(ws_frame_header(out, WS_TEXT, cases[i].len),
		    cases[i].header_len);
		assert_memory_equal(out, cases[i].header, cases[i].header_len);
	}
}

/* The example of RFC 6455, section 5.7. */
static void
test_masked_frame(void **state)
{
	static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t out[WS_HEADER_MAX + 5];

	(void)state;
	assert_int_equal(ws_frame_masked(out, WS_TEXT, mask, "Hello", 5), 11);
	assert_memory_equal(
	    out, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
}

static void
test_masked_frame_of_any_length(void **state)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	static uint8_t data[65536], out[65536 + WS_HEADER_MAX];

	(void)state;
	assert_int_equal(
	    ws_frame_masked(out, WS_BINARY, mask, data, 126), 4 + 4 + 126);
	assert_memory_equal(
	    out, "\x82\xfe\x00\x7e\x01\x02\x03\x04\x01\x02", 10);
	assert_int_equal(ws_frame_masked(out, WS_BINARY, mask, data, 65536),
	    WS_HEADER_MAX + 65536);
	assert_memory_equal(
	    out, "\x82\xff\0\0\0\0\0\x01\0\0\x01\x02\x03\x04\x01\x02", 16);
}

static void
test_close_frame_has_code_and_reason(void **state)
{
	uint8_t out[WS_OUTPUT_MAX];

	(void)state;
	assert_int_equal(ws_close_frame(out, WS_CODE_RESTART, "soon back"), 13);
	assert_memory_equal(out, "\x88\x0b\x03\xf4soon back", 13);
	assert_int_equal(ws_close_frame(out, WS_CODE_NORMAL, ""), 4);
	assert_memory_equal(out, "\x88\x02\x03\xe8", 4);
	assert_int_equal(ws_close_frame(out, WS_CODE_NONE, "unsaid"), 2);
	assert_memory_equal(out, "\x88\x00", 2);
}

/* A reason of three-byte characters, begun 0 to 2 bytes late, is cut between
 * two of them, at most 123 bytes long. */
static void
test_close_reason_is_cut_between_characters(void **state)
{
	static const size_t kept[3] = { 123, 121, 122 };
	uint8_t out[WS_OUTPUT_MAX];
	char reason[200];

	(void)state;
	for (size_t late = 0; late < 3; late++) {
		memset(reason, 'x', late);
		for (size_t at = late; at + 3 < sizeof(reason); at += 3)
			memcpy(reason + at, "\xe2\x82\xac", 4);
		assert_int_equal(
		    ws_close_frame(out, 1008, reason), 4 + kept[late]);
		assert_int_equal(out[1], 2 + kept[late]);
		assert_memory_equal(out + 4, reason, kept[late]);
		assert_true(utf8_valid(out + 4, kept[late]));
	}
}

static void
test_close_reason_of_the_longest_length_is_whole(void **state)
{
	uint8_t out[WS_OUTPUT_MAX];
	char reason[WS_REASON_MAX + 1] = "";

	(void)state;
	memset(reason, 'x', WS_REASON_MAX);
	assert_int_equal(ws_close_frame(out, 1008, reason), 127);
	assert_int_equal(out[1], 125);
	assert_memory_equal(out + 4, reason, WS_REASON_MAX);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_header_is_as_short_as_may_be),
	cmocka_unit_test(test_masked_frame),
	cmocka_unit_test(test_masked_frame_of_any_length),
	cmocka_unit_test(test_close_frame_has_code_and_reason),
	cmocka_unit_test(test_close_reason_is_cut_between_characters),
	cmocka_unit_test(test_close_reason_of_the_longest_length_is_whole),
};

SUITE_MAIN(tests);
