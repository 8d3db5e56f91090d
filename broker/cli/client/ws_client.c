/* SPDX-License-Identifier: MIT */
/* ws_client.c - see ws_client.h. */

#include "broker/cli/client/ws_client.h"

#include "broker/cli/client/handshake.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WS_CLIENT_READ_MAX (64u * 1024) /* bytes per ws_client_read() */

void
ws_client_drop(struct ws_client *c)
{
	tls_client_free(c->tls);
	c->tls = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	if (c->ws != NULL)
		ws_return(c->group->pool, &c->ws);
	if (c->shake != NULL)
		client_handshake_fini(c->shake);
	free(c->shake);
	c->shake = NULL;
	outbuf_fini(&c->out);
	c->state = WS_CLIENT_NONE;
}

/* The connection is over; group->end says why unless we wanted it.  Returns
 * false, for ws_client_read(). */
static bool
ws_client_end(struct ws_client *c)
{
	if (c->state == WS_CLIENT_CLOSING)
		outcome_set(&c->group->end, CLIENT_DONE, "closed");
	ws_client_drop(c);
	return false;
}

#define ws_client_lost(c, ...)                                    \
	(outcome_set(&(c)->group->end, CLIENT_LOST, __VA_ARGS__), \
	    ws_client_end(c))

static void
ws_client_close_frame(struct ws_client *c, unsigned code)
{
	const uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };

	outbuf_frame(&c->out, &c->group->masks, WS_CLOSE, payload,
	    code == WS_CODE_NONE ? 0 : sizeof(payload));
	ws_client_flush(c);
}

/* The parser has told the end: answer it, and end. */
static bool
ws_client_ended(struct ws_client *c)
{
	if (c->state == WS_CLIENT_OPEN)
		ws_client_close_frame(c, c->group->end.code);
	return ws_client_end(c);
}

/* Bytes of frames came in.  Returns whether the connection goes on. */
static bool
ws_client_feed(struct ws_client *c, const char *data, size_t len)
{
	char pong[WS_OUTPUT_MAX];
	enum ws_status status;
	size_t taken, n;

	if (len == 0)
		return true;
	if (c->ws == NULL && (c->ws = ws_borrow(c->group->pool, c)) == NULL)
		return ws_client_lost(c, "out of memory");
	status = ws_feed(c->ws, data, len, &taken);
	if (c->has_failed)
		return ws_client_end(c);
	if (status == WS_ENDED)
		return ws_client_ended(c);
	if (status == WS_NOMEM)
		return ws_client_lost(c, "out of memory");
	while ((n = ws_output(c->ws, pong, sizeof(pong))) > 0)
		if (c->state == WS_CLIENT_OPEN) /* nothing follows a close */
			outbuf_add(&c->out, pong, n);
	if (ws_is_clean(c->ws))
		ws_return(c->group->pool, &c->ws);
	return true;
}

/* Bytes of the answer to the handshake came in; frames may follow at once. */
static bool
ws_client_shake(struct ws_client *c, const char *data, size_t len)
{
	struct client_handshake *shake = c->shake;
	const char *frames;
	bool goes_on;

	switch (client_handshake_answer(shake, c->group->protocol, data, len,
	    &c->group->end, &frames, &len)) {
	case CLIENT_HANDSHAKE_MORE:
		return true;
	case CLIENT_HANDSHAKE_FAILED:
		return ws_client_end(c);
	case CLIENT_HANDSHAKE_DONE:
		break;
	}
	c->shake = NULL;
	c->state = WS_CLIENT_OPEN;
	c->group->events.opened(c);
	goes_on = ws_client_feed(c, frames, len);
	client_handshake_fini(shake);
	free(shake);
	return goes_on;
}

/* As recv(2).  What had to wait for these bytes is sent. */
static ssize_t
ws_client_receive(struct ws_client *c)
{
	ssize_t n;
	int saved;

	if (c->tls == NULL)
		return recv(c->fd, c->group->input, WS_CLIENT_READ_MAX, 0);
	n = tls_client_receive(c->tls, c->group->input, WS_CLIENT_READ_MAX);
	saved = errno;
	if (n > 0 || saved == EAGAIN)
		ws_client_flush(c);
	errno = saved;
	return n;
}

bool
ws_client_read(struct ws_client *c)
{
	const char *input = c->group->input;
	ssize_t n = ws_client_receive(c);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n == -1 && errno == EPROTO && c->tls != NULL) {
		outcome_set(
		    &c->group->end, CLIENT_ALIEN, "%s", tls_client_why(c->tls));
		return ws_client_end(c);
	}
	if (n == -1)
		return ws_client_lost(
		    c, "connection lost: %s", strerror(errno));
	if (n == 0)
		return ws_client_lost(
		    c, "connection lost: the server ended it without a word");
	if (c->state == WS_CLIENT_SHAKING)
		return ws_client_shake(c, input, (size_t)n);
	return ws_client_feed(c, input, (size_t)n);
}

void
ws_client_send(struct ws_client *c, const char *text, size_t len)
{
	CHECK(c->state == WS_CLIENT_OPEN);
	outbuf_frame(&c->out, &c->group->masks, WS_TEXT, text, len);
}

void
ws_client_flush(struct ws_client *c)
{
	outbuf_flush(&c->out, c->fd, c->tls);
}

void
ws_client_close(struct ws_client *c)
{
	CHECK(c->state == WS_CLIENT_OPEN);
	ws_client_close_frame(c, WS_CODE_NORMAL);
	c->state = WS_CLIENT_CLOSING;
}

void
ws_client_fail(struct ws_client *c, const char *why)
{
	outcome_set(&c->group->end, CLIENT_ALIEN, "%s", why);
	c->has_failed = true;
	ws_pause(c->ws);
}

static void
ws_client_message_cb(
    void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct ws_client *c = owner;

	if (c->state == WS_CLIENT_OPEN && !c->has_failed)
		c->group->events.message(c, opcode, data, len);
}

static void
ws_client_control_cb(void *owner, enum ws_opcode opcode)
{
	(void)owner;
	(void)opcode;
}

static void
ws_client_closing_cb(void *owner, bool by_peer, unsigned code,
    const char *reason, size_t reason_len)
{
	struct ws_client *c = owner;

	if (!c->has_failed)
		outcome_told(&c->group->end, by_peer, code, reason, reason_len);
}

void
ws_client_begin(struct ws_client *c, int fd)
{
	CHECK(c->state == WS_CLIENT_NONE);
	c->fd = fd;
	if (c->group->tls != NULL)
		c->tls = tls_client_new(c->group->tls, fd, c->group->host);
	c->has_failed = false;
	c->shake = xmalloc(sizeof(*c->shake));
	c->state = WS_CLIENT_SHAKING;
	client_handshake_init(c->shake);
	client_handshake_ask(c->shake, c->group->authority, c->group->target,
	    c->group->protocol, c->group->lines, &c->out);
	ws_client_flush(c);
}

void
ws_client_init(struct ws_client *c, struct ws_client_group *group)
{
	memset(c, 0, sizeof(*c));
	c->group = group;
	c->fd = -1;
	outbuf_init(&c->out);
}

void
ws_client_group_init(struct ws_client_group *group, const char *authority,
    const char *target, const char *protocol, uint64_t message_max,
    unsigned spare, const struct ws_client_events *events)
{
	const struct ws_events frames = {
		.message = ws_client_message_cb,
		.control = ws_client_control_cb,
		.closing = ws_client_closing_cb,
	};

	memset(group, 0, sizeof(*group));
	group->authority = authority;
	group->target = target;
	group->protocol = protocol;
	group->events = *events;
	group->pool = ws_pool_new(WS_CLIENT, message_max, spare, &frames);
	group->input = xmalloc(WS_CLIENT_READ_MAX);
}

void
ws_client_group_fini(struct ws_client_group *group)
{
	ws_pool_free(&group->pool);
	free(group->input);
	group->input = NULL;
}
