/* SPDX-License-Identifier: MIT */
/* peer.c - see peer.h. */

#include "tests/unit/support/peer.h"

#include "common/xmalloc.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/conns.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A pair of connected sockets of TCP: the client's, with a small window, and the
 * accepted one, with what the supervisor has listeners give to it. */
static void
peer_tcp_pair(int fds[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int unsent_max = CONFIG_UNSENT_MAX, window = 16384;
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
	    sizeof(unsent_max));
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	assert_int_equal(connect(fds[0], (struct sockaddr *)&at, len), 0);
	fds[1] = accept4(listener, (struct sockaddr *)&at, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fds[1], -1);
	close(listener);
}

/* A client without a connection yet; *fd is the end for that. */
static struct peer *
peer_new(struct crew *crew, unsigned worker, int *fd)
{
	struct peer *client = xcalloc(1, sizeof(*client));
	int fds[2];

	if (crew->tcp)
		peer_tcp_pair(fds);
	else
		assert_int_equal(
		    socketpair(AF_UNIX,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		    0);
	client->crew = crew;
	client->worker = worker;
	client->fd = fds[0];
	*fd = fds[1];
	return client;
}

struct peer *
peer_connect_admin(struct crew *crew, unsigned worker)
{
	int fd;
	struct peer *client = peer_new(crew, worker, &fd);

	conns_open_admin(&crew->w[worker].net, fd, true);
	client->conn = LIST_FIRST(&crew->w[worker].net.conns.admins);
	return client;
}

struct peer *
peer_connect(struct crew *crew, unsigned worker, int sndbuf)
{
	struct sockaddr_storage from = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&from;
	struct ip_address ip;
	int fd;
	struct peer *client = peer_new(crew, worker, &fd);

	in->sin_addr.s_addr =
	    htonl(crew->from != 0 ? crew->from : INADDR_LOOPBACK);
	assert_true(ip_from_sockaddr(&ip, &from));
	if (sndbuf > 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf,
				     sizeof(sndbuf)),
		    0);
	conns_open(&crew->w[worker].net, fd, &ip, &crew->listener);
	client->conn = LIST_FIRST(&crew->w[worker].net.conns.living);
	return client;
}

/* protocol: a header line, or "". */
static const char *
peer_request(const char *query, const char *protocol)
{
	static char text[4096];
	int n = snprintf(text, sizeof(text),
	    "GET /ws%s HTTP/1.1\r\nHost: localhost:8000\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n%s\r\n",
	    query, protocol);

	assert_in_range(n, 1, sizeof(text) - 1);
	return text;
}

const char *
peer_handshake(const char *query)
{
	return peer_request(query, "");
}

struct peer *
peer_open_slow(
    struct crew *crew, unsigned worker, const char *query, int sndbuf)
{
	struct peer *client = peer_connect(crew, worker, sndbuf);

	peer_send_string(client, peer_handshake(query));
	crew_run(crew);
	peer_receive(client);
	peer_expect_status(client, 101);
	return client;
}

struct peer *
peer_open(struct crew *crew, unsigned worker, const char *query)
{
	return peer_open_slow(crew, worker, query, 0);
}

struct peer *
peer_open_v1(struct crew *crew, unsigned worker, const char *query)
{
	struct peer *client = peer_connect(crew, worker, 0);
	struct peer_frame welcome;

	peer_send_string(client,
	    peer_request(query, "Sec-WebSocket-Protocol: pubsubd.v1\r\n"));
	crew_run(crew);
	peer_receive(client);
	peer_expect_status(client, 101);
	assert_true(peer_next(client, &welcome));
	return client;
}

void
peer_close(struct peer **clientp)
{
	struct peer *client = *clientp;

	*clientp = NULL;
	if (client->fd != -1)
		close(client->fd);
	free(client->got);
	free(client->held);
	free(client);
}

void
peer_hold(struct peer *client)
{
	client->holding = true;
}

void
peer_release(struct peer *client)
{
	client->holding = false;
	peer_send(client, client->held, client->held_len);
	client->held_len = 0;
}

void
peer_send(struct peer *client, const void *data, size_t len)
{
	if (client->holding) {
		client->held =
		    xreallocarray(client->held, client->held_len + len, 1);
		memcpy(client->held + client->held_len, data, len);
		client->held_len += len;
		return;
	}
	assert_int_equal(
	    send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
}

void
peer_send_string(struct peer *client, const char *text)
{
	peer_send(client, text, strlen(text));
}

void
peer_frame(
    struct peer *client, enum ws_opcode opcode, const void *data, size_t len)
{
	static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
	uint8_t *frame = xmalloc(len + WS_HEADER_MAX);

	peer_send(
	    client, frame, ws_frame_masked(frame, opcode, mask, data, len));
	free(frame);
}

void
peer_publish(struct peer *client, const char *topic, const char *text)
{
	size_t size = strlen(topic) + strlen(text) + 64;
	char *json = xmalloc(size);
	int n = snprintf(
	    json, size, "{\"topic\":\"%s\",\"message\":\"%s\"}", topic, text);

	peer_frame(client, WS_TEXT, json, (size_t)n);
	free(json);
}

size_t
peer_receive(struct peer *client)
{
	size_t before = client->len;
	char buf[65536];
	ssize_t n;

	while ((n = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		client->got =
		    xreallocarray(client->got, client->len + (size_t)n, 1);
		memcpy(client->got + client->len, buf, (size_t)n);
		client->len += (size_t)n;
	}
	if (n == 0)
		client->eof = true;
	else if (errno != EAGAIN)
		client->reset = true;
	return client->len - before;
}

void
peer_expect_status(struct peer *client, int status)
{
	const char *at, *end;
	char line[16];

	peer_receive(client);
	at = client->got + client->at;
	end = memmem(at, client->len - client->at, "\r\n\r\n", 4);
	assert_non_null(end);
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	assert_memory_equal(at, line, strlen(line));
	client->at = (size_t)(end + 4 - client->got);
}

bool
peer_next(struct peer *client, struct peer_frame *frame)
{
	const uint8_t *at;
	size_t left, header = 2, len;

	peer_receive(client);
	left = client->len - client->at;
	if (left < 2)
		return false;
	at = (const uint8_t *)client->got + client->at;
	len = at[1];
	if ((at[0] & 0xf0) != 0x80 || (at[1] & 0x80))
		fail_msg("byte %zu is no frame: %02x %02x", client->at, at[0],
		    at[1]);
	if (len >= 126)
		header = len == 126 ? 4 : 10;
	if (left < header)
		return false;
	if (header > 2) {
		len = 0;
		for (size_t i = 2; i < header; i++)
			len = len << 8 | at[i];
	}
	if (left - header < len)
		return false;
	frame->opcode = at[0] & 0x0f;
	frame->data = (const char *)at + header;
	frame->len = len;
	client->at += header + len;
	return true;
}

void
peer_expect(struct peer *client, const char *text)
{
	struct peer_frame frame;

	if (!peer_next(client, &frame))
		fail_msg("\"%s\" did not come", text);
	if (frame.opcode != WS_TEXT || frame.len != strlen(text) ||
	    memcmp(frame.data, text, frame.len) != 0)
		fail_msg("instead of \"%s\" came %d, \"%.*s\"", text,
		    frame.opcode, (int)frame.len, frame.data);
}

void
peer_expect_close(struct peer *client, unsigned code)
{
	struct peer_frame frame;
	const uint8_t *at;

	assert_true(peer_next(client, &frame));
	assert_int_equal(frame.opcode, WS_CLOSE);
	assert_true(frame.len >= 2);
	at = (const uint8_t *)frame.data;
	assert_int_equal(at[0] << 8 | at[1], code);
	peer_expect_nothing(client);
}

void
peer_expect_nothing(struct peer *client)
{
	peer_receive(client);
	if (client->at < client->len)
		fail_msg("%zu bytes came, from %02x on",
		    client->len - client->at,
		    (unsigned char)client->got[client->at]);
}
