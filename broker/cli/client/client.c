/* SPDX-License-Identifier: MIT */
/* client.c - see client.h. */

#include "broker/cli/client/client.h"

#include "common/bug.h"
#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_READ_MAX (64u * 1024) /* bytes per turn */

/* The largest message that a server can be told to take, with its envelope. */
#define CLIENT_MESSAGE_MAX (17u << 20)

/* Each for one state, milliseconds. */
#define CLIENT_HANDSHAKE_MS 10000 /* handshake and welcome together */
#define CLIENT_CLOSE_MS     2000

/* A server pings the silent.  One that has missed its time twice is gone. */
#define CLIENT_PINGS_MISSED 2

/* A connection that lasted so long was one to a server that works. */
#define CLIENT_LASTING_MS 5000

/* The connection is over, c->end says why: let go of everything. */
static void
client_down(struct client *c)
{
	connecting_fini(&c->dial);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	if (c->ws != NULL)
		ws_return(c->pool, &c->ws);
	client_handshake_reset(&c->shake);
	outbuf_reset(&c->out);
	if (c->opened_ms != 0 &&
	    clock_monotonic_ms() - c->opened_ms >= CLIENT_LASTING_MS)
		c->retry.attempt = 0;
	c->opened_ms = 0;
	c->state = CLIENT_DOWN;
	c->deadline_ms = 0;
}

/* The connection is over, for this reason. */
#define client_fail(c, kind, ...)                            \
	do {                                                 \
		outcome_set(&(c)->end, (kind), __VA_ARGS__); \
		client_down(c);                              \
	} while (0)

static void
client_enter(struct client *c, enum client_state state, uint64_t ms)
{
	c->state = state;
	c->deadline_ms = ms == 0 ? 0 : clock_monotonic_ms() + ms;
}

static void
client_close_frame(struct client *c, unsigned code)
{
	const uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	outbuf_frame(&c->out, WS_CLOSE, payload,
	    code == WS_CODE_NONE ? 0 : sizeof(payload));
}

void
client_send(struct client *c, const char *text, size_t len)
{
	CHECK(c->state == CLIENT_OPEN);
	outbuf_frame(&c->out, WS_TEXT, text, len);
}

void
client_close(struct client *c)
{
	switch (c->state) {
	case CLIENT_DOWN:
	case CLIENT_CLOSING:
		break;
	case CLIENT_DIALLING:
	case CLIENT_SHAKING:
		client_fail(c, CLIENT_DONE, "given up");
		break;
	case CLIENT_GREETING:
	case CLIENT_OPEN:
		client_close_frame(c, WS_CODE_NORMAL);
		outbuf_flush(&c->out, c->fd);
		client_enter(c, CLIENT_CLOSING, CLIENT_CLOSE_MS);
		break;
	}
}

/* Try the next address, or give up. */
static void
client_dial_next(struct client *c)
{
	if (connecting_next(&c->dial))
		client_enter(c, CLIENT_DIALLING, CONNECTING_MS);
	else
		client_fail(c, CLIENT_UNREACHABLE, "%s", c->dial.why);
}

void
client_connect(struct client *c)
{
	CHECK(c->state == CLIENT_DOWN);
	c->end = (struct outcome){ .kind = CLIENT_LOST };
	c->is_broken = false;
	c->retry.has_drain = false;
	if (connecting_init(&c->dial, c->url))
		client_dial_next(c);
	else
		client_fail(c, CLIENT_UNREACHABLE, "%s", c->dial.why);
}

/* The present address has answered, or has not. */
static void
client_dialled(struct client *c)
{
	if ((c->fd = connecting_result(&c->dial)) == -1) {
		client_dial_next(c);
		return;
	}
	connecting_fini(&c->dial);
	client_handshake_ask(&c->shake, c->url, &c->out);
	client_enter(c, CLIENT_SHAKING, CLIENT_HANDSHAKE_MS);
	outbuf_flush(&c->out, c->fd);
}

/* What the server says of itself, and wishes. */
static void
client_welcomed(struct client *c, const struct server_message *said)
{
	server_message_copy(&said->epoch, c->epoch, sizeof(c->epoch));
	c->max_message = said->max_message;
	c->retry.welcome = said->retry;
	c->silence_ms = said->ping * 1000 * CLIENT_PINGS_MISSED;
	c->opened_ms = clock_monotonic_ms();
	client_enter(c, CLIENT_OPEN, 0);
	c->events.opened(c->owner);
}

static void
client_message_cb(
    void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct client *c = owner;
	struct server_message said;

	if (c->state == CLIENT_CLOSING || c->is_broken)
		return;
	if (opcode != WS_TEXT ||
	    !server_message_parse(&c->json, data, len, &said) ||
	    (c->state == CLIENT_GREETING && said.kind != SERVER_WELCOME)) {
		c->is_broken = true;
		ws_pause(c->ws);
		return;
	}
	if (said.kind == SERVER_WELCOME) {
		client_welcomed(c, &said);
		return;
	}
	if (said.kind == SERVER_DRAIN) {
		c->retry.drain = said.retry;
		c->retry.has_drain = true;
	}
	c->events.said(c->owner, &said);
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

	outcome_told(&c->end, by_peer, code, reason, reason_len);
}

/* The parser has told the end: answer it, and end. */
static void
client_ended(struct client *c)
{
	unsigned code = c->end.code;

	client_close_frame(c, code);
	outbuf_flush(&c->out, c->fd);
	if (c->state == CLIENT_CLOSING)
		outcome_set(&c->end, CLIENT_DONE, "closed");
	c->end.code = code;
	client_down(c);
}

/* Bytes of frames came in. */
static void
client_feed(struct client *c, const char *data, size_t len)
{
	char pong[WS_OUTPUT_MAX];
	size_t taken, n;
	enum ws_status status = ws_feed(c->ws, data, len, &taken);

	if (c->is_broken) {
		client_fail(
		    c, CLIENT_ALIEN, "what it says is not " CLIENT_PROTOCOL);
		return;
	}
	switch (status) {
	case WS_OK:
		break;
	case WS_ENDED:
		client_ended(c);
		return;
	case WS_NOMEM:
		client_fail(c, CLIENT_LOST, "out of memory");
		return;
	}
	while ((n = ws_output(c->ws, pong, sizeof(pong))) > 0)
		if (c->state != CLIENT_CLOSING) /* nothing follows a close */
			outbuf_add(&c->out, pong, n);
}

/* Bytes of the answer to the handshake came in; frames may follow at once. */
static void
client_handshake(struct client *c, const char *data, size_t len)
{
	const char *frames;

	switch (client_handshake_answer(
	    &c->shake, data, len, &c->end, &frames, &len)) {
	case CLIENT_HANDSHAKE_MORE:
		return;
	case CLIENT_HANDSHAKE_FAILED:
		client_down(c);
		return;
	case CLIENT_HANDSHAKE_DONE:
		break;
	}
	c->state = CLIENT_GREETING; /* under the same deadline */
	c->ws = ws_borrow(c->pool, c);
	CHECK(c->ws != NULL);
	client_feed(c, frames, len);
	client_handshake_reset(&c->shake);
}

static void
client_read(struct client *c)
{
	char data[CLIENT_READ_MAX];
	ssize_t n = recv(c->fd, data, sizeof(data), 0);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	c->heard_ms = clock_monotonic_ms();
	if (n <= 0 && c->state == CLIENT_CLOSING)
		client_fail(c, CLIENT_DONE, "closed");
	else if (n == -1)
		client_fail(
		    c, CLIENT_LOST, "connection lost: %s", strerror(errno));
	else if (n == 0)
		client_fail(c, CLIENT_LOST,
		    "connection lost: the server ended it without a word");
	else if (c->state == CLIENT_SHAKING)
		client_handshake(c, data, (size_t)n);
	else
		client_feed(c, data, (size_t)n);
}

/* The time for the present state is over. */
static void
client_timed_out(struct client *c)
{
	switch (c->state) {
	case CLIENT_DIALLING:
		connecting_timed_out(&c->dial);
		client_dial_next(c);
		break;
	case CLIENT_SHAKING:
	case CLIENT_GREETING:
		client_fail(c, CLIENT_LOST, "no answer within %d s",
		    CLIENT_HANDSHAKE_MS / 1000);
		break;
	case CLIENT_OPEN:
		client_fail(c, CLIENT_LOST,
		    "connection lost: nothing heard for %llu s",
		    (unsigned long long)c->silence_ms / 1000);
		break;
	case CLIENT_CLOSING:
		client_fail(c, CLIENT_DONE, "closed");
		break;
	case CLIENT_DOWN:
		break;
	}
}

/* When the present state's time is over; 0: never. */
static uint64_t
client_deadline(const struct client *c)
{
	if (c->state != CLIENT_OPEN)
		return c->deadline_ms;
	/* While we do not listen, silence means nothing. */
	if (c->silence_ms == 0 || !c->is_reading)
		return 0;
	return c->heard_ms + c->silence_ms;
}

int
client_patience(const struct client *c, uint64_t until_ms, uint64_t again_ms)
{
	const uint64_t times[] = { client_deadline(c), until_ms, again_ms };
	uint64_t now = clock_monotonic_ms(), least = INT_MAX;
	bool is_any = false;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t left = times[i] > now ? times[i] - now : 0;

		if (times[i] != 0 && left <= least)
			least = left;
		is_any |= times[i] != 0;
	}
	return is_any ? (int)least : -1;
}

void
client_poll(struct client *c, struct pollfd *poll, bool is_reading)
{
	if (is_reading && !c->is_reading)
		c->heard_ms = clock_monotonic_ms();
	c->is_reading = is_reading;
	*poll = (struct pollfd){ .fd = c->fd };
	if (c->state == CLIENT_DIALLING) {
		*poll = (struct pollfd){ c->dial.fd, POLLOUT, 0 };
		return;
	}
	if (is_reading || c->state != CLIENT_OPEN)
		poll->events |= POLLIN;
	if (outbuf_unsent(&c->out) > 0)
		poll->events |= POLLOUT;
}

void
client_turn(struct client *c, short revents)
{
	if (c->state == CLIENT_DIALLING) {
		if (revents != 0)
			client_dialled(c);
	} else if (c->state != CLIENT_DOWN) {
		if ((revents & POLLOUT) != 0)
			outbuf_flush(&c->out, c->fd);
		if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			client_read(c);
	}
	if (client_patience(c, 0, 0) == 0)
		client_timed_out(c);
}

void
client_init(struct client *c, const struct url *url,
    const struct client_events *events, void *owner)
{
	const struct ws_events frames = {
		.message = client_message_cb,
		.control = client_control_cb,
		.closing = client_closing_cb,
	};

	memset(c, 0, sizeof(*c));
	c->url = url;
	c->events = *events;
	c->owner = owner;
	c->fd = c->dial.fd = -1;
	c->pool = ws_pool_new(WS_CLIENT, CLIENT_MESSAGE_MAX, 0, &frames);
	json_reader_init(&c->json);
	client_handshake_init(&c->shake);
	outbuf_init(&c->out);
}

void
client_fini(struct client *c)
{
	if (c->state != CLIENT_DOWN)
		client_fail(c, CLIENT_DONE, "given up");
	ws_pool_free(&c->pool);
	json_reader_fini(&c->json);
	client_handshake_fini(&c->shake);
	outbuf_fini(&c->out);
}
