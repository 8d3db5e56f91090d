/* SPDX-License-Identifier: MIT */
/*
 * test_echo.c - the echo service of the tests on a whole worker: the place of
 * control frames among messages, and what a message costs to the byte.
 *
 * Also tested here: that a worker serves what its table says, and nothing else.
 */

#include "common/bug.h"
#include "tests/echo_server/echo.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/ws/protocol.h"

#include <malloc.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__)
#define ECHO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ECHO_ASAN 1
#endif
#endif

#define TICKS(seconds) ((seconds)*1000u / WHEEL_TICK_MS)

#define ECHO_LARGEST (16u << 20)

/* What a connection may have beside its messages: a parser, what was read
 * behind a message, blocks' heads. */
#define ECHO_SLACK (256u << 10)

/* What is not given back is the allocator's own affair. */
#define ECHO_IDLE (16u << 10)

/* Bytes allocated by this process now. */
#ifdef ECHO_ASAN
size_t __sanitizer_get_current_allocated_bytes(void);

static size_t
allocated(void)
{
	return __sanitizer_get_current_allocated_bytes();
}
#else
static size_t
allocated(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}
#endif

static int
setup(void **state)
{
	struct crew *crew;

	crew_setup(state);
	crew = *state;
	crew->service = &echo_service;
	crew->config.max_message = ECHO_LARGEST;
	return 0;
}

/* The next frame must be there, of this kind and with this text. */
static void
expect(struct peer *a, enum ws_opcode opcode, const char *text)
{
	struct peer_frame frame;

	assert_true(peer_next(a, &frame));
	assert_int_equal(frame.opcode, opcode);
	assert_int_equal(frame.len, strlen(text));
	assert_memory_equal(frame.data, text, frame.len);
}

/* Send a frame that is not final. */
static void
fragment(struct peer *a, enum ws_opcode opcode, const char *text)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	uint8_t frame[WS_HEADER_MAX + 64];
	size_t len;

	CHECK(strlen(text) <= 64);
	len = ws_frame_masked(frame, opcode, mask, text, strlen(text));
	frame[0] &= 0x7f;
	peer_send(a, frame, len);
}

static void
test_answers_come_in_the_order_of_what_they_answer(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_hold(a);
	peer_frame(a, WS_TEXT, "one", 3);
	peer_frame(a, WS_PING, "two", 3);
	fragment(a, WS_BINARY, "fo");
	peer_frame(a, WS_PING, "three", 5);
	peer_frame(a, WS_CONTINUATION, "ur", 2);
	peer_frame(a, WS_PING, "five", 4);
	peer_frame(a, WS_CLOSE, "\x03\xe8", 2);
	peer_frame(a, WS_PING, "never", 5);
	peer_release(a);
	crew_run(crew);
	expect(a, WS_TEXT, "one");
	expect(a, WS_PONG, "two");
	expect(a, WS_PONG, "three");
	expect(a, WS_BINARY, "four");
	expect(a, WS_PONG, "five");
	peer_expect_close(a, 1000);
	peer_close(&a);
}

static void
test_the_server_pings_between_fragments(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	fragment(a, WS_TEXT, "half");
	crew_run(crew);
	crew_ticks(crew, 0, TICKS(54));
	expect(a, WS_PING, "");
	peer_frame(a, WS_PONG, "", 0);
	crew_run(crew);
	crew_ticks(crew, 0, TICKS(50));
	peer_frame(a, WS_CONTINUATION, " a message", 10);
	crew_run(crew);
	expect(a, WS_TEXT, "half a message");
	peer_close(&a);
}

/* Take what has come out of the socket.  Returns how much it was. */
static size_t
swallow(struct peer *a)
{
	static char sink[65536];
	size_t got = 0;
	ssize_t n;

	while ((n = recv(a->fd, sink, sizeof(sink), MSG_DONTWAIT)) > 0)
		got += (size_t)n;
	assert_int_not_equal(n, 0);
	return got;
}

/*
 * Who reads a long answer slowly is not read meanwhile, so that no pong of it
 * is heard, and a ping waits behind the answer: it was cut in the middle.
 */
static void
test_who_reads_slowly_is_not_cut(void **state)
{
	struct crew *crew = *state;
	static char message[100000];
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open_slow(crew, 0, "", 1);
	peer_frame(a, WS_BINARY, message, sizeof(message));
	crew_run(crew);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(a->conn->paused, PAUSE_ANSWERS);
		crew_ticks(crew, 0, TICKS(40));
		assert_true(swallow(a) > 0);
		crew_turn(crew, 0);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	crew_ticks(crew, 0, TICKS(120)); /* no longer */
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	peer_close(&a);
}

static size_t peak; /* of allocated() */

static void
note_peak(void)
{
	size_t now = allocated();

	if (now > peak)
		peak = now;
}

/* Echo, and look at what that costs when it costs most: the message is there
 * twice. */
static void
measure_message(struct conn *c, bool binary, const char *data, size_t len)
{
	echo_service.protocols[0]->message(c, binary, data, len);
	note_peak();
}

static const struct protocol measured_protocol = { .message = measure_message };

static const struct protocol *const measured_protocols[] = {
	&measured_protocol,
};

static struct service measured_service; /* the echo's, but for that */

/* Send bytes, as fast as they are read. */
static void
push(struct peer *a, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = send(a->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		crew_turn(a->crew, a->worker);
		note_peak();
	}
}

/* Send ECHO_LARGEST zero bytes, in fragments of part bytes each, and take the
 * answer. */
static void
exchange(struct peer *a, size_t part)
{
	static const uint8_t mask[4];
	static char zeros[ECHO_LARGEST];
	uint8_t header[WS_HEADER_MAX];
	size_t want = 10 + (size_t)ECHO_LARGEST, got = 0, len, n;

	for (size_t at = 0; at < ECHO_LARGEST; at += n) {
		n = ECHO_LARGEST - at < part ? ECHO_LARGEST - at : part;
		len = ws_frame_header(
		    header, at == 0 ? WS_BINARY : WS_CONTINUATION, n);
		if (at + n < ECHO_LARGEST)
			header[0] &= 0x7f;
		header[1] |= 0x80;
		push(a, header, len);
		push(a, mask, sizeof(mask));
		push(a, zeros + at, n);
	}
	for (uint64_t until_ms = crew_patience(); got < want;) {
		got += swallow(a);
		note_peak();
		if (got < want)
			crew_wait(a->crew, until_ms, "the whole answer");
	}
	assert_int_equal(got, want);
	crew_run(a->crew);
}

/* Two messages of the largest size, one coming in and its echo going out, are
 * the most that a connection may cost, and all of it is given back. */
static void
test_what_a_message_costs_is_bounded(void **state)
{
	static const size_t parts[] = { ECHO_LARGEST, 65536, 5000 };
	struct crew *crew = *state;
	struct peer *a;
	size_t before;

	measured_service = echo_service;
	measured_service.protocols = measured_protocols;
	crew->service = &measured_service;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	exchange(a, 65536); /* what a worker keeps for all is there now */
	before = allocated();
	for (size_t i = 0; i < COUNT(parts); i++) {
		peak = 0;
		exchange(a, parts[i]);
		assert_in_range(peak - before, 2 * ECHO_LARGEST,
		    2 * (size_t)ECHO_LARGEST + ECHO_SLACK);
		assert_in_range(allocated(), 0, before + ECHO_IDLE);
		assert_null(a->conn->out);
		assert_null(a->conn->input);
		assert_null(a->conn->data);
	}
	peer_close(&a);
}

static void
test_there_is_no_publish_and_subscribe(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	b = peer_connect(crew, 0, 0);
	peer_send_string(b, "GET /topics HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_expect_status(b, 404);
	peer_publish(a, "room", "x");
	crew_run(crew);
	peer_expect(a, "{\"topic\":\"room\",\"message\":\"x\"}");
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MESSAGES_IN), 0);
	peer_close(&a);
	peer_close(&b);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_answers_come_in_the_order_of_what_they_answer),
	T(test_the_server_pings_between_fragments),
	T(test_who_reads_slowly_is_not_cut),
	T(test_what_a_message_costs_is_bounded),
	T(test_there_is_no_publish_and_subscribe),
};

SUITE_MAIN(tests);
