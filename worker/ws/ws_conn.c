/* SPDX-License-Identifier: MIT */
/* ws_conn.c - see ws_conn.h. */

#include "worker/ws/ws_conn.h"

#include "common/config.h"
#include "common/ws_whole.h"
#include "worker/net/feed.h"
#include "worker/net/rate.h"
#include "worker/net/service.h"
#include "worker/ws/ping.h"
#include "worker/ws/protocol.h"

#include <stdio.h>

/* Parsers kept for the next ones to need them: 4.5 KiB each. */
#define WS_CONN_SPARE 64

static bool
ws_conn_is_open(const struct conn *c)
{
	return c->state == CONN_OPEN && c->handler == &ws_conn_handler;
}

/* Stop reading a client that does not read its answers. */
static void
ws_conn_mind_answers(struct conn *c)
{
	if (c->out != NULL && c->out->answer_bytes > CONN_ANSWERS_MAX)
		conn_pause(c, PAUSE_ANSWERS);
	if (c->paused != 0 && c->data != NULL)
		ws_pause(c->data);
}

static void
ws_conn_message_cb(
    void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct conn *c = owner;

	if (!ws_conn_is_open(c))
		return;
	rate_count(c);
	protocol_of(c)->message(c, opcode == WS_BINARY, data, len);
	if (ws_conn_is_open(c))
		ws_conn_mind_answers(c);
}

static void
ws_conn_inflated_cb(void *owner, size_t from, size_t to)
{
	struct conn *c = owner;

	if (!ws_conn_is_open(c))
		return;
	stats_add(&c->net->stats, STATS_INFLATED, 1);
	stats_add(&c->net->stats, STATS_INFLATED_FROM, from);
	stats_add(&c->net->stats, STATS_INFLATED_TO, to);
	if (to > from)
		rate_count_inflated(c, to - from);
}

/* A part of a message: as much work as a small one. */
static void
ws_conn_fragment_cb(void *owner)
{
	struct conn *c = owner;

	if (!ws_conn_is_open(c))
		return;
	rate_count(c);
	if (c->paused != 0)
		ws_pause(c->data);
}

/* A pong takes its place among the answers to what came before the ping and
 * after it.  (Of a pong io_read() has noted that the peer was heard of.) */
static void
ws_conn_control_cb(void *owner, enum ws_opcode opcode)
{
	struct conn *c = owner;
	char buf[WS_OUTPUT_MAX];
	size_t n;

	if (!ws_conn_is_open(c))
		return;
	rate_count_control(c);
	if (opcode == WS_PING)
		while ((n = ws_output(c->data, buf, sizeof(buf))) > 0)
			conn_answer(c, buf, n);
	ws_conn_mind_answers(c);
}

/* Close of the server's own accord: the protocol may have a code of its own. */
static void
ws_conn_close(struct conn *c, unsigned code, const char *reason)
{
	const struct protocol *protocol = protocol_of(c);

	if (protocol->close_code != NULL)
		code = protocol->close_code(code);
	ws_close(c, code, reason);
}

static void
ws_conn_closing_cb(void *owner, bool by_peer, unsigned code, const char *reason,
    size_t reason_len)
{
	struct conn *c = owner;
	char text[WS_REASON_MAX + 1];

	if (by_peer) {
		ws_close(c, code, "");
		return;
	}
	stats_add(&c->net->stats, STATS_PROTOCOL_ERRORS, 1);
	/* The parser knows the limit only with the slack; the client is told
	 * the option's number, as everywhere. */
	if (code == WS_CODE_TOO_BIG)
		snprintf(text, sizeof(text), "message over %u bytes",
		    c->net->config->max_message);
	else
		snprintf(text, sizeof(text), "%.*s", (int)reason_len, reason);
	ws_conn_close(c, code, text);
}

/* Bytes of the longest message that is taken off the wire. */
static uint64_t
ws_conn_message_max(const struct net *net)
{
	return (uint64_t)net->config->max_message + net->service->slack;
}

void
ws_conn_open_pool(struct net *net)
{
	const struct ws_events events = {
		.message = ws_conn_message_cb,
		.inflated = ws_conn_inflated_cb,
		.fragment = ws_conn_fragment_cb,
		.control = ws_conn_control_cb,
		.closing = ws_conn_closing_cb,
	};

	net->parsers = ws_pool_new(
	    WS_SERVER, ws_conn_message_max(net), WS_CONN_SPARE, &events);
}

void
ws_conn_close_pool(struct net *net)
{
	ws_pool_free(&net->parsers);
}

/* Give the parser back: it is clean, or will not be used again. */
static void
ws_conn_return_parser(struct conn *c)
{
	struct net *net = c->net;
	uint64_t before = ws_pool_bytes(net->parsers);
	struct ws *ws = c->data;

	c->data = NULL;
	ws_return(net->parsers, &ws);
	budget_change(
	    &net->budget, BUDGET_INPUT, before, ws_pool_bytes(net->parsers));
	stats_set(&net->stats, STATS_PARSERS, ws_pool_lent(net->parsers));
}

static bool
ws_conn_borrow_parser(struct conn *c)
{
	struct net *net = c->net;

	if (c->data != NULL)
		return true;
	c->data = ws_borrow(net->parsers, c);
	stats_set(&net->stats, STATS_PARSERS, ws_pool_lent(net->parsers));
	if (c->data != NULL && c->deflate)
		ws_allow_deflate(c->data);
	return c->data != NULL;
}

/* Feed the parser.  The connection may be closed meanwhile, with the parser
 * still on the stack, so the parser is given back here and not in
 * ws_conn_end(). */
static size_t
ws_conn_parse(struct conn *c, const char *data, size_t len)
{
	struct net *net = c->net;
	uint64_t before = ws_pool_bytes(net->parsers);
	struct ws *ws = c->data;
	enum ws_status status;
	size_t used = 0;

	c->feeding = true;
	status = ws_feed(ws, data, len, &used);
	c->feeding = false;
	budget_change(
	    &net->budget, BUDGET_INPUT, before, ws_pool_bytes(net->parsers));
	c->data = ws;
	if (status == WS_NOMEM)
		ws_conn_close(c, WS_CODE_INTERNAL, "out of memory");
	else
		conn_enforce_input_budget(c);
	if (c->data != NULL && (!ws_conn_is_open(c) || ws_is_clean(c->data)))
		ws_conn_return_parser(c);
	return used;
}

/* A message by the short way: no parser is borrowed, the frame lies whole in
 * what was read.  Returns how many bytes it has; 0: it is the parser's. */
static size_t
ws_conn_take_whole(struct conn *c, char *data, size_t len)
{
	struct ws_whole whole;
	size_t used;

	if (c->data != NULL)
		return 0;
	used = ws_take_whole(data, len, ws_conn_message_max(c->net), &whole);
	if (used > 0)
		ws_conn_message_cb(c, WS_TEXT, whole.text, whole.len);
	return used;
}

/* The parser gets the rest of a frame that it has begun, or all there is. */
static size_t
ws_conn_feed(struct conn *c, char *data, size_t len)
{
	size_t used = ws_conn_take_whole(c, data, len);
	uint64_t rest;

	if (used > 0)
		return used;
	if (!ws_conn_borrow_parser(c)) {
		ws_conn_close(c, WS_CODE_INTERNAL, "out of memory");
		return 0;
	}
	rest = ws_frame_rest(c->data);
	return ws_conn_parse(c, data, rest > 0 && rest < len ? rest : len);
}

void
ws_conn_begin(struct conn *c)
{
	struct net *net = c->net;

	conn_speak(c, &ws_conn_handler, NULL);
	c->upgraded = true;
	stats_add(&net->stats, STATS_UPGRADES, 1);
	stats_add(&net->stats, STATS_WEBSOCKETS, 1);
	ping_begin(c);
}

void
ws_close(struct conn *c, unsigned code, const char *reason)
{
	uint8_t frame[WS_OUTPUT_MAX];

	if (!ws_conn_is_open(c))
		return;
	conn_answer(c, frame, ws_close_frame(frame, code, reason));
	conn_close_when_written(c);
}

static void
ws_conn_written(struct conn *c)
{
	const struct protocol *protocol = protocol_of(c);

	if (protocol->written != NULL)
		protocol->written(c);
}

static void
ws_conn_end(struct conn *c)
{
	if (protocol_of(c)->end != NULL)
		protocol_of(c)->end(c);
	if (c->data != NULL && !c->feeding)
		ws_conn_return_parser(c);
	stats_sub(&c->net->stats, STATS_WEBSOCKETS, 1);
}

static size_t
ws_conn_held(const struct conn *c)
{
	return c->data != NULL ? (size_t)ws_bytes(c->data) : 0;
}

static void
ws_conn_refuse(struct conn *c, enum conn_refusal why)
{
	if (why == CONN_NO_INPUT_MEMORY)
		ws_conn_close(c, WS_CODE_TRY_LATER,
		    "no memory for the whole of it, try later");
	else if (why == CONN_UNKNOWN)
		ws_conn_close(c, WS_CODE_UNAUTHORIZED,
		    "unauthorized: no token came in time");
	else
		ws_conn_close(c, WS_CODE_TOO_SLOW, "too slow: subscribe again");
}

static void
ws_conn_dropped(
    struct conn *c, uint32_t topic, uint64_t seq, struct outq_item *before)
{
	if (protocol_of(c)->dropped != NULL)
		protocol_of(c)->dropped(c, topic, seq, before);
}

static void
ws_conn_expire(struct conn *c, uint64_t in_ms, const char *why)
{
	if (in_ms == 0)
		ws_conn_close(c, WS_CODE_EXPIRED, why);
	else if (protocol_of(c)->expiring != NULL)
		protocol_of(c)->expiring(c, in_ms);
}

static void
ws_conn_revoked(struct conn *c, const char *name, size_t len, bool is_pattern)
{
	if (protocol_of(c)->revoked != NULL)
		protocol_of(c)->revoked(c, name, len, is_pattern);
}

static void
ws_conn_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	if (protocol_of(c)->drain != NULL)
		protocol_of(c)->drain(c, in_ms, spread_ms);
}

static void
ws_conn_go_away(struct conn *c, bool restart)
{
	unsigned code = c->net->config->restart_code;

	if (code == 0)
		code = protocol_of(c)->restart_code;
	if (restart)
		ws_close(c, code, "the server restarts");
	else
		ws_conn_close(c, WS_CODE_GOING_AWAY, "the server goes away");
}

/* The parser knows a part of a message, and cannot be taken out of it. */
static bool
ws_conn_at_rest(const struct conn *c)
{
	return c->data == NULL;
}

static void
ws_conn_go_on(struct conn *c)
{
	c->upgraded = true;
	c->held = false;
	stats_add(&c->net->stats, STATS_WEBSOCKETS, 1);
}

const struct conn_handler ws_conn_handler = {
	.feed = ws_conn_feed,
	.written = ws_conn_written,
	.due = ping_due,
	.end = ws_conn_end,
	.held = ws_conn_held,
	.refuse = ws_conn_refuse,
	.dropped = ws_conn_dropped,
	.expire = ws_conn_expire,
	.revoked = ws_conn_revoked,
	.drain = ws_conn_drain,
	.go_away = ws_conn_go_away,
	.at_rest = ws_conn_at_rest,
	.go_on = ws_conn_go_on,
};
