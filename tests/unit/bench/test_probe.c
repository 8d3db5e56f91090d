/* SPDX-License-Identifier: MIT */
/*
 * test_probe.c - what tests/bench/probe.h and form.h promise.
 *
 * A generator that miscounts makes every figure wrong without a word; so each
 * dialect's stream is fed in pieces of any length, and counted the same.
 */

#include "common/ws.h"
#include "tests/bench/probe.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE       100u
#define STREAM_MAX 65536u

static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct wire {
	struct form form;
	struct probe c;
	int peer;
	size_t len;
	uint8_t stream[STREAM_MAX];
};

static int
setup(void **state)
{
	static struct wire w;
	int pair[2];

	memset(&w, 0, sizeof(w));
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return -1;
	w.form = (struct form){ .kind = FORM_PLAIN, .size = SIZE, .topics = 1 };
	w.c.fd = pair[0];
	w.c.state = PROBE_OPEN;
	w.peer = pair[1];
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct wire *w = *state;

	probe_close(&w->c);
	return close(w->peer);
}

/* Append an unmasked frame to the stream. */
static void
add(struct wire *w, enum ws_opcode opcode, const char *payload, size_t len)
{
	w->len += ws_frame_header(w->stream + w->len, opcode, len);
	memcpy(w->stream + w->len, payload, len);
	w->len += len;
}

/* Send the stream in pieces of at most so many bytes, reading each. */
static uint64_t
feed(struct wire *w, size_t piece_max, struct dice *dice)
{
	size_t piece;

	w->c.delivered = 0;
	for (size_t at = 0; at < w->len; at += piece) {
		piece = 1 + (size_t)dice_below(dice, piece_max);
		piece = piece < w->len - at ? piece : w->len - at;
		assert_int_equal(write(w->peer, w->stream + at, piece), piece);
		probe_read(&w->c, &w->form);
	}
	return w->c.delivered;
}

/* The same count whatever the pieces. */
static void
feed_all(struct wire *w, uint64_t expected)
{
	struct dice dice = { .state = 1 };

	for (size_t piece_max = 1; piece_max < 300; piece_max += 7) {
		assert_int_equal(feed(w, piece_max, &dice), expected);
		assert_int_equal(w->c.state, PROBE_OPEN);
	}
}

static void
test_plain_messages_are_counted(void **state)
{
	struct wire *w = *state;
	char text[SIZE];

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 20; i++)
		add(w, WS_TEXT, text, sizeof(text));
	add(w, WS_TEXT, "", 0);
	add(w, WS_TEXT, text, sizeof(text) - 1);
	feed_all(w, 20);
}

static void
test_large_messages_are_counted(void **state)
{
	struct wire *w = *state;
	static char text[5000];

	w->form.size = sizeof(text);
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 5; i++)
		add(w, WS_TEXT, text, sizeof(text));
	feed_all(w, 5);
}

static void
test_v1_counts_messages_alone(void **state)
{
	struct wire *w = *state;
	char text[400];
	int len;

	w->form.kind = FORM_V1;
	memset(text, 'w', sizeof(text));
	memcpy(text, "{\"type\":\"welcome\",", 18);
	add(w, WS_TEXT, text, sizeof(text));
	for (int i = 0; i < 12; i++) {
		len = sprintf(text,
		    "{\"type\":\"message\",\"topic\":\"r000000-000000\","
		    "\"seq\":%d,\"message\":\"%0*d\"}",
		    i, (int)SIZE, 0);
		add(w, WS_TEXT, text, (size_t)len);
	}
	add(w, WS_TEXT, "{\"type\":\"pong\"}", 15);
	feed_all(w, 12);
}

static void
test_answers_count_for_who_counts_them(void **state)
{
	static const char message[] = "{\"type\":\"message\",\"seq\":1}";
	struct wire *w = *state;
	char text[100];
	int len;

	w->form.kind = FORM_ANSWERS;
	for (int i = 0; i < 12; i++) {
		len = sprintf(
		    text, "{\"type\":\"ack\",\"id\":12345,\"seq\":%d}", i);
		add(w, WS_TEXT, text, (size_t)len);
		add(w, WS_TEXT, message, sizeof(message) - 1);
	}
	feed_all(w, 12);
}

static void
test_v1_error_breaks(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };

	w->form.kind = FORM_V1;
	add(w, WS_TEXT, "{\"type\":\"error\",\"code\":\"draining\"}", 34);
	feed(w, 8, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
}

static void
test_nats_messages_share_a_frame(void **state)
{
	struct wire *w = *state;
	char text[1024];
	int len = 0;

	w->form.kind = FORM_NATS;
	for (int i = 0; i < 3; i++)
		len += sprintf(text + len,
		    "MSG r000000-000000 1 %u\r\n%0*d\r\n", SIZE, (int)SIZE, 0);
	add(w, WS_BINARY, text, (size_t)len);
	memcpy(text + len, "PING\r\n", 6);
	add(w, WS_BINARY, text, (size_t)len + 6);
	memmove(text + 6, text, (size_t)len);
	memcpy(text, "PING\r\n", 6);
	add(w, WS_BINARY, text, (size_t)len + 6);
	add(w, WS_BINARY, "INFO {\"server_id\":\"x\"}\r\n", 24);
	feed_all(w, 9);
}

static void
test_nats_error_breaks(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };

	w->form.kind = FORM_NATS;
	add(w, WS_BINARY, "-ERR 'Slow Consumer'\r\n", 22);
	feed(w, 64, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
}

static void
test_ping_is_answered_with_its_payload(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };
	uint8_t pong[64];

	add(w, WS_PING, "who is there", 12);
	feed(w, 3, &dice);
	assert_int_equal(read(w->peer, pong, sizeof(pong)), 2 + 4 + 12);
	assert_int_equal(pong[0], 0x80 | WS_PONG);
	assert_int_equal(pong[1], 0x80 | 12);
	assert_memory_equal(pong + 2, "\0\0\0\0who is there", 16);
}

static void
test_close_breaks(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };

	add(w, WS_CLOSE, "\x03\xe9", 2);
	feed(w, 4, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
	assert_string_equal(w->c.why, "closed by the server");
}

static void
test_masked_frame_breaks(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };
	static const uint8_t mask[4];

	w->len = ws_frame_masked(w->stream, WS_TEXT, mask, "xx", 2);
	feed(w, 8, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
}

static void
test_messages_right_behind_the_handshake_count(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };
	char text[SIZE];

	memset(text, 'x', sizeof(text));
	memcpy(w->stream, answer, strlen(answer));
	w->len = strlen(answer);
	add(w, WS_TEXT, text, sizeof(text));
	for (size_t piece_max = 1; piece_max < 400; piece_max += 50) {
		w->c.state = PROBE_SHAKING;
		w->c.head = calloc(1, 4096 + 1);
		assert_int_equal(feed(w, piece_max, &dice), 1);
		assert_int_equal(w->c.state, PROBE_OPEN);
	}
}

static void
test_wrong_accept_breaks(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };

	memcpy(w->stream, answer, strlen(answer));
	w->len = strlen(answer);
	w->stream[w->len - 10] ^= 1;
	w->c.state = PROBE_SHAKING;
	w->c.head = calloc(1, 4096 + 1);
	feed(w, 400, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
}

/* Of a compressed message nothing can be read, so each one counts. */
static void
test_compressed_messages_count_for_who_offers_that(void **state)
{
	struct wire *w = *state;
	size_t start;

	w->form.kind = FORM_DEFLATE;
	for (int i = 0; i < 10; i++) {
		start = w->len;
		add(w, WS_TEXT, "packed", 6);
		w->stream[start] |= WS_RSV1;
		add(w, WS_TEXT, "plain", 5);
	}
	feed_all(w, 20);
	assert_true(w->c.received >= w->len);
}

static void
test_compressed_messages_break_who_does_not(void **state)
{
	struct wire *w = *state;
	struct dice dice = { .state = 1 };

	w->form.kind = FORM_PROSE;
	add(w, WS_TEXT, "packed", 6);
	w->stream[0] |= WS_RSV1;
	feed(w, 100, &dice);
	assert_int_equal(w->c.state, PROBE_BROKEN);
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	BENCH_TEST(test_plain_messages_are_counted),
	BENCH_TEST(test_large_messages_are_counted),
	BENCH_TEST(test_v1_counts_messages_alone),
	BENCH_TEST(test_answers_count_for_who_counts_them),
	BENCH_TEST(test_v1_error_breaks),
	BENCH_TEST(test_nats_messages_share_a_frame),
	BENCH_TEST(test_nats_error_breaks),
	BENCH_TEST(test_ping_is_answered_with_its_payload),
	BENCH_TEST(test_close_breaks),
	BENCH_TEST(test_masked_frame_breaks),
	BENCH_TEST(test_compressed_messages_count_for_who_offers_that),
	BENCH_TEST(test_compressed_messages_break_who_does_not),
	BENCH_TEST(test_messages_right_behind_the_handshake_count),
	BENCH_TEST(test_wrong_accept_breaks),
};

SUITE_MAIN(tests);
