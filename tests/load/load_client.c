/* SPDX-License-Identifier: MIT */
/* load_client.c - see load_client.h. */

#include "tests/load/load_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/container.h"
#include "common/handshake.h"
#include "common/xmalloc.h"
#include "tests/load/load.h"

#define INPUT_MAX     (64u * 1024) /* bytes per read */
#define HEAD_MAX      4096u        /* bytes of the response to the handshake */
#define SPARE_PARSERS 64u

/* Only while shaking hands. */
struct client_hello {
	char accept[HANDSHAKE_ACCEPT_LEN + 1];
	char head[HEAD_MAX + 1];
	size_t len;
};

/* Release everything and tell the owner. */
static void __attribute__((format(printf, 2, 3)))
client_end(struct client *c, const char *format, ...)
{
	char why[LOAD_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	ev_io_stop(c->env->loop, &c->io);
	if (c->fd != -1)
		close(c->fd);
	if (c->ws != NULL)
		ws_return(c->env->pool, &c->ws);
	free(c->hello);
	free(c->out);
	c->hello = NULL;
	c->out = NULL;
	c->out_len = c->out_off = 0;
	c->state = CLIENT_IDLE;
	c->env->events.ended(c, why);
}

/* Watch for what the state asks for. */
static void
client_watch(struct client *c)
{
	bool is_writing = c->state == CLIENT_CONNECTING || client_is_behind(c);
	int wanted = EV_READ | (is_writing ? EV_WRITE : 0);

	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == wanted)
		return;
	ev_io_stop(c->env->loop, &c->io);
	ev_io_set(&c->io, c->fd, wanted);
	ev_io_start(c->env->loop, &c->io);
}

/*
 * A send failed.  The end is told where the socket is read, for the owner may
 * have sent from within an event that the parser tells.
 */
static void
client_break(struct client *c)
{
	c->send_error = errno;
	shutdown(c->fd, SHUT_RDWR);
}

/* Send bytes; what the socket does not take is kept. */
static void
client_write(struct client *c, const void *data, size_t len)
{
	const uint8_t *from = data;
	ssize_t n = 0;

	if (!client_is_behind(c)) {
		n = send(c->fd, from, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			client_break(c);
			return;
		}
		n = n == -1 ? 0 : n;
		if ((size_t)n == len)
			return;
	}
	len -= (size_t)n;
	c->out = xreallocarray(c->out, c->out_len + len, 1);
	memcpy(c->out + c->out_len, from + n, len);
	c->out_len += len;
	client_watch(c);
}

/* Send more of what waits. */
static void
client_flush(struct client *c)
{
	ssize_t n = send(
	    c->fd, c->out + c->out_off, c->out_len - c->out_off, MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		client_break(c);
		c->out_off = c->out_len;
	}
	if (n > 0)
		c->out_off += (size_t)n;
	if (c->out_off == c->out_len) {
		free(c->out);
		c->out = NULL;
		c->out_len = c->out_off = 0;
		client_watch(c);
	}
}

/* Connected: say who we are. */
static void
client_greet(struct client *c)
{
	const struct load_target *target = c->env->target;
	char request[sizeof(*target) + 200], key[HANDSHAKE_KEY_LEN + 1];
	uint8_t nonce[HANDSHAKE_NONCE_LEN];
	int len;

	CHECK(getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce));
	handshake_key(nonce, key);
	c->hello = xmalloc(sizeof(*c->hello));
	c->hello->len = 0;
	handshake_accept(key, HANDSHAKE_KEY_LEN, c->hello->accept);
	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    target->path, target->authority, key);
	c->state = CLIENT_HANDSHAKING;
	client_watch(c);
	client_write(c, request, (size_t)len);
}

/* The connect(2) has come to an end. */
static void
client_connected(struct client *c)
{
	socklen_t len = sizeof(int);
	int error = 0, on = 1;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		client_end(c, "connect: %s", strerror(error));
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client_greet(c);
}

/* Bytes of frames came in. */
static void
client_feed(struct client *c, const char *data, size_t len)
{
	uint8_t pong[WS_OUTPUT_MAX];
	size_t taken, n;

	if (len == 0)
		return;
	if (c->ws == NULL && (c->ws = ws_borrow(c->env->pool, c)) == NULL) {
		client_end(c, "out of memory");
		return;
	}
	switch (ws_feed(c->ws, data, len, &taken)) {
	case WS_OK:
		break;
	case WS_ENDED:
		client_end(c, "%s", c->env->closing);
		return;
	case WS_NOMEM:
		client_end(c, "out of memory");
		return;
	}
	while ((n = ws_output(c->ws, pong, sizeof(pong))) > 0)
		client_write(c, pong, n);
	if (ws_is_clean(c->ws))
		ws_return(c->env->pool, &c->ws);
}

/* Whether the head is an answer that opens the connection; else it ended. */
static bool
client_head_check(struct client *c)
{
	static const char name[] = "\r\nSec-WebSocket-Accept:";
	const char *head = c->hello->head, *value;

	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0) {
		client_end(
		    c, "refused: %.*s", (int)strcspn(head, "\r\n"), head);
		return false;
	}
	value = strcasestr(head, name);
	if (value != NULL) {
		value += strlen(name);
		value += strspn(value, " \t");
	}
	if (value == NULL ||
	    strncmp(value, c->hello->accept, HANDSHAKE_ACCEPT_LEN) != 0) {
		client_end(c, "refused: wrong Sec-WebSocket-Accept");
		return false;
	}
	return true;
}

/* Bytes of the response came in.  Frames may follow it at once. */
static void
client_handshake(struct client *c, const char *data, size_t len)
{
	struct client_hello *hello = c->hello;
	size_t part = len, before = hello->len, head;
	const char *end;

	if (part > HEAD_MAX - before)
		part = HEAD_MAX - before;
	memcpy(hello->head + before, data, part);
	hello->len += part;
	hello->head[hello->len] = '\0';
	end = strstr(hello->head, "\r\n\r\n");
	if (end == NULL) {
		if (hello->len == HEAD_MAX)
			client_end(c, "refused: no end of the response");
		return;
	}
	if (!client_head_check(c))
		return;
	head = (size_t)(end - hello->head) + 4;
	free(c->hello);
	c->hello = NULL;
	c->state = CLIENT_OPEN;
	c->env->events.opened(c);
	if (c->state == CLIENT_OPEN)
		client_feed(c, data + (head - before), len - (head - before));
}

static void
client_read(struct client *c)
{
	ssize_t n = recv(c->fd, c->env->input, INPUT_MAX, 0);
	int error = c->send_error != 0 ? c->send_error : errno;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (c->send_error != 0 || n == -1)
		client_end(c, "connection lost: %s", strerror(error));
	else if (n == 0)
		client_end(c, "the server closed the connection");
	else if (c->state == CLIENT_HANDSHAKING)
		client_handshake(c, c->env->input, (size_t)n);
	else if (c->state == CLIENT_OPEN)
		client_feed(c, c->env->input, (size_t)n);
}

static void
client_io_cb(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *c = container_of(w, struct client, io);

	(void)loop;
	if (c->state == CLIENT_CONNECTING) {
		client_connected(c);
		return;
	}
	if ((revents & EV_WRITE) && client_is_behind(c))
		client_flush(c);
	if (revents & EV_READ)
		client_read(c);
}

static void
client_message_cb(
    void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct client *c = owner;

	(void)opcode;
	c->env->events.message(c, data, len);
}

static void
client_control_cb(void *owner, enum ws_opcode opcode)
{
	(void)owner;
	(void)opcode;
}

static void
client_closing_cb(void *owner, bool by_peer, unsigned code, const char *reason,
    size_t reason_len)
{
	struct client *c = owner;

	snprintf(c->env->closing, sizeof(c->env->closing), "%s (%u%s%.*s)",
	    by_peer ? "closed by the server" : "the server broke the protocol",
	    code, reason_len > 0 ? " " : "", (int)reason_len, reason);
}

void
client_env_init(struct client_env *env, struct ev_loop *loop,
    const struct load_target *target, const struct client_events *events,
    size_t message_max)
{
	const struct ws_events parsed = {
		.message = client_message_cb,
		.control = client_control_cb,
		.closing = client_closing_cb,
	};

	memset(env, 0, sizeof(*env));
	env->loop = loop;
	env->target = target;
	env->events = *events;
	env->pool = ws_pool_new(WS_CLIENT, message_max, SPARE_PARSERS, &parsed);
	env->frame = xmalloc(message_max + WS_HEADER_MAX);
	env->input = xmalloc(INPUT_MAX);
	CHECK(getrandom(&env->random, sizeof(env->random), 0) ==
	      sizeof(env->random));
	env->random |= 1; /* xorshift stays at 0 for ever */
}

/* Many connections to this host come from many of its addresses. */
static int
client_bind(int fd, const struct load_target *target, unsigned number)
{
	const struct sockaddr_in *to = (const void *)&target->addr;
	struct sockaddr_in from = { .sin_family = AF_INET };
	int on = 1;

	if (number < LOAD_CLIENTS_PER_ADDRESS || to->sin_family != AF_INET ||
	    ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return 0;
	from.sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + number / LOAD_CLIENTS_PER_ADDRESS);
	/* Else the port would be chosen now, unique among all addresses. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&from, sizeof(from));
}

void
client_connect(struct client *c, struct client_env *env, unsigned number)
{
	const struct load_target *target = env->target;

	c->env = env;
	c->send_error = 0;
	ev_init(&c->io, client_io_cb);
	c->fd = socket(target->addr.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1) {
		client_end(c, "socket: %s", strerror(errno));
		return;
	}
	if (client_bind(c->fd, target, number) == -1) {
		client_end(c, "bind: %s", strerror(errno));
		return;
	}
	if (connect(c->fd, (const struct sockaddr *)&target->addr,
		target->addr_len) == -1 &&
	    errno != EINPROGRESS) {
		client_end(c, "connect: %s", strerror(errno));
		return;
	}
	c->state = CLIENT_CONNECTING;
	client_watch(c);
}

bool
client_is_behind(const struct client *c)
{
	return c->out_len > 0;
}

/* Send a frame; the mask need not be a secret here. */
static void
client_frame(
    struct client *c, enum ws_opcode opcode, const void *data, size_t len)
{
	uint64_t *random = &c->env->random;
	uint8_t mask[4];

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	memcpy(mask, random, sizeof(mask));
	len = ws_frame_masked(c->env->frame, opcode, mask, data, len);
	client_write(c, c->env->frame, len);
}

void
client_send(struct client *c, const char *text, size_t len)
{
	CHECK(c->state == CLIENT_OPEN);
	client_frame(c, WS_TEXT, text, len);
}

void
client_close(struct client *c)
{
	static const uint8_t normal[2] = { WS_CODE_NORMAL >> 8,
		WS_CODE_NORMAL & 0xff };

	if (c->state != CLIENT_OPEN) {
		client_end(c, "given up");
		return;
	}
	client_frame(c, WS_CLOSE, normal, sizeof(normal));
	c->state = CLIENT_CLOSING;
}
