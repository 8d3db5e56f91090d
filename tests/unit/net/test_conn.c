/* SPDX-License-Identifier: MIT */
/*
 * test_conn.c - what worker/net/conn.h promises, with the parts of http_conn.h
 * and ws_conn.h that only show with a whole worker around them.
 *
 * pread(2) and sendfile(2) of this file are what a disk does that fails.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/ws/ws_conn.h"

#include "common/http.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int disk_fails_after = -1; /* so many reads; -1: never */

ssize_t
pread(int fd, void *buf, size_t len, off_t at)
{
	if (disk_fails_after == 0) {
		errno = EIO;
		return -1;
	}
	if (disk_fails_after > 0)
		disk_fails_after--;
	return syscall(SYS_pread64, fd, buf, len, at);
}

/* Likewise; a socket that takes so much at once leaves a piece to be queued. */
#define SOCKET_TAKES 40000u

ssize_t
sendfile(int out, int fd, off_t *at, size_t len)
{
	if (disk_fails_after == 0) {
		errno = EIO;
		return -1;
	}
	if (disk_fails_after > 0)
		disk_fails_after--;
	return syscall(
	    SYS_sendfile, out, fd, at, len < SOCKET_TAKES ? len : SOCKET_TAKES);
}

static int
setup(void **state)
{
	disk_fails_after = -1;
	return crew_setup(state);
}

static void
get(struct peer *client, const char *path)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "GET %s HTTP/1.1\r\nHost: localhost:8000\r\n\r\n", path);
	peer_send_string(client, text);
}

/* Receive until so many bytes of a body are there, and skip them. */
static void
expect_body(struct peer *client, size_t len)
{
	CREW_UNTIL(client->crew,
	    (peer_receive(client), client->len - client->at >= len));
	client->at += len;
}

static void
test_idle_connection_owns_no_buffers(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_publish(a, "room", "hello");
	peer_frame(a, WS_PING, "", 0);
	crew_run(crew);
	assert_null(a->conn->out);
	assert_null(a->conn->input);
	assert_null(a->conn->data);
	assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 0);
	peer_close(&a);
}

/* A redirect says the target again, so that has a length of its own. */
static void
test_no_redirect_of_any_length(void **state)
{
	static char path[HTTP_HEAD_MAX + 16] = "/dir?";
	struct crew *crew = *state;
	char dir[sizeof(crew->root) + 8];
	struct peer *a;
	char *head;

	crew->config.max_head = 2 * HTTP_HEAD_MAX;
	crew_start(crew, 1);
	snprintf(dir, sizeof(dir), "%s/dir", crew->root);
	assert_int_equal(mkdir(dir, 0700), 0);
	a = peer_connect(crew, 0, 0);
	for (size_t query = HTTP_HEAD_MAX - 4; query <= HTTP_HEAD_MAX - 3;
	     query++) {
		memset(path + 5, 'q', query);
		assert_int_not_equal(
		    asprintf(&head,
			"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path),
		    -1);
		peer_send_string(a, head);
		free(head);
		crew_run(crew);
		peer_receive(a);
		peer_expect_status(a, query == HTTP_HEAD_MAX - 4 ? 301 : 414);
	}
	peer_close(&a);
}

static void
test_parser_is_lent_while_a_frame_is_incomplete(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	peer_send(a, "\x81\x82\0\0\0\0{", 7);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 1);
	peer_publish(b, "room", "meanwhile");
	crew_run(crew);
	peer_expect(b, "meanwhile");
	peer_send(a, "}", 1);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 0);
	peer_expect(a, "");
	peer_close(&a);
	peer_close(&b);
}

static void
test_parser_comes_back_from_whoever_dies_with_it(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	peer_send(a, "\x01\x82\0\0\0\0{", 7);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 1);
	peer_close(&a);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 0);
}

/* Closed from within its own parser, with more frames behind it. */
static void
test_closed_from_within_a_callback(void **state)
{
	static const char *const bad[] = { "[]", "{\"topic\":1}", "\xff" };
	struct crew *crew = *state;

	crew_start(crew, 1);
	for (int i = 0; i < 3; i++) {
		struct peer *a = peer_open(crew, 0, "");
		struct peer *b = peer_open(crew, 0, "?topic=room");

		for (int n = 0; n < 100; n++)
			peer_publish(a, "room", "good");
		peer_frame(a, WS_TEXT, bad[i], strlen(bad[i]));
		for (int n = 0; n < 100; n++)
			peer_publish(a, "room", "too late");
		crew_run(crew);
		peer_expect_close(
		    a, i == 2 ? WS_CODE_BAD_DATA : WS_CODE_POLICY);
		for (int n = 0; n < 100; n++)
			peer_expect(b, "good");
		peer_expect_nothing(b);
		assert_int_equal(crew_stat(crew, 0, STATS_PARSERS), 0);
		peer_close(&a);
		peer_close(&b);
		crew_run(crew);
	}
}

static void
test_close_frame_is_echoed(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = peer_open(crew, 0, "?topic=room");
	peer_frame(a, WS_CLOSE, "\x0f\xa1why", 5);
	crew_run(crew);
	peer_expect_close(a, 4001);
	assert_true(a->eof);
	assert_int_equal(a->conn->state, CONN_LINGER);
	peer_close(&a);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
}

static void
test_frames_in_one_segment_with_the_handshake(void **state)
{
	static const char frames[] = "\x89\x80\0\0\0\0"
				     "\x81\x82\0\0\0\0{}";
	const char *head = peer_handshake("?topic=room");
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;
	char text[1024];
	size_t len = strlen(head);

	crew_start(crew, 1);
	memcpy(text, head, len);
	memcpy(text + len, frames, sizeof(frames) - 1);
	len += sizeof(frames) - 1;
	for (size_t cut = 1; cut <= len; cut++) {
		a = peer_connect(crew, 0, 0);
		peer_send(a, text, cut);
		crew_run(crew);
		peer_send(a, text + cut, len - cut);
		crew_run(crew);
		peer_receive(a);
		peer_expect_status(a, 101);
		assert_true(peer_next(a, &frame));
		assert_int_equal(frame.opcode, WS_PONG);
		peer_expect(a, "");
		peer_close(&a);
		crew_run(crew);
	}
}

/*
 * A file so large that with the handshake's answer behind it the connection is
 * paused, and then a publish.  All fits into the socket, so the connection is
 * resumed while the turn's output is written: the publish came in after the
 * turn's requests had been done, and lay there until something else happened.
 */
static void
test_publish_read_while_writing_is_not_slept_on(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	size_t head;

	crew_start(crew, 1);
	crew_file(crew, "file", 60000);
	a = peer_connect(crew, 0, 0);
	get(a, "/file");
	crew_run(crew);
	head = peer_receive(a) - 60000;
	crew_file(crew, "file", CONN_ANSWERS_MAX - head - 50);

	b = peer_connect(crew, 0, 0);
	peer_hold(b);
	get(b, "/file");
	peer_send_string(b, peer_handshake(""));
	peer_publish(b, "room", "hello");
	peer_release(b);
	crew_turn(crew, 0);
	assert_int_equal(crew->w[0].intake.count, 1);
	crew_run(crew);
	peer_receive(b);
	peer_expect_status(b, 200);
	expect_body(b, CONN_ANSWERS_MAX - head - 50);
	peer_expect_status(b, 101);
	peer_expect(b, "hello");
	peer_close(&a);
	peer_close(&b);
}

static void
test_pipelined_requests_wait_for_a_file(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	crew_file(crew, "big", 300000);
	crew_file(crew, "small", 10);
	crew_file(crew, "empty", 0);
	a = peer_connect(crew, 0, 0);
	get(a, "/big");
	get(a, "/small");
	get(a, "/empty");
	get(a, "/healthz");
	get(a, "/big");
	peer_send_string(a, peer_handshake(""));
	peer_publish(a, "room", "hello");
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 200);
	expect_body(a, 300000);
	peer_expect_status(a, 200);
	expect_body(a, 10);
	peer_expect_status(a, 200);
	peer_expect_status(a, 200);
	expect_body(a, 3);
	CREW_UNTIL(crew, peer_receive(a) == 0 && a->len > 600000);
	peer_expect_status(a, 200);
	expect_body(a, 300000);
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 101);
	peer_expect(a, "hello");
	peer_close(&a);
}

/* Cut off while a descriptor and a piece of the file are its own. */
static void
test_client_leaves_in_the_middle_of_a_file(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	crew_file(crew, "big", 10u << 20);
	a = peer_connect(crew, 0, 0);
	get(a, "/big");
	crew_run(crew);
	assert_non_null(a->conn->data); /* the file */
	peer_close(&a);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
}

static void
test_disk_fails_in_the_middle_of_a_file(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	crew_file(crew, "big", 300000);
	a = peer_connect(crew, 0, 0);
	disk_fails_after = 2;
	get(a, "/big");
	crew_run(crew);
	peer_receive(a);
	assert_true(a->eof); /* short of what the head said */
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	peer_close(&a);
}

/*
 * The last piece of one file had just been queued for the next turn when the
 * disk failed the next request's file: the connection was freed while the
 * outbox still had it.
 */
static void
test_disk_fails_behind_a_queued_piece(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	crew_file(crew, "big", 70000); /* two pieces and more */
	crew_file(crew, "small", 10);
	a = peer_connect(crew, 0, 0);
	get(a, "/big");
	get(a, "/small");
	disk_fails_after = 3;
	crew_run(crew);
	peer_receive(a);
	assert_true(a->eof);
	b = peer_open(crew, 0, "");
	peer_publish(b, "room", "all is well");
	crew_run(crew);
	peer_expect(b, "all is well");
	peer_close(&a);
	peer_close(&b);
}

static void
test_half_closed_peer_gets_its_answers(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	crew_file(crew, "big", 1u << 20);
	a = peer_connect(crew, 0, 0);
	get(a, "/big");
	get(a, "/healthz");
	assert_int_equal(shutdown(a->fd, SHUT_WR), 0);
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 200);
	expect_body(a, 1u << 20);
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 200);
	expect_body(a, 3);
	assert_true(a->eof);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	peer_close(&a);
}

/* It has said all it will, and still reads: the close frame comes whole. */
static void
test_peer_that_ends_while_we_close(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	struct peer_frame frame;
	char text[3000];
	int count = 0;

	crew_start(crew, 1);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	a = peer_open_slow(crew, 0, "?topic=room", 1);
	b = peer_open(crew, 0, "");
	for (int i = 0; i < 20; i++)
		peer_publish(b, "room", text);
	crew_run(crew);
	assert_true(a->conn->blocked);
	ws_close(a->conn, WS_CODE_GOING_AWAY, "bye");
	assert_int_equal(shutdown(a->fd, SHUT_WR), 0);
	crew_turns(crew, 0, 5);
	assert_int_equal(a->conn->state, CONN_CLOSING);
	CREW_UNTIL(crew, (peer_receive(a), a->eof));
	while (peer_next(a, &frame) && frame.opcode == WS_TEXT)
		count++;
	assert_int_equal(count, 20);
	assert_int_equal(frame.opcode, WS_CLOSE);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	peer_close(&a);
	peer_close(&b);
}

static void
test_more_connections_than_allowed(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *c;

	crew->config.max_conns = 2;
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	c = peer_connect(crew, 0, 0);
	peer_send_string(c, peer_handshake(""));
	crew_run(crew);
	peer_receive(c);
	peer_expect_status(c, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_LIMIT), 1);
	peer_close(&c);
	peer_close(&b);
	crew_run(crew);
	b = peer_open(crew, 0, "");
	peer_close(&a);
	peer_close(&b);
}

static void
test_connections_end_at_any_moment(void **state)
{
	const char *head = peer_handshake("?topic=room");
	struct crew *crew = *state;
	size_t len = strlen(head);
	char *all = xmalloc(len + 64);

	crew_start(crew, 1);
	memcpy(all, head, len);
	memcpy(all + len, "\x81\x82\0\0\0\0{}\x88\x80\0\0\0\0", 14);
	for (size_t n = 0; n <= len + 14; n++) {
		struct peer *a = peer_connect(crew, 0, 0);

		if (n > 0)
			peer_send(a, all, n);
		if (n % 2 == 0)
			crew_turn(crew, 0);
		peer_close(&a);
		crew_run(crew);
		assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	}
	free(all);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_idle_connection_owns_no_buffers),
	T(test_no_redirect_of_any_length),
	T(test_parser_is_lent_while_a_frame_is_incomplete),
	T(test_parser_comes_back_from_whoever_dies_with_it),
	T(test_closed_from_within_a_callback),
	T(test_close_frame_is_echoed),
	T(test_frames_in_one_segment_with_the_handshake),
	T(test_publish_read_while_writing_is_not_slept_on),
	T(test_pipelined_requests_wait_for_a_file),
	T(test_client_leaves_in_the_middle_of_a_file),
	T(test_disk_fails_in_the_middle_of_a_file),
	T(test_disk_fails_behind_a_queued_piece),
	T(test_half_closed_peer_gets_its_answers),
	T(test_peer_that_ends_while_we_close),
	T(test_more_connections_than_allowed),
	T(test_connections_end_at_any_moment),
};

SUITE_MAIN(tests);
