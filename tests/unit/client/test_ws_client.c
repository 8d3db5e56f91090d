/* SPDX-License-Identifier: MIT */
/*
 * test_ws_client.c - what broker/cli/client/ws_client.h promises.  The other
 * end of its socket is in the test's hand.
 */

#include "broker/cli/client/ws_client.h"
#include "common/handshake.h"
#include "common/http.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 1000u
#define SAID_MAX    512u

static struct ws_client_group group;
static struct ws_client client;
static int server; /* the other end; -1: closed */

/* What the events told: "opened", then each message behind a '|'. */
static char told[SAID_MAX];
static bool fails; /* the owner finds fault with the next message */

static void
told_opened(struct ws_client *c)
{
	assert_ptr_equal(c, &client);
	strcat(told, "opened");
}

static void
told_message(
    struct ws_client *c, enum ws_opcode opcode, const char *data, size_t len)
{
	assert_ptr_equal(c, &client);
	assert_int_equal(opcode, WS_TEXT);
	strcat(told, "|");
	strncat(told, data, len);
	if (fails)
		ws_client_fail(c, "it is nonsense");
}

static int
setup(void **state)
{
	const struct ws_client_events events = { told_opened, told_message };
	int ends[2];

	(void)state;
	ws_client_group_init(
	    &group, "h:1", "/ws?a=b", NULL, MESSAGE_MAX, 1, &events);
	ws_client_init(&client, &group);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	server = ends[1];
	told[0] = '\0';
	fails = false;
	ws_client_begin(&client, ends[0]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ws_client_drop(&client);
	ws_client_group_fini(&group);
	if (server != -1)
		close(server);
	return 0;
}

static void
server_send(const void *data, size_t len)
{
	/* cppcheck-suppress uninitvar; all callers have filled it in */
	assert_int_equal(send(server, data, len, 0), len);
}

/* Take what the client has sent. */
static size_t
server_take(char *out, size_t size)
{
	ssize_t n = recv(server, out, size, 0);

	assert_true(n >= 0);
	return (size_t)n;
}

/* Whether the client has closed its socket. */
static bool
server_is_alone(void)
{
	char byte;

	return recv(server, &byte, 1, 0) == 0;
}

/* Read the request and write the answer that lets the client in. */
static size_t
server_answer(char *answer, size_t size)
{
	char text[1024];
	struct http_request req;
	size_t scanned = 0, len = server_take(text, sizeof(text));
	const char *why;

	assert_int_equal(
	    http_parse_request(text, len, HTTP_HEAD_MAX, &scanned, &req),
	    HTTP_OK);
	assert_int_equal(handshake_check(&req, &why), 101);
	assert_null(http_header_find(&req, "Sec-WebSocket-Protocol"));
	assert_true(http_text_equal(&req.host, "h:1"));
	assert_true(http_text_equal(&req.path, "/ws"));
	assert_true(http_text_equal(&req.query, "a=b"));
	return handshake_response(&req, NULL, NULL, answer, size);
}

static size_t
frame(uint8_t *out, enum ws_opcode opcode, const char *text)
{
	size_t header = ws_frame_header(out, opcode, strlen(text));

	memcpy(out + header, text, strlen(text));
	return header + strlen(text);
}

static void
server_frame(enum ws_opcode opcode, const char *text)
{
	uint8_t bytes[SAID_MAX];
	size_t len = frame(bytes, opcode, text);

	server_send(bytes, len);
}

static void
open_client(void)
{
	char answer[512];
	size_t len = server_answer(answer, sizeof(answer));

	server_send(answer, len);
	assert_true(ws_client_read(&client));
	assert_int_equal(client.state, WS_CLIENT_OPEN);
	assert_string_equal(told, "opened");
}

/* The one frame that the client has sent, unmasked. */
static size_t
server_unmask(enum ws_opcode opcode, char *out)
{
	uint8_t bytes[SAID_MAX];
	size_t n = server_take((char *)bytes, sizeof(bytes));

	assert_true(n >= 6);
	assert_int_equal(bytes[0], 0x80 | opcode);
	assert_int_equal(bytes[1], 0x80 | (n - 6));
	for (size_t i = 6; i < n; i++)
		out[i - 6] = (char)(bytes[i] ^ bytes[2 + (i - 6) % 4]);
	out[n - 6] = '\0';
	return n - 6;
}

static void
test_frames_may_follow_the_answer_at_once(void **state)
{
	char bytes[1024];
	size_t n = server_answer(bytes, 512);

	(void)state;
	n += frame((uint8_t *)bytes + n, WS_TEXT, "one");
	n += frame((uint8_t *)bytes + n, WS_TEXT, "two");
	server_send(bytes, n);
	assert_true(ws_client_read(&client));
	assert_string_equal(told, "opened|one|two");
	assert_int_equal(ws_pool_lent(group.pool), 0);
}

static void
test_it_may_come_byte_by_byte(void **state)
{
	char bytes[1024];
	size_t n = server_answer(bytes, 512);

	(void)state;
	n += frame((uint8_t *)bytes + n, WS_TEXT, "one");
	for (size_t i = 0; i < n; i++) {
		server_send(bytes + i, 1);
		assert_true(ws_client_read(&client));
	}
	assert_string_equal(told, "opened|one");
}

static void
test_a_refusal_ends_it(void **state)
{
	static const char answer[] =
	    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n";
	char request[1024];

	(void)state;
	server_take(request, sizeof(request));
	server_send(answer, strlen(answer));
	assert_false(ws_client_read(&client));
	assert_int_equal(client.state, WS_CLIENT_NONE);
	assert_int_equal(group.end.kind, CLIENT_REFUSED);
	assert_int_equal(group.end.code, 503);
	assert_int_equal(group.end.retry_after_ms, 2000);
	assert_true(server_is_alone());
	assert_string_equal(told, "");
}

static void
test_a_parser_is_held_while_a_message_is_half_read(void **state)
{
	uint8_t bytes[64];
	size_t n = frame(bytes, WS_TEXT, "a message");

	(void)state;
	open_client();
	assert_int_equal(ws_pool_lent(group.pool), 0);
	server_send(bytes, 5);
	assert_true(ws_client_read(&client));
	assert_int_equal(ws_pool_lent(group.pool), 1);
	server_send(bytes + 5, n - 5);
	assert_true(ws_client_read(&client));
	assert_int_equal(ws_pool_lent(group.pool), 0);
	assert_string_equal(told, "opened|a message");
}

static void
test_a_ping_is_answered(void **state)
{
	char payload[SAID_MAX];

	(void)state;
	open_client();
	server_frame(WS_PING, "are you there");
	assert_true(ws_client_read(&client));
	assert_true(ws_client_is_behind(&client));
	ws_client_flush(&client);
	assert_false(ws_client_is_behind(&client));
	server_unmask(WS_PONG, payload);
	assert_string_equal(payload, "are you there");
}

static void
test_a_message_is_sent_under_a_mask_of_its_own(void **state)
{
	uint8_t first[64], second[64];

	(void)state;
	open_client();
	ws_client_send(&client, "hello", 5);
	ws_client_flush(&client);
	assert_int_equal(server_take((char *)first, sizeof(first)), 11);
	ws_client_send(&client, "hello", 5);
	ws_client_flush(&client);
	assert_int_equal(server_take((char *)second, sizeof(second)), 11);
	assert_memory_equal(first, second, 2);
	assert_memory_not_equal(first + 2, second + 2, 9);
}

static void
test_what_the_socket_does_not_take_waits(void **state)
{
	static char text[MESSAGE_MAX], bytes[64 * 1024];
	size_t queued = 0, sent = 0, n;

	(void)state;
	open_client();
	memset(text, 'x', sizeof(text));
	while (!ws_client_is_behind(&client)) {
		ws_client_send(&client, text, sizeof(text));
		queued += sizeof(text) + 8;
		ws_client_flush(&client);
	}
	while (sent < queued) {
		n = server_take(bytes, sizeof(bytes));
		assert_true(n > 0);
		sent += n;
		ws_client_flush(&client);
	}
	assert_int_equal(sent, queued);
	assert_false(ws_client_is_behind(&client));
	assert_null(client.out.buf.at); /* an idle one holds no memory */
}

static void
test_the_servers_close_is_answered_with_its_code(void **state)
{
	uint8_t bytes[WS_OUTPUT_MAX];
	size_t len = ws_close_frame(bytes, WS_CODE_RESTART, "back soon");
	char payload[SAID_MAX];

	(void)state;
	open_client();
	server_send(bytes, len);
	assert_false(ws_client_read(&client));
	assert_int_equal(group.end.kind, CLIENT_CLOSED);
	assert_int_equal(group.end.code, WS_CODE_RESTART);
	assert_non_null(strstr(group.end.why, "back soon"));
	assert_int_equal(server_unmask(WS_CLOSE, payload), 2);
	assert_memory_equal(payload, "\x03\xf4", 2);
	assert_true(server_is_alone());
}

static void
test_a_broken_frame_is_answered_with_its_fault(void **state)
{
	char payload[SAID_MAX];

	(void)state;
	open_client();
	server_send("\xc1\x00", 2); /* a reserved bit */
	assert_false(ws_client_read(&client));
	assert_int_equal(group.end.kind, CLIENT_ALIEN);
	assert_int_equal(server_unmask(WS_CLOSE, payload), 2);
	assert_memory_equal(payload, "\x03\xea", 2); /* 1002 */
}

static void
test_nothing_follows_our_close(void **state)
{
	char payload[SAID_MAX];

	(void)state;
	open_client();
	ws_client_close(&client);
	assert_int_equal(client.state, WS_CLIENT_CLOSING);
	assert_int_equal(server_unmask(WS_CLOSE, payload), 2);
	server_frame(WS_TEXT, "too late");
	server_frame(WS_PING, "");
	assert_true(ws_client_read(&client));
	assert_false(ws_client_is_behind(&client));
	server_frame(WS_CLOSE, "\x03\xe8");
	assert_false(ws_client_read(&client));
	assert_int_equal(group.end.kind, CLIENT_DONE);
	assert_true(server_is_alone());
	assert_string_equal(told, "opened");
}

static void
test_the_owner_may_find_fault_with_a_message(void **state)
{
	(void)state;
	open_client();
	fails = true;
	server_frame(WS_TEXT, "one");
	server_frame(WS_TEXT, "two");
	assert_false(ws_client_read(&client));
	assert_string_equal(told, "opened|one");
	assert_int_equal(group.end.kind, CLIENT_ALIEN);
	assert_string_equal(group.end.why, "it is nonsense");
	assert_int_equal(ws_pool_lent(group.pool), 0);
	assert_true(server_is_alone());
}

static void
test_that_it_is_broken_shows_when_it_is_read(void **state)
{
	(void)state;
	open_client();
	close(server);
	server = -1;
	ws_client_send(&client, "hello", 5);
	ws_client_flush(&client);
	assert_false(ws_client_is_behind(&client));
	assert_int_equal(client.state, WS_CLIENT_OPEN);
	assert_false(ws_client_read(&client));
	assert_int_equal(group.end.kind, CLIENT_LOST);
	assert_int_equal(client.fd, -1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_frames_may_follow_the_answer_at_once),
	T(test_it_may_come_byte_by_byte),
	T(test_a_refusal_ends_it),
	T(test_a_parser_is_held_while_a_message_is_half_read),
	T(test_a_ping_is_answered),
	T(test_a_message_is_sent_under_a_mask_of_its_own),
	T(test_what_the_socket_does_not_take_waits),
	T(test_the_servers_close_is_answered_with_its_code),
	T(test_a_broken_frame_is_answered_with_its_fault),
	T(test_nothing_follows_our_close),
	T(test_the_owner_may_find_fault_with_a_message),
	T(test_that_it_is_broken_shows_when_it_is_read),
};

SUITE_MAIN(tests);
