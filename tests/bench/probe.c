/* SPDX-License-Identifier: MIT */
/* probe.c - see probe.h. */

#include "tests/bench/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ws.h"
#include "common/xmalloc.h"

#define INPUT_MAX (256u * 1024) /* bytes per read */
#define HEAD_MAX  4096u
#define FIN       0x80u

/* The example of RFC 6455: always the same key, always the same answer. */
#define PROBE_KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define PROBE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void
probe_break(struct probe *c, const char *why)
{
	if (c->state == PROBE_BROKEN)
		return;
	c->state = PROBE_BROKEN;
	c->why = why;
}

/* From which of the loopback addresses: each has some 28,000 ports. */
static int
probe_bind(int fd, const struct load_target *target, unsigned number)
{
	struct sockaddr_in from = {
		.sin_family = AF_INET,
		.sin_addr.s_addr =
		    htonl(INADDR_LOOPBACK + number / LOAD_CLIENTS_PER_ADDRESS),
	};
	int one = 1;

	if (number < LOAD_CLIENTS_PER_ADDRESS ||
	    target->addr.ss_family != AF_INET)
		return 0;
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&from, sizeof(from));
}

/* Whoever is measured is ours, so any certificate will do. */
static struct tls_client *
probe_tls(int fd)
{
	static struct tls_client_context *context;
	char why[TLS_CLIENT_WHY_MAX];

	if (context == NULL)
		context = tls_client_context_new(NULL, true, why);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return tls_client_new(context, fd, "localhost");
}

/* As send(2) and recv(2). */
static ssize_t
probe_write(struct probe *c, const void *data, size_t len)
{
	return c->tls != NULL
	           ? tls_client_send(c->tls, data, len)
	           : send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static ssize_t
probe_receive(struct probe *c, void *input, size_t max)
{
	return c->tls != NULL ? tls_client_receive(c->tls, input, max)
	                      : recv(c->fd, input, max, MSG_DONTWAIT);
}

/* A header line, or nothing if it has no value. */
static void
probe_line(char *out, size_t size, const char *name, const char *value)
{
	out[0] = '\0';
	if (value != NULL)
		snprintf(out, size, "%s: %s\r\n", name, value);
}

static void
probe_request(struct probe *c, const struct load_target *target,
    const struct form *form, const char *path)
{
	char request[8192], protocol[64], extension[64];
	int len;

	probe_line(protocol, sizeof(protocol), "Sec-WebSocket-Protocol",
	    form_protocol(form));
	probe_line(extension, sizeof(extension), "Sec-WebSocket-Extensions",
	    form_extension(form));
	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: " PROBE_KEY "\r\n"
	    "Sec-WebSocket-Version: 13\r\n%s%s\r\n",
	    path, target->authority, protocol, extension);
	if (len >= (int)sizeof(request))
		probe_break(c, "the request is too long");
	else
		probe_send(c, request, (size_t)len);
}

/* Before connect(2), which tells the other end how much it may send.  And with
 * the segments of loopback, 64 KiB each, the kernel there would take megabytes
 * before it says no. */
static void
probe_narrow(int fd, int input_max)
{
	int segment = 1400;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &input_max, sizeof(input_max));
	setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
}

int
probe_open(struct probe *c, const struct load_target *target,
    const struct form *form, const char *path, uint32_t room, unsigned number,
    int input_max)
{
	int fd = socket(target->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, error;

	if (fd == -1)
		return errno;
	if (input_max > 0)
		probe_narrow(fd, input_max);
	if (probe_bind(fd, target, number) == -1 ||
	    connect(fd, (const struct sockaddr *)&target->addr,
		target->addr_len) == -1) {
		error = errno;
		close(fd);
		return error;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->tls = target->is_tls ? probe_tls(fd) : NULL;
	c->room = room;
	c->state = PROBE_SHAKING;
	c->head = xcalloc(1, HEAD_MAX + 1);
	probe_request(c, target, form, path);
	return 0;
}

void
probe_close(struct probe *c)
{
	if (c->state == PROBE_IDLE)
		return;
	tls_client_free(c->tls);
	close(c->fd);
	free(c->head);
	free(c->out);
	memset(c, 0, sizeof(*c));
}

static void
probe_keep(struct probe *c, const uint8_t *data, size_t len)
{
	c->out = xreallocarray(c->out, c->out_len + len, 1);
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

void
probe_send(struct probe *c, const void *data, size_t len)
{
	ssize_t n = 0;

	if (c->out_len == c->out_off) {
		n = probe_write(c, data, len);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			probe_break(c, strerror(errno));
			return;
		}
		n = n == -1 ? 0 : n;
	}
	if ((size_t)n < len)
		probe_keep(c, (const uint8_t *)data + n, len - (size_t)n);
}

bool
probe_flush(struct probe *c)
{
	ssize_t n;

	if (c->out_len == c->out_off)
		return false;
	n = probe_write(c, c->out + c->out_off, c->out_len - c->out_off);
	if (n == -1 && errno != EAGAIN && errno != EINTR)
		probe_break(c, strerror(errno));
	else if (n > 0)
		c->out_off += (size_t)n;
	if (c->out_len > c->out_off && c->state != PROBE_BROKEN)
		return true;
	free(c->out);
	c->out = NULL;
	c->out_len = c->out_off = 0;
	return false;
}

/* The handshake's answer has come in part or whole.  Returns how many of the
 * bytes belong to it. */
static size_t
probe_shake(
    struct probe *c, const struct form *form, const uint8_t *at, size_t n)
{
	uint8_t *hello;
	size_t had = strlen(c->head), take = HEAD_MAX - had;
	const char *end;

	take = take < n ? take : n;
	memcpy(c->head + had, at, take);
	end = strstr(c->head, "\r\n\r\n");
	if (end == NULL) {
		if (had + take == HEAD_MAX)
			probe_break(c, "an endless answer to the handshake");
		return take;
	}
	if (strncmp(c->head, "HTTP/1.1 101 ", 13) != 0 ||
	    strstr(c->head, PROBE_ACCEPT "\r\n") == NULL) {
		probe_break(c, "the handshake was refused");
		return n;
	}
	take = (size_t)(end + 4 - c->head) - had;
	free(c->head);
	c->head = NULL;
	c->state = form_is_ready_at_once(form) ? PROBE_OPEN : PROBE_JOINING;
	hello = xmalloc((1 + form->topics) * (size_t)FORM_AROUND);
	n = form_hello(form, c->room, hello);
	if (n > 0)
		probe_send(c, hello, n);
	free(hello);
	return take;
}

/* A control frame is whole; header is the length of its header. */
static void
probe_control(struct probe *c, const uint8_t *frame, size_t header, size_t len)
{
	static const uint8_t no_mask[4];
	uint8_t pong[4 + 14 + PROBE_CONTROL_MAX];

	if ((frame[0] & 0x0f) == WS_CLOSE)
		probe_break(c, "closed by the server");
	if ((frame[0] & 0x0f) != WS_PING)
		return;
	len = ws_frame_masked(pong, WS_PONG, no_mask, frame + header, len);
	probe_send(c, pong, len);
}

static unsigned
probe_data(struct probe *c, const struct form *form, const uint8_t *payload,
    uint64_t len)
{
	struct form_frame frame = form_look(form, len, payload);
	uint8_t pong[2 * FORM_AROUND];

	if (frame.is_error)
		probe_break(c, "the server refuses something");
	if (frame.is_ping)
		probe_send(c, pong, form_pong(form, pong));
	if (frame.is_ready && c->state == PROBE_JOINING)
		c->state = PROBE_OPEN;
	c->others += frame.deliveries == 0;
	c->delivered += frame.deliveries;
	return frame.deliveries;
}

/*
 * Enter a frame: take its header, and of a control frame all, else as much as
 * form_look() wants, off the n bytes at `at'.
 * Returns: how many were taken, or 0 if it takes more than n.
 */
static size_t
probe_enter(struct probe *c, const struct form *form, const uint8_t *at,
    size_t n, unsigned *messages)
{
	size_t extra, header, peek;
	uint64_t len;

	if (n < 2)
		return 0;
	extra = at[1] == 126 ? 2 : at[1] == 127 ? 8 : 0;
	header = 2 + extra;
	if (n < header)
		return 0;
	len = extra == 0 ? at[1] : 0;
	for (size_t i = 0; i < extra; i++)
		len = len << 8 | at[2 + i];
	peek = at[0] & 0x08 ? PROBE_CONTROL_MAX : FORM_PEEK;
	peek = peek < len ? peek : (size_t)len;
	if ((at[0] >> 4 != FIN >> 4 && (at[0] >> 4 != (FIN | WS_RSV1) >> 4 ||
					   form_extension(form) == NULL)) ||
	    at[1] & 0x80)
		probe_break(c, "a frame that is none");
	if (n < header + peek)
		return 0;
	if (at[0] & 0x08)
		probe_control(c, at, header, peek);
	else
		*messages += probe_data(c, form, at + header, len);
	c->rest = len - peek;
	return header + peek;
}

/* Enter a frame whose beginning came before.  Returns how many of the n bytes
 * belong to it. */
static size_t
probe_enter_held(struct probe *c, const struct form *form, const uint8_t *at,
    size_t n, unsigned *messages)
{
	size_t had = c->held_len, add = PROBE_HELD_MAX - had, taken;

	add = add < n ? add : n;
	memcpy(c->held + had, at, add);
	c->held_len += (uint32_t)add;
	taken = probe_enter(c, form, c->held, c->held_len, messages);
	if (taken == 0)
		return add;
	c->held_len = 0;
	return taken - had;
}

static unsigned
probe_count(
    struct probe *c, const struct form *form, const uint8_t *at, size_t n)
{
	unsigned messages = 0;
	size_t taken;

	while (n > 0 && c->state != PROBE_BROKEN) {
		if (c->rest > 0) {
			taken = c->rest < n ? (size_t)c->rest : n;
			c->rest -= taken;
		} else if (c->held_len > 0) {
			taken = probe_enter_held(c, form, at, n, &messages);
		} else if ((taken = probe_enter(c, form, at, n, &messages)) ==
			   0) {
			memcpy(c->held, at, n);
			c->held_len = (uint32_t)n;
			taken = n;
		}
		at += taken;
		n -= taken;
	}
	return messages;
}

unsigned
probe_read(struct probe *c, const struct form *form)
{
	static uint8_t input[INPUT_MAX];
	ssize_t n = probe_receive(c, input, sizeof(input));
	int error = errno;
	size_t taken = 0;

	if (c->tls != NULL && (n > 0 || error == EAGAIN))
		probe_flush(c); /* it may have waited for these bytes */
	errno = error;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		probe_break(c, n == 0 ? "cut off" : strerror(errno));
		return 0;
	}
	c->received += (uint64_t)n;
	if (c->state == PROBE_SHAKING)
		taken = probe_shake(c, form, input, (size_t)n);
	return probe_count(c, form, input + taken, (size_t)n - taken);
}
