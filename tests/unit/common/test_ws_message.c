/* SPDX-License-Identifier: MIT */
/* test_ws_message.c - how the memory of a message in pieces grows. */

#include "common/ws_message.h"

#include "common/ws_parser.h"
#include "tests/support/suite.h"
#include "tests/unit/support/ws_stream.h"

#include <stdlib.h>
#include <string.h>

#define MIB   (1024u * 1024)
#define PIECE 1024u

static char piece[PIECE];

/* 1,500 frames that announced 1 MB each reserved 1.5 GB. */
static void
test_what_is_only_announced_takes_no_memory(void **state)
{
	struct ws_message message = { .opcode = WS_TEXT };

	(void)state;
	assert_true(
	    ws_message_append(&message, piece, PIECE, MIB - PIECE, 16 * MIB));
	assert_int_equal(message.cap, PIECE);
	assert_true(
	    ws_message_append(&message, piece, 1, MIB - PIECE - 1, 16 * MIB));
	assert_int_equal(message.cap, 2 * PIECE);
	ws_message_forget(&message);
}

/* Append bytes in pieces of a size, as one frame or as many.  Returns how often
 * the memory grew. */
static int
grow(struct ws_message *message, size_t total, size_t size, bool is_one_frame)
{
	int times = 0;

	for (size_t at = 0; at < total; at += size) {
		size_t cap = message->cap;
		uint64_t more = is_one_frame ? total - at - size : 0;

		assert_true(ws_message_append(message, piece, size, more, MIB));
		assert_int_equal(message->len, at + size);
		assert_true(message->cap >= message->len);
		assert_true(message->cap <= MIB);
		times += message->cap != cap;
	}
	return times;
}

static void
test_it_doubles_up_to_what_a_frame_announces(void **state)
{
	struct ws_message message = { .opcode = WS_TEXT };

	(void)state;
	assert_in_range(grow(&message, MIB - PIECE, PIECE, true), 1, 11);
	assert_int_equal(message.cap, MIB - PIECE);
	ws_message_forget(&message);
}

static void
test_it_doubles_over_many_frames_within_the_limit(void **state)
{
	struct ws_message message = { .opcode = WS_TEXT };

	(void)state;
	assert_in_range(grow(&message, MIB, 1, false), 1, 21);
	assert_int_equal(message.cap, MIB);
	ws_message_forget(&message);
}

/* Fragments that are read in two parts each had the memory grow by a fragment at
 * a time, and sixteen megabytes of them copied gigabytes. */
static void
test_it_doubles_over_fragments_in_parts(void **state)
{
	struct stream *s = *state;
	struct owner o;
	size_t cap = 0;
	int times = 0;

	owner_begin(&o, WS_SERVER);
	for (int i = 0; i < 64; i++) {
		s->len = 0;
		put_frame(
		    s, i == 0 ? WS_BINARY : WS_CONTINUATION, piece, PIECE);
		owner_feed(&o, s->data, s->len / 2);
		owner_feed(&o, s->data + s->len / 2, s->len - s->len / 2);
		times += o.ws->message.cap != cap;
		cap = o.ws->message.cap;
	}
	assert_int_equal(o.ws->message.len, 64 * PIECE);
	assert_in_range(times, 1, 9);
	owner_end(&o);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_what_is_only_announced_takes_no_memory),
	cmocka_unit_test(test_it_doubles_up_to_what_a_frame_announces),
	cmocka_unit_test(test_it_doubles_over_many_frames_within_the_limit),
	cmocka_unit_test_setup_teardown(test_it_doubles_over_fragments_in_parts,
	    stream_setup, stream_teardown),
};

SUITE_MAIN(tests);
