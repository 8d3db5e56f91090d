/* SPDX-License-Identifier: MIT */
/* client.c - see client.h. */

#include "broker/cli/client/client.h"

#include "broker/cli/client/credential.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/container.h"

#include <limits.h>
#include <string.h>
#include <sys/random.h>

/* The largest message that a server can be told to take, with its envelope. */
#define CLIENT_MESSAGE_MAX (17u << 20)

/* Each for one state, milliseconds. */
#define CLIENT_HANDSHAKE_MS 10000 /* handshake and welcome together */
#define CLIENT_CLOSE_MS     2000

/* A server pings the silent.  One that has missed its time twice is gone. */
#define CLIENT_PINGS_MISSED 2

/* A connection that lasted so long was one to a server that works. */
#define CLIENT_LASTING_MS 5000

/* The connection is over, client_end() says why: let go of everything. */
static void
client_down(struct client *c)
{
	connecting_fini(&c->dial);
	credential_wipe(&c->lines);
	ws_client_drop(&c->ws);
	if (c->opened_ms != 0 &&
	    clock_monotonic_ms() - c->opened_ms >= CLIENT_LASTING_MS)
		hosts_here(c->hosts)->retry.attempt = 0;
	c->opened_ms = 0;
	c->state = CLIENT_DOWN;
	c->deadline_ms = 0;
}

/* The connection is over, for this reason. */
#define client_fail(c, kind, ...)                                  \
	do {                                                       \
		outcome_set(&(c)->group.end, (kind), __VA_ARGS__); \
		client_down(c);                                    \
	} while (0)

static void
client_enter(struct client *c, enum client_state state, uint64_t ms)
{
	c->state = state;
	c->deadline_ms = ms == 0 ? 0 : clock_monotonic_ms() + ms;
}

void
client_send(struct client *c, const char *text, size_t len)
{
	CHECK(c->state == CLIENT_OPEN);
	ws_client_send(&c->ws, text, len);
}

void
client_leave(struct client *c, const char *why)
{
	CHECK(c->state == CLIENT_OPEN);
	client_fail(c, CLIENT_LOST, "%s", why);
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
		ws_client_close(&c->ws);
		client_enter(c, CLIENT_CLOSING, CLIENT_CLOSE_MS);
		break;
	}
}

bool
client_may_come_back(const struct client *c)
{
	const struct outcome *end = client_end(c);

	/* A token that has expired may be renewed in its file by then. */
	if (end->kind == CLIENT_CLOSED && end->code == WS_CODE_UNAUTHORIZED)
		return credential_may_change(c->options);
	return retry_makes_sense(end);
}

uint64_t
client_again_ms(struct client *c)
{
	uint64_t now = clock_monotonic_ms();
	uint32_t random;

	CHECK(getrandom(&random, sizeof(random), 0) == sizeof(random));
	return now +
	       hosts_lost(c->hosts, client_end(c), c->was_open, now, random);
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

/* What the connections to a host have in common is this one's. */
static void
client_aim(struct client *c, const struct url *url)
{
	c->group.authority = url->authority;
	c->group.target = url->endpoint;
	c->group.host = url->host;
	c->group.tls = url->is_tls ? c->tls : NULL;
}

void
client_connect(struct client *c)
{
	char why[CREDENTIAL_WHY_MAX];
	struct host *host;

	CHECK(c->state == CLIENT_DOWN);
	hosts_go(c->hosts);
	host = hosts_here(c->hosts);
	client_aim(c, &host->url);
	c->group.end = (struct outcome){ .kind = CLIENT_LOST };
	host->retry.has_drain = false;
	c->was_open = false;
	if (!credential_line(c->options, &c->lines, why))
		client_fail(c, CLIENT_UNREADY, "%s", why);
	else if (connecting_init(&c->dial, &host->url))
		client_dial_next(c);
	else
		client_fail(c, CLIENT_UNREACHABLE, "%s", c->dial.why);
}

/* The present address has answered, or has not. */
static void
client_dialled(struct client *c)
{
	int fd = connecting_result(&c->dial);
	const char *credential;
	size_t len;

	if (fd == -1) {
		client_dial_next(c);
		return;
	}
	connecting_fini(&c->dial);
	credential = credential_of_line(&c->lines, &len);
	renewal_begin(&c->renewal, credential, len);
	c->group.lines = c->lines.at;
	ws_client_begin(&c->ws, fd);
	c->group.lines = NULL;
	credential_wipe(&c->lines);
	client_enter(c, CLIENT_SHAKING, CLIENT_HANDSHAKE_MS);
}

/* Note what the server says of itself, and its wishes. */
static void
client_welcomed(struct client *c, const struct server_message *said)
{
	server_message_copy(&said->epoch, c->epoch, sizeof(c->epoch));
	c->max_message = said->max_message;
	hosts_here(c->hosts)->retry.welcome = said->retry;
	c->was_open = true;
	c->silence_ms = said->ping * 1000 * CLIENT_PINGS_MISSED;
	c->opened_ms = clock_monotonic_ms();
	client_enter(c, CLIENT_OPEN, 0);
	c->events.opened(c->owner);
}

/* The handshake is answered; the welcome has to come under the same deadline. */
static void
client_opened_cb(struct ws_client *ws)
{
	struct client *c = container_of(ws, struct client, ws);

	c->state = CLIENT_GREETING;
}

static void
client_message_cb(
    struct ws_client *ws, enum ws_opcode opcode, const char *data, size_t len)
{
	struct client *c = container_of(ws, struct client, ws);
	struct server_message said;

	if (opcode != WS_TEXT ||
	    !server_message_parse(&c->json, data, len, &said) ||
	    (c->state == CLIENT_GREETING && said.kind != SERVER_WELCOME)) {
		ws_client_fail(ws, "what it says is not " CLIENT_PROTOCOL);
		return;
	}
	if (said.kind == SERVER_WELCOME) {
		client_welcomed(c, &said);
		return;
	}
	if (said.kind == SERVER_DRAIN) {
		struct retry *retry = &hosts_here(c->hosts)->retry;

		retry->drain = said.retry;
		retry->has_drain = true;
	}
	if (!renewal_said(&c->renewal, &said))
		c->events.said(c->owner, &said);
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

/* Show another token, if it is time for that and there is one. */
static void
client_renew(struct client *c)
{
	struct buf text;

	buf_init(&text);
	if (renewal_look(&c->renewal, &text))
		client_send(c, text.at, text.len);
	credential_wipe(&text);
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
	const uint64_t times[] = { client_deadline(c), until_ms, again_ms,
		c->state == CLIENT_OPEN ? c->renewal.look_ms : 0 };
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
	*poll = (struct pollfd){ .fd = c->ws.fd };
	if (c->state == CLIENT_DIALLING) {
		*poll = (struct pollfd){ c->dial.fd, POLLOUT, 0 };
		return;
	}
	if (is_reading || c->state != CLIENT_OPEN)
		poll->events |= POLLIN;
	if (ws_client_is_behind(&c->ws))
		poll->events |= POLLOUT;
}

void
client_turn(struct client *c, short revents)
{
	uint64_t deadline_ms;

	if (c->state == CLIENT_DIALLING) {
		if (revents != 0)
			client_dialled(c);
	} else if (c->state != CLIENT_DOWN) {
		if ((revents & POLLOUT) != 0)
			ws_client_flush(&c->ws);
		if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
			c->heard_ms = clock_monotonic_ms();
			if (!ws_client_read(&c->ws))
				client_down(c);
		}
	}
	if (c->state == CLIENT_OPEN)
		client_renew(c);
	deadline_ms = client_deadline(c);
	if (deadline_ms != 0 && clock_monotonic_ms() >= deadline_ms)
		client_timed_out(c);
}

void
client_init(struct client *c, struct hosts *hosts,
    const struct tls_client_context *tls,
    const struct cli_client_options *options,
    const struct client_events *events, void *owner)
{
	const struct ws_client_events connection = {
		.opened = client_opened_cb,
		.message = client_message_cb,
	};

	memset(c, 0, sizeof(*c));
	c->hosts = hosts;
	c->tls = tls;
	c->options = options;
	c->events = *events;
	c->owner = owner;
	c->dial.fd = -1;
	buf_init(&c->lines);
	renewal_init(&c->renewal, options);
	ws_client_group_init(&c->group, NULL, NULL, CLIENT_PROTOCOL,
	    CLIENT_MESSAGE_MAX, 1, &connection);
	ws_client_init(&c->ws, &c->group);
	json_reader_init(&c->json);
}

void
client_fini(struct client *c)
{
	if (c->state != CLIENT_DOWN)
		client_fail(c, CLIENT_DONE, "given up");
	ws_client_group_fini(&c->group);
	json_reader_fini(&c->json);
}
