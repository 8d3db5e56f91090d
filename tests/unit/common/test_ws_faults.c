/* SPDX-License-Identifier: MIT */
/*
 * test_ws_faults.c - what common/ws.h says of peers that break the protocol,
 * and of those that close; one test per promise.
 */

#include "common/ws.h"
#include "tests/support/suite.h"
#include "tests/unit/support/ws_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
test_one_byte_too_many_is_told_with_the_header(void **state)
{
	struct stream *s = *state;

	put_header(s, FIN | WS_TEXT, 8, MESSAGE_MAX + 1);
	put_payload(s, "x", 1);
	expect_end_at(s, s->len);
	expect(s, "fault 1009 message over 70000 bytes\n");
}

static void
test_fragments_are_added_up_for_the_limit(void **state)
{
	struct stream *s = *state;
	static uint8_t payload[MESSAGE_MAX];

	put_frame(s, WS_BINARY, payload, MESSAGE_MAX - 1);
	PUT(s, WS_CONTINUATION, "1");
	PUT(s, WS_CONTINUATION, "");
	PUT(s, WS_CONTINUATION, "2");
	expect_end_at(s, s->len);
	expect(s, "fault 1009 message over 70000 bytes\n");
}

static void
test_huge_lengths_are_refused(void **state)
{
	struct stream *s = *state;

	put_header(s, FIN | WS_BINARY, 8, UINT64_MAX >> 1);
	put_payload(s, "x", 1);
	expect(s, "fault 1009 message over 70000 bytes\n");
	put_header(s, WS_BINARY, 0, 1);
	put_payload(s, "x", 1);
	put_header(s, WS_CONTINUATION, 8, UINT64_MAX >> 1);
	put_payload(s, "x", 1);
	expect(s, "fault 1009 message over 70000 bytes\n");
	put_header(s, FIN | WS_BINARY, 8, UINT64_MAX);
	expect(s, "fault 1002 protocol error: bad length, or control frame in "
		  "parts\n");
}

static void
test_length_must_be_in_its_shortest_form(void **state)
{
	struct stream *s = *state;

	put_header(s, FIN | WS_TEXT, 2, 125);
	expect(s, "fault 1002 protocol error: bad length, or control frame in "
		  "parts\n");
	put_header(s, FIN | WS_TEXT, 8, 65535);
	expect(s, "fault 1002 protocol error: bad length, or control frame in "
		  "parts\n");
}

static void
test_server_wants_masks(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_TEXT, "masked");
	put(s, "\x81\x02no", 4);
	expect(
	    s, "text masked\nfault 1002 protocol error: frame without mask\n");
}

static void
test_reserved_bits_are_refused(void **state)
{
	struct stream *s = *state;

	for (int bit = 0x10; bit <= 0x40; bit <<= 1) {
		PUT(s, FIN | bit | WS_TEXT, "compressed");
		expect(s, "fault 1002 protocol error: reserved bits\n");
		PUT(s, FIN | bit | WS_PING, "");
		expect(s, "fault 1002 protocol error: reserved bits\n");
	}
}

static void
test_reserved_opcodes_are_refused(void **state)
{
	struct stream *s = *state;

	for (int opcode = 0; opcode < 16; opcode++) {
		if (opcode <= WS_BINARY ||
		    (opcode >= WS_CLOSE && opcode <= WS_PONG))
			continue;
		PUT(s, FIN | opcode, "x");
		expect(s, "fault 1002 protocol error: reserved opcode\n");
	}
}

static void
test_fragments_must_follow_each_other(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_CONTINUATION, "x");
	expect(s, "fault 1002 protocol error: continuation of no message\n");
	PUT(s, FIN | WS_TEXT, "x");
	PUT(s, WS_CONTINUATION, "x");
	expect(s,
	    "text x\nfault 1002 protocol error: continuation of no message\n");
	PUT(s, WS_TEXT, "");
	PUT(s, FIN | WS_TEXT, "x");
	expect(s, "fault 1002 protocol error: new message inside another\n");
}

static void
test_control_frames_are_short_and_whole(void **state)
{
	struct stream *s = *state;
	uint8_t payload[126] = { 0 };

	put_frame(s, FIN | WS_PING, payload, sizeof(payload));
	expect(s, "fault 1002 protocol error: bad length, or control frame in "
		  "parts\n");
	PUT(s, WS_PING, "x");
	expect(s, "fault 1002 protocol error: bad length, or control frame in "
		  "parts\n");
}

/* Each is wrong with its last byte, and not before. */
static void
test_bad_text_ends_at_its_first_wrong_byte(void **state)
{
	static const char *const texts[] = {
		"x\x80",         /* continuation without a start */
		"x\xc0",         /* overlong, as every C0 */
		"\xc3(",         /* start without continuation */
		"\xe0\x9f",      /* overlong */
		"\xed\xa0",      /* surrogate */
		"\xf0\x8f",      /* overlong */
		"\xf4\x90",      /* above U+10FFFF */
		"\xf5",          /* above U+10FFFF */
		"\xe2\x82x",     /* cut off */
		"\xf0\x9f\x8c(", /* cut off */
		"\xff",
	};
	struct stream *s = *state;

	for (size_t i = 0; i < COUNT(texts); i++) {
		put_header(s, FIN | WS_TEXT, 2, 1000);
		put_payload(s, texts[i], strlen(texts[i]));
		expect_end_at(s, s->len);
		expect(s, "fault 1007 invalid UTF-8\n");
	}
}

static void
test_bad_text_over_fragments_ends_at_once(void **state)
{
	struct stream *s = *state;

	PUT(s, WS_TEXT, "\xe2\x82\xac\xe2");
	PUT(s, WS_CONTINUATION, "\x82");
	PUT(s, WS_CONTINUATION, "\xe2");
	expect_end_at(s, s->len);
	expect(s, "fault 1007 invalid UTF-8\n");
}

static void
test_text_must_not_end_inside_a_character(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_TEXT, "\xe2\x82");
	expect(s, "fault 1007 invalid UTF-8\n");
	PUT(s, WS_TEXT, "\xe2\x82");
	PUT(s, FIN | WS_CONTINUATION, "");
	expect(s, "fault 1007 invalid UTF-8\n");
}

static void
test_nothing_is_told_after_the_end(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_CLOSE, "\x03\xe8");
	PUT(s, FIN | WS_TEXT, "late");
	PUT(s, FIN | WS_PING, "late");
	expect_out(s, "closed 1000 \n", "", 0);
	PUT(s, FIN | WS_PING, "early");
	PUT(s, FIN | 0xb, "");
	PUT(s, FIN | WS_CLOSE, "\x03\xe8");
	expect_out(s, "ping\nfault 1002 protocol error: reserved opcode\n",
	    "\x8a\x05"
	    "early",
	    7);
}

static void
test_close_tells_code_and_reason(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_CLOSE, "");
	expect(s, "closed 1005 \n");
	PUT(s, FIN | WS_CLOSE, "\x03\xe9");
	expect(s, "closed 1001 \n");
	PUT(s, WS_TEXT, "unfinished");
	PUT(s, FIN | WS_CLOSE, "\x10\x68slow");
	expect(s, "closed 4200 slow\n");
}

/*
 * wslay's event API left two bytes of each chunk of a close frame out of its
 * check of UTF-8: this reason failed or passed depending on the split.
 */
static void
test_close_reason_is_checked_as_a_whole(void **state)
{
	static const char *const bad[] = {
		"\x03\xe8\xff",
		"\x03\xe8x\xff",
		"\x03\xe8xy\xffz",
		"\x03\xe8xyz\xe2\x82",
	};
	struct stream *s = *state;

	PUT(s, FIN | WS_CLOSE, "\x03\xe8\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d");
	expect(s, "closed 1000 \xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d\n");
	for (size_t i = 0; i < COUNT(bad); i++) {
		put_frame(s, FIN | WS_CLOSE, bad[i], strlen(bad[i]));
		expect(s, "fault 1007 invalid UTF-8 in close reason\n");
	}
}

static void
test_close_of_one_byte_is_refused(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_CLOSE, "\x03");
	expect(s, "fault 1002 protocol error: close frame of one byte\n");
}

static void
test_close_codes(void **state)
{
	static const struct {
		unsigned code;
		bool is_valid;
	} codes[] = {
		{ 0, false },
		{ 999, false },
		{ 1000, true },
		{ 1003, true },
		{ 1004, false },
		{ 1005, false },
		{ 1006, false },
		{ 1007, true },
		{ 1011, true },
		{ 1012, true },
		{ 1014, true },
		{ 1015, false },
		{ 2999, false },
		{ 3000, true },
		{ 4999, true },
		{ 5000, false },
		{ 65535, false },
	};
	struct stream *s = *state;

	for (size_t i = 0; i < COUNT(codes); i++) {
		uint8_t payload[2] = { (uint8_t)(codes[i].code >> 8),
			(uint8_t)codes[i].code };
		char told[100];

		put_frame(s, FIN | WS_CLOSE, payload, 2);
		snprintf(told, sizeof(told),
		    codes[i].is_valid
			? "closed %u \n"
			: "fault 1002 protocol error: close code %u\n",
		    codes[i].code);
		expect(s, told);
	}
}

static void
test_client_wants_no_masks(void **state)
{
	struct stream *s = *state;

	s->is_masked = false;
	PUT(s, FIN | WS_TEXT, "hello");
	put(s, "\x81\x81\0\0\0\0x", 7);
	expect(s, "text hello\nfault 1002 protocol error: masked frame\n");
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, stream_setup, stream_teardown)

static const struct CMUnitTest tests[] = {
	T(test_one_byte_too_many_is_told_with_the_header),
	T(test_fragments_are_added_up_for_the_limit),
	T(test_huge_lengths_are_refused),
	T(test_length_must_be_in_its_shortest_form),
	T(test_server_wants_masks),
	T(test_reserved_bits_are_refused),
	T(test_reserved_opcodes_are_refused),
	T(test_fragments_must_follow_each_other),
	T(test_control_frames_are_short_and_whole),
	T(test_bad_text_ends_at_its_first_wrong_byte),
	T(test_bad_text_over_fragments_ends_at_once),
	T(test_text_must_not_end_inside_a_character),
	T(test_nothing_is_told_after_the_end),
	T(test_close_tells_code_and_reason),
	T(test_close_reason_is_checked_as_a_whole),
	T(test_close_of_one_byte_is_refused),
	T(test_close_codes),
	T(test_client_wants_no_masks),
};

SUITE_MAIN(tests);
