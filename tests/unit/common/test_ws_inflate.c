/* SPDX-License-Identifier: MIT */
/*
 * test_ws_inflate.c - what common/ws.h says of compressed messages (RFC 7692,
 * section 6); one test per promise.
 */

#include "common/deflate.h"
#include "common/ws.h"
#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/unit/support/ws_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSV1 0x40

/* "Hello", as in RFC 7692, section 7.2.3.1. */
#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"

#define FAULT(code, reason) "fault " code " " reason "\n"
#define RESERVED            FAULT("1002", "protocol error: reserved bits")

static int
setup(void **state)
{
	struct stream *s;

	stream_setup(state);
	s = *state;
	s->may_deflate = true;
	return 0;
}

/* Compress a text.  Owns: the caller, free(3). */
static char *
packed(const void *text, size_t len, size_t *packed_len)
{
	struct deflater *deflater = deflater_new();
	char *out = xmalloc(len + DEFLATE_TAIL);

	*packed_len = deflate_message(deflater, text, len, out);
	assert_true(*packed_len > 0);
	deflater_free(&deflater);
	return out;
}

static void
test_a_compressed_message_is_told_as_its_text(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | RSV1 | WS_TEXT, HELLO);
	PUT(s, FIN | RSV1 | WS_BINARY, HELLO);
	expect(s, "inflated 7 to 5\ntext Hello\n"
		  "inflated 7 to 5\nbinary Hello\n");
}

/* The first example of section 7.2.3.1. */
static void
test_only_the_first_of_its_frames_says_so(void **state)
{
	struct stream *s = *state;

	PUT(s, RSV1 | WS_TEXT, "\xf2\x48\xcd");
	PUT(s, FIN | WS_CONTINUATION, "\xc9\xc9\x07\x00");
	PUT(s, RSV1 | WS_TEXT, "");
	PUT(s, WS_CONTINUATION, HELLO);
	PUT(s, FIN | WS_CONTINUATION, "");
	expect(s, "inflated 7 to 5\ntext Hello\n"
		  "inflated 7 to 5\ntext Hello\n");
}

static void
test_each_message_says_for_itself_whether_it_is(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | WS_TEXT, "plain");
	PUT(s, FIN | RSV1 | WS_TEXT, HELLO);
	PUT(s, WS_TEXT, "pl");
	PUT(s, FIN | WS_CONTINUATION, "ain");
	PUT(s, FIN | RSV1 | WS_TEXT, HELLO);
	expect(s, "text plain\ninflated 7 to 5\ntext Hello\n"
		  "text plain\ninflated 7 to 5\ntext Hello\n");
}

static void
test_a_control_frame_may_come_in_between(void **state)
{
	struct stream *s = *state;

	PUT(s, RSV1 | WS_TEXT, "\xf2\x48\xcd");
	PUT(s, FIN | WS_PING, "\xc9");
	PUT(s, FIN | WS_CONTINUATION, "\xc9\xc9\x07\x00");
	expect_out(s, "ping\ninflated 7 to 5\ntext Hello\n", "\x8a\x01\xc9", 3);
}

static void
test_empty_messages_are_messages(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | RSV1 | WS_TEXT, "\x00");
	PUT(s, FIN | RSV1 | WS_BINARY, "");
	expect(s, "inflated 1 to 0\ntext \ninflated 0 to 0\nbinary \n");
}

static void
test_the_bit_is_refused_where_it_may_not_be(void **state)
{
	struct stream *s = *state;

	for (int opcode = WS_CLOSE; opcode <= WS_PONG; opcode++) {
		PUT(s, FIN | RSV1 | opcode, "");
		expect(s, RESERVED);
	}
	PUT(s, RSV1 | WS_TEXT, "\xf2\x48\xcd");
	PUT(s, FIN | RSV1 | WS_CONTINUATION, "\xc9\xc9\x07\x00");
	expect(s, RESERVED);
	PUT(s, FIN | RSV1 | WS_CONTINUATION, "x");
	expect(s, RESERVED);
	PUT(s, WS_TEXT, "not");
	PUT(s, FIN | RSV1 | WS_CONTINUATION, HELLO);
	expect(s, RESERVED);
	for (int bits = 0x10; bits <= 0x70; bits += 0x10) {
		if (bits == RSV1)
			continue;
		PUT(s, FIN | bits | WS_TEXT, HELLO);
		expect(s, RESERVED);
	}
}

/* The parser that one owner gives back is not one for the next. */
static void
test_who_has_not_agreed_is_refused_it(void **state)
{
	struct ws_pool *pool;
	struct owner first, next;
	struct ws *ws;
	size_t taken;

	(void)state;
	owner_begin(&first, WS_SERVER);
	owner_begin(&next, WS_SERVER);
	pool = first.pool;
	ws = ws_borrow(pool, &first);
	ws_allow_deflate(ws);
	assert_int_equal(ws_feed(ws, "\xc1\x81\0\0\0\0\0", 7, &taken), WS_OK);
	assert_string_equal(first.told, "inflated 1 to 0\ntext \n");
	ws_return(pool, &ws);
	ws = ws_borrow(pool, &next);
	assert_int_equal(
	    ws_feed(ws, "\xc1\x81\0\0\0\0\0", 7, &taken), WS_ENDED);
	assert_string_equal(next.told, RESERVED);
	ws_return(pool, &ws);
	owner_end(&first);
	owner_end(&next);
}

static void
test_what_does_not_inflate_is_bad_data(void **state)
{
	struct stream *s = *state;

	PUT(s, FIN | RSV1 | WS_TEXT, HELLO);
	PUT(s, FIN | RSV1 | WS_TEXT, "Hello");
	expect(s, "inflated 7 to 5\ntext Hello\n" FAULT(
		      "1007", "invalid compressed data"));
	PUT(s, RSV1 | WS_BINARY, "\xf2\x48");
	PUT(s, FIN | WS_CONTINUATION, "");
	expect(s, FAULT("1007", "invalid compressed data"));
}

static void
test_utf8_is_that_of_the_text(void **state)
{
	static const char no_text[] =
	    "\xc3\xc3\xc3\xc3\xc3\xc3\xc3\xc3\xc3\xc3\xc3\xc3";
	struct stream *s = *state;
	char told[200], *bytes;
	size_t len;

	bytes = packed(no_text, 12, &len);
	put_frame(s, FIN | RSV1 | WS_BINARY, bytes, len);
	put_frame(s, FIN | RSV1 | WS_TEXT, bytes, len);
	snprintf(told, sizeof(told),
	    "inflated %zu to 12\nbinary %.12s\ninflated %zu to 12\n" FAULT(
		"1007", "invalid UTF-8"),
	    len, no_text, len);
	expect(s, told);
	free(bytes);
}

static void
test_the_limit_is_that_of_the_text(void **state)
{
	static const size_t too_many[] = { MESSAGE_MAX + 1, 1 << 20 };
	struct stream *s = *state;
	char *zeros = xcalloc(1, 1 << 20), *bytes, told[100];
	size_t len;

	bytes = packed(zeros, MESSAGE_MAX, &len);
	put_frame(s, FIN | RSV1 | WS_BINARY, bytes, len);
	snprintf(told, sizeof(told), "inflated %zu to %u\nbinary of %u: %u\n",
	    len, MESSAGE_MAX, MESSAGE_MAX, stream_digest(zeros, MESSAGE_MAX));
	expect(s, told);
	free(bytes);
	for (size_t i = 0; i < COUNT(too_many); i++) {
		bytes = packed(zeros, too_many[i], &len);
		put_frame(s, FIN | RSV1 | WS_BINARY, bytes, len);
		expect(s, FAULT("1009", "message over 70000 bytes"));
		free(bytes);
	}
	free(zeros);
}

/* Nothing is kept of what is longer than any message could have become. */
static void
test_too_much_that_is_compressed_is_told_with_the_header(void **state)
{
	struct stream *s = *state;

	put_header(
	    s, FIN | RSV1 | WS_TEXT, 8, MESSAGE_MAX + MESSAGE_MAX / 16 + 65);
	put_payload(s, "x", 1);
	expect_end_at(s, s->len);
	expect(s, FAULT("1009", "message over 70000 bytes"));
}

/* What does not become smaller is a little more. */
static void
test_what_became_larger_is_taken_up_to_the_limit(void **state)
{
	struct stream *s = *state;
	char told[100];
	static char block[5 + MESSAGE_MAX];
	size_t half = MESSAGE_MAX / 2;

	memset(block, 'x', sizeof(block));
	memcpy(block, "\x00\xb8\x88\x47\x77", 5); /* 35,000 bytes as they are */
	put_frame(s, RSV1 | WS_TEXT, block, 5 + half);
	put_frame(s, WS_CONTINUATION, block, 5 + half);
	PUT(s, FIN | WS_CONTINUATION, "\x00");
	snprintf(told, sizeof(told), "inflated %zu to %u\ntext of %u: %u\n",
	    2 * (5 + half) + 1, MESSAGE_MAX, MESSAGE_MAX,
	    stream_digest(block + 5, MESSAGE_MAX));
	expect(s, told);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, stream_teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_compressed_message_is_told_as_its_text),
	T(test_only_the_first_of_its_frames_says_so),
	T(test_each_message_says_for_itself_whether_it_is),
	T(test_a_control_frame_may_come_in_between),
	T(test_empty_messages_are_messages),
	T(test_the_bit_is_refused_where_it_may_not_be),
	T(test_who_has_not_agreed_is_refused_it),
	T(test_what_does_not_inflate_is_bad_data),
	T(test_utf8_is_that_of_the_text),
	T(test_the_limit_is_that_of_the_text),
	T(test_too_much_that_is_compressed_is_told_with_the_header),
	T(test_what_became_larger_is_taken_up_to_the_limit),
};

SUITE_MAIN(tests);
