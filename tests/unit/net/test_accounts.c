/* SPDX-License-Identifier: MIT */
/*
 * test_accounts.c - whatever clients send, in whatever pieces, and however they
 * end: after each turn what the budget and the gauges say is what the
 * connections hold (worker/net/budget.h).
 *
 * Clients say random things of all that can be said, cut anywhere, take what
 * they are sent or do not, and leave at any moment.  Limits are so narrow that
 * each of them is met.
 */

#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/ws/ws_conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CLIENTS 24u
#define STEPS   20000u
#define SAID    40u   /* things that one client says */
#define LONG    9000u /* bytes of what is long */

#define REQUEST(line) line " HTTP/1.1\r\nHost: localhost\r\n"
#define POST(topic)   REQUEST("POST /topics/" topic)
#define UPGRADE(query)                                    \
	REQUEST("GET /ws?" query)                         \
	"Upgrade: websocket\r\n"                          \
	"Connection: Upgrade\r\n"                         \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n"
#define V1 "Sec-WebSocket-Protocol: pubsubd.v1\r\n"

static char x[LONG]; /* "xxx..." */

/* What is said over HTTP; behind a %, LONG times x follow. */
static const char *const requests[] = {
	REQUEST("GET /healthz") "\r\n",
	REQUEST("GET /file") "\r\n",
	REQUEST("GET /nothing") "\r\n",
	REQUEST("GET /topics") "\r\n",
	REQUEST("GET /topics/a/history") "\r\n",
	REQUEST("HEAD /topics/a") "\r\n",
	REQUEST("POST /healthz") "Content-Length: 1\r\n\r\nx",
	REQUEST("GET /topics/b/events?buffer=x") "\r\n",
	REQUEST("GET /topics/a/events?buffer=3&overflow=latest") "\r\n",
	REQUEST("GET /topics/b/events?overflow=close") "\r\n",
	POST("a") "Content-Length: 2\r\n\r\nhi",
	POST("b") "Content-Length: 9000\r\n\r\n%",
	POST("b") "Content-Length: 20000\r\n\r\n",
	POST("b") "Content-Type: application/json\r\n"
		  "Content-Length: 3\r\n\r\n{a}",
	POST("b") "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	POST("b") "Transfer-Encoding: chunked\r\n\r\n2328\r\n%\r\n0\r\n\r\n",
	POST("b") "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx",
};

static const char *const upgrades[] = {
	UPGRADE("topic=a&topic=b") "\r\n",
	UPGRADE("topic=a&buffer=2") "\r\n",
	UPGRADE("topic=b&buffer=2&overflow=latest") V1 "\r\n",
	UPGRADE("topic=b&buffer=3") V1 "\r\n",
	UPGRADE("topic=a&buffer=1&overflow=close") V1 "\r\n",
	UPGRADE("buffer=no") "\r\n",
};

/* The first byte of a frame, and what is in it, as above. */
static const struct {
	unsigned char first;
	const char *text;
} frames[] = {
	{ 0x81, "{\"topic\":\"a\",\"message\":\"hello\"}" },
	{ 0x81, "{\"topic\":\"b\",\"message\":\"hello\"}" },
	{ 0x81, "{\"type\":\"publish\",\"topic\":\"b\",\"message\":[1,2]}" },
	{ 0x81, "{\"type\":\"subscribe\",\"topic\":\"a\",\"history\":5}" },
	{ 0x81, "{\"type\":\"history\",\"topic\":\"b\",\"limit\":9}" },
	{ 0x81, "{\"type\":\"unsubscribe\",\"topic\":\"a\"}" },
	{ 0x89, "hi" },
	{ 0x8a, "" },
	/* these end it */
	{ 0x88, "" },
	{ 0x82, "\xff" },
	{ 0x81, "\xff" },
	{ 0x00, "continues nothing" },
};

#define FRAMES_GOOD (COUNT(frames) - 4)

/* A client: what it has yet to say, and how it is. */
struct script {
	struct peer *peer; /* NULL: it has left */
	char *left;        /* owned */
	size_t len, at;
	bool reads;
};

static void
script_add(struct script *s, const char *at, size_t len)
{
	s->left = xreallocarray(s->left, s->len + len, 1);
	memcpy(s->left + s->len, at, len);
	s->len += len;
}

/* A text, with its long part. */
static void
script_add_text(struct script *s, const char *text)
{
	size_t before = strcspn(text, "%");

	script_add(s, text, before);
	if (text[before] == '\0')
		return;
	script_add(s, x, LONG);
	script_add_text(s, text + before + 1);
}

static void
script_add_frame(struct script *s, unsigned char first, const char *text)
{
	bool is_long = strchr(text, '%') != NULL;
	unsigned char head[8] = { first };
	size_t len = is_long ? LONG : strlen(text);

	head[1] = (unsigned char)(0x80 | (is_long ? 126 : len));
	head[2] = (unsigned char)(len >> 8);
	head[3] = (unsigned char)len;
	if (is_long) {
		script_add(s, (char *)head, sizeof(head));
	} else { /* the mask is 0 */
		head[2] = head[3] = 0;
		script_add(s, (char *)head, 6);
	}
	script_add_text(s, text);
}

/* A message in parts, of which some are long, with a ping between them. */
static void
script_add_parts(struct script *s, struct dice *dice)
{
	script_add_frame(s, 0x01, "{\"topic\":\"b\",\"message\":\"");
	for (uint64_t n = dice_below(dice, 3); n > 0; n--) {
		script_add_frame(s, 0x00, dice_below(dice, 2) ? "%" : "x");
		script_add_frame(s, 0x89, "");
	}
	script_add_frame(s, 0x80, "\"}");
}

static void
script_add_frames(struct script *s, struct dice *dice)
{
	for (unsigned i = 0; i < SAID; i++) {
		bool good = dice_below(dice, 20) > 0;
		size_t n = dice_below(dice, good ? FRAMES_GOOD : COUNT(frames));

		if (dice_below(dice, 8) == 0)
			script_add_parts(s, dice);
		else
			script_add_frame(s, frames[n].first, frames[n].text);
	}
}

static void
script_new(struct script *s, struct crew *crew, struct dice *dice)
{
	s->peer = peer_connect(crew, 0, dice_below(dice, 2) == 0 ? 1 : 0);
	s->reads = dice_below(dice, 3) > 0;
	if (dice_below(dice, 3) > 0) {
		script_add_text(s, upgrades[dice_below(dice, COUNT(upgrades))]);
		script_add_frames(s, dice);
		return;
	}
	for (unsigned i = 0; i < SAID; i++)
		script_add_text(s, requests[dice_below(dice, COUNT(requests))]);
}

static void
script_end(struct script *s)
{
	peer_close(&s->peer);
	free(s->left);
	*s = (struct script){ .peer = NULL };
}

/* Say some more of it, as far as the socket takes it. */
static void
script_go_on(struct script *s, struct dice *dice)
{
	size_t most = dice_below(dice, 4) > 0 ? 100 : 30000;
	size_t len = dice_below(dice, (uint32_t)most) + 1;
	ssize_t n;

	if (len > s->len - s->at)
		len = s->len - s->at;
	n = send(
	    s->peer->fd, s->left + s->at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		s->at += (size_t)n;
}

static void
script_step(struct script *s, struct crew *crew, struct dice *dice)
{
	if (s->peer == NULL) {
		script_new(s, crew, dice);
		return;
	}
	switch (dice_below(dice, 40)) {
	case 0:
		script_end(s);
		return;
	case 1:
		shutdown(s->peer->fd, SHUT_WR);
		return;
	case 2:
		s->reads = !s->reads;
		break;
	default:
		script_go_on(s, dice);
	}
	if (s->reads) {
		peer_receive(s->peer);
		s->peer->len = 0;
	}
}

/* What the connections of a list hold. */
static void
add_up(const struct conn_list *list, uint64_t held[BUDGET_PARTS],
    uint64_t *websockets)
{
	const struct conn *c;

	LIST_FOREACH(c, list, link) {
		if (c->input != NULL)
			held[BUDGET_INPUT] += c->input->len;
		if (c->out != NULL)
			held[BUDGET_OUTPUT] += c->out->bytes;
		if (c->state != CONN_OPEN)
			continue;
		if (c->handler->held != NULL)
			held[BUDGET_INPUT] += c->handler->held(c);
		*websockets += c->handler == &ws_conn_handler;
	}
}

static void
check_accounts(const struct crew *crew)
{
	const struct net *net = &crew->w[0].net;
	uint64_t held[BUDGET_PARTS] = { 0 }, websockets = 0;

	add_up(&net->conns.living, held, &websockets);
	add_up(&net->conns.dead, held, &websockets);
	assert_int_equal(net->budget.held[BUDGET_INPUT], held[BUDGET_INPUT]);
	assert_int_equal(net->budget.held[BUDGET_OUTPUT], held[BUDGET_OUTPUT]);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_INPUT_BYTES), held[BUDGET_INPUT]);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_BUFFERED_BYTES), held[BUDGET_OUTPUT]);
	assert_int_equal(crew_stat(crew, 0, STATS_WEBSOCKETS), websockets);
}

/* Each way to be refused, cut or slowed down has been gone. */
static void
check_limits_met(const struct crew *crew)
{
	static const enum stats_id met[] = { STATS_REFUSED_REQUEST,
		STATS_REFUSED_MEMORY, STATS_DROPS, STATS_GAPS,
		STATS_SLOW_CLOSES, STATS_PROTOCOL_ERRORS, STATS_TIMEOUTS,
		STATS_RATE_PAUSES, STATS_PIPELINE_WAITS, STATS_MESSAGES_IN,
		STATS_MESSAGES_OUT, STATS_UPGRADES };

	for (size_t i = 0; i < COUNT(met); i++)
		if (crew_stat(crew, 0, met[i]) == 0)
			fail_msg("never: %s", stats_info[met[i]].what);
}

static void
test_what_is_held_adds_up(void **state)
{
	struct crew *crew = *state;
	struct script clients[CLIENTS] = { { .peer = NULL } };
	struct dice dice = { 4711 };

	memset(x, 'x', sizeof(x));
	crew->config.max_worker_memory = 64000;
	crew->config.max_message = 10000;
	crew->config.max_pipelined = 4;
	crew->config.rate = 5;
	crew->config.control_rate = 5;
	crew->config.request_ms = 3000;
	crew_start(crew, 1);
	crew_file(crew, "file", 100000);
	for (unsigned i = 0; i < STEPS; i++) {
		script_step(&clients[dice_below(&dice, CLIENTS)], crew, &dice);
		if (dice_below(&dice, 50) == 0)
			crew_ticks(crew, 0, 1 + dice_below(&dice, 4));
		crew_turn(crew, 0);
		check_accounts(crew);
	}
	check_limits_met(crew);
	crew_order(crew, RUN_DRAIN);
	for (unsigned i = 0; i < CLIENTS; i++) {
		crew_turn(crew, 0);
		check_accounts(crew);
		if (clients[i].peer != NULL)
			script_end(&clients[i]);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_what_is_held_adds_up, crew_setup, crew_teardown),
};

SUITE_MAIN(tests);
