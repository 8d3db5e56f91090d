/* SPDX-License-Identifier: MIT */
/* ws_conn.c - see ws_conn.h. */

#include "worker/ws/ws_conn.h"

#include "common/handshake.h"
#include "common/http.h"
#include "worker/http/http_conn.h"
#include "worker/net/budget.h"
#include "worker/access/origin.h"
#include "worker/requests/listen_query.h"
#include "worker/net/rate.h"
#include "worker/state.h"

#include <stdio.h>
#include <stdlib.h>

/* Parsers kept for the next ones to need them: 4.5 KiB each. */
#define WS_CONN_SPARE 64

/* Without pings a look now and then costs nothing. */
#define WS_CONN_LOOK_MS 60000

/* A ping not answered within this part of the interval is the end (with the
 * default: 54 s and 6 s). */
#define WS_CONN_PONG_PART 9

/* Who does not read its answers is not read either. */
static void
ws_conn_mind_answers(struct conn *c)
{
	if (c->out != NULL && c->out->answer_bytes > CONN_ANSWERS_MAX)
		conn_pause(c, PAUSE_ANSWERS);
	if (c->paused != 0)
		ws_pause(c->part.ws);
}

static void
ws_conn_message_cb(
    void *owner, enum ws_opcode opcode, const char *data, size_t len)
{
	struct conn *c = owner;

	if (c->state != CONN_WS)
		return;
	rate_count(c);
	conn_protocol(c)->message(c, opcode == WS_BINARY, data, len);
	if (intake_full(&c->w->intake))
		conn_pause(c, PAUSE_INTAKE);
	ws_conn_mind_answers(c);
}

/* A part of a message: as much work as a small one. */
static void
ws_conn_fragment_cb(void *owner)
{
	struct conn *c = owner;

	if (c->state != CONN_WS)
		return;
	rate_count(c);
	if (c->paused != 0)
		ws_pause(c->part.ws);
}

/* A pong takes its place among the answers to what came before the ping and
 * after it.  (Of a pong conn_read() has noted that the peer was heard of.) */
static void
ws_conn_control_cb(void *owner, enum ws_opcode opcode)
{
	struct conn *c = owner;
	char buf[WS_OUTPUT_MAX];
	size_t n;

	if (c->state != CONN_WS)
		return;
	rate_count_control(c);
	if (opcode == WS_PING)
		while ((n = ws_output(c->part.ws, buf, sizeof(buf))) > 0)
			conn_answer(c, buf, n);
	ws_conn_mind_answers(c);
}

static void
ws_conn_closing_cb(void *owner, bool by_peer, unsigned code, const char *reason,
    size_t reason_len)
{
	struct conn *c = owner;
	char text[WS_REASON_MAX + 1];

	if (by_peer) {
		conn_close(c, code, "");
		return;
	}
	stats_add(&c->w->stats, STATS_PROTOCOL_ERRORS, 1);
	/* The parser knows the limit only with the slack; the option's number is
	 * what is said everywhere. */
	if (code == WS_CODE_TOO_BIG)
		snprintf(text, sizeof(text), "message over %u bytes",
		    c->w->config->max_message);
	else
		snprintf(text, sizeof(text), "%.*s", (int)reason_len, reason);
	conn_close(c, code, text);
}

struct ws_pool *
ws_conn_pool_new(uint64_t max_message)
{
	const struct ws_events events = {
		.message = ws_conn_message_cb,
		.fragment = ws_conn_fragment_cb,
		.control = ws_conn_control_cb,
		.closing = ws_conn_closing_cb,
	};

	return ws_pool_new(WS_SERVER, max_message, WS_CONN_SPARE, &events);
}

void
ws_conn_feed(struct conn *c, const char *data, size_t len)
{
	enum ws_status status;
	size_t taken = 0;

	if (len == 0)
		return;
	if (c->part.ws == NULL) {
		c->part.ws = ws_borrow(c->w->parsers, c);
		stats_set(
		    &c->w->stats, STATS_PARSERS, ws_pool_lent(c->w->parsers));
	}
	if (c->part.ws == NULL) {
		conn_close(c, WS_CODE_INTERNAL, "out of memory");
		return;
	}
	c->feeding = true;
	status = ws_feed(c->part.ws, data, len, &taken);
	c->feeding = false;
	if (c->state != CONN_WS) {
		conn_return_parser(c);
		return;
	}
	if (status == WS_NOMEM) {
		conn_close(c, WS_CODE_INTERNAL, "out of memory");
		return;
	}
	conn_keep_input(c, data + taken, len - taken);
	budget_enforce_input(c);
	if (c->state == CONN_WS && ws_is_clean(c->part.ws))
		conn_return_parser(c);
}

void
ws_conn_feed_kept(struct conn *c)
{
	struct conn_input *input = conn_take_input(c);

	ws_conn_feed(c, input->data, input->len);
	free(input);
}

void
ws_conn_read(struct conn *c)
{
	size_t n;

	if (intake_full(&c->w->intake)) {
		intake_pause_until_done(c->w, c);
		return;
	}
	n = conn_read(c);
	if (n > 0)
		ws_conn_feed(c, (const char *)c->w->read_buf, n);
}

/* The protocol that the client prefers to none, of those that are served. */
static uint8_t
ws_conn_choose(const struct service *service, const struct http_request *req)
{
	for (uint8_t i = 1; i < service->protocols_count; i++)
		if (handshake_offers(req, service->protocols[i].name))
			return i;
	return 0;
}

/* It is a WebSocket from now on. */
static void
ws_conn_begin(struct conn *c, const struct query_options *options)
{
	struct worker *w = c->w;
	uint32_t interval = w->config->ping_interval_ms;

	c->state = CONN_WS;
	c->upgraded = true;
	c->part.ws = NULL;
	c->buffer_max = options->buffer;
	c->overflow = (uint8_t)options->overflow;
	w->conns.websockets++;
	stats_add(&w->stats, STATS_UPGRADES, 1);
	stats_set(&w->stats, STATS_WEBSOCKETS, w->conns.websockets);
	conn_deadline_spread(c, interval == 0 ? WS_CONN_LOOK_MS : interval);
}

/* Refuse the upgrade; the connection ends. */
static void
ws_conn_refuse(
    struct conn *c, const struct http_request *req, int status, const char *why)
{
	const char *extra = status == 426   ? HANDSHAKE_VERSION_LINE
	                    : status == 405 ? "Allow: GET\r\n"
	                                    : NULL;

	stats_add(&c->w->stats, STATS_REFUSED_REQUEST, 1);
	http_conn_refuse(c, req, status, why, extra);
}

void
ws_conn_upgrade(struct conn *c, const struct http_request *req)
{
	struct worker *w = c->w;
	struct query_options options;
	enum origin_verdict verdict;
	const struct protocol *protocol;
	char head[512];
	const char *why;
	int status = handshake_check(req, &why);

	if (status != 101) {
		ws_conn_refuse(c, req, status, why);
		return;
	}
	verdict = origin_check(w->config, req);
	if (verdict != ORIGIN_OK) {
		stats_add(&w->stats, STATS_REFUSED_ORIGIN, 1);
		http_conn_refuse(c, req, 403, origin_reason(verdict), NULL);
		return;
	}
	if (query_parse(w->config, req->query, &options) != QUERY_OK) {
		ws_conn_refuse(c, req, 400, options.why);
		return;
	}
	if (drain_begun(&w->drain)) {
		ws_conn_refuse(c, req, 503, "the server is going away");
		return;
	}
	c->protocol = ws_conn_choose(w->service, req);
	protocol = conn_protocol(c);
	conn_answer(c, head,
	    handshake_response(req, protocol->name, head, sizeof(head)));
	ws_conn_begin(c, &options);
	if (protocol->begin != NULL)
		protocol->begin(c, req);
	c->opening = c->requests_pending > 0;
}

static void
ws_conn_ping(struct conn *c)
{
	uint8_t frame[WS_HEADER_MAX];

	conn_answer(c, frame, ws_frame_header(frame, WS_PING, 0));
	c->pinged = true;
}

void
ws_conn_due(struct conn *c)
{
	struct worker *w = c->w;
	uint32_t interval = w->config->ping_interval_ms;
	uint64_t silent;

	if (rate_due(c, WHEEL_TICK_MS))
		return;
	/* Who is not read is not silent, unless it is for not reading. */
	if (c->paused & ~PAUSE_ANSWERS)
		c->last_heard_tick = w->wheel.now;
	silent = (uint64_t)(w->wheel.now - c->last_heard_tick) * WHEEL_TICK_MS;
	if (interval == 0) {
		conn_deadline(c, WS_CONN_LOOK_MS);
	} else if (silent < interval) {
		conn_deadline(c, interval - silent);
	} else if (!c->pinged) {
		ws_conn_ping(c);
		conn_deadline(c, interval / WS_CONN_PONG_PART);
	} else {
		stats_add(&w->stats, STATS_TIMEOUTS, 1);
		conn_abort(c);
	}
}
