/* SPDX-License-Identifier: MIT */
/* http_conn.c - see http_conn.h. */

#include "worker/http/http_conn.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/http.h"
#include "worker/access/refused.h"
#include "worker/http/client_address.h"
#include "worker/http/refusal.h"
#include "worker/http/reply.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/io.h"
#include "worker/net/peer.h"
#include "worker/net/progress.h"
#include "worker/net/rate.h"
#include "worker/net/service.h"

void
http_conn_refuse(struct conn *c, const struct http_request *req, int status,
    const char *reason, const char *extra)
{
	http_reply_error(c, req, status, reason, extra, false);
	conn_close_when_written(c);
}

void
http_conn_refuse_origin(
    struct conn *c, const struct http_request *req, enum origin_verdict verdict)
{
	char reason[REFUSED_REASON_SIZE], address[IP_TEXT_MAX];

	refused_report(
	    &c->net->stats, verdict, req, peer_format(c, address), reason);
	http_conn_refuse(c, req, 403, reason, NULL);
}

void
http_conn_error(struct conn *c, const struct http_request *req, int status,
    const char *reason)
{
	bool keep_alive = http_reply_keeps_alive(c, req);

	http_reply_error(c, req, status, reason, NULL, keep_alive);
	if (!keep_alive)
		conn_close_when_written(c);
}

void
http_conn_idle(struct conn *c)
{
	c->served = true;
	conn_deadline(c, c->net->config->idle_ms);
}

void
http_conn_next(struct conn *c, bool keep_alive)
{
	if (!keep_alive) {
		conn_close_when_written(c);
		return;
	}
	conn_speak(c, &http_conn_handler, NULL);
	c->scanned = 0;
}

/* It is no longer idle: a head has begun. */
static void
http_conn_head_begun(struct conn *c)
{
	if (!c->served)
		return;
	c->served = false;
	conn_deadline(c, c->net->config->request_ms);
}

/* Answer one request, or have it begun. */
static void
http_conn_serve(struct conn *c, const struct http_request *req)
{
	struct net *net = c->net;

	stats_add(
	    &net->stats, c->admin ? STATS_ADMIN_REQUESTS : STATS_REQUESTS, 1);
	c->scanned = 0;
	http_conn_idle(c);
	net->service->serve(c, req);
	if (!c->admin && !c->upgraded)
		rate_count_request(c);
}

/* Serve the request at the start of data.  Returns how many bytes its head has;
 * 0: the head is not complete, was refused, or has to wait. */
static size_t
http_conn_feed_head(struct conn *c, const char *data, size_t len)
{
	struct http_request req;
	size_t scanned = c->scanned;

	switch (http_parse_request(
	    data, len, c->net->config->max_head, &scanned, &req)) {
	case HTTP_PARTIAL:
		c->scanned = (uint32_t)scanned;
		http_conn_head_begun(c);
		return 0;
	case HTTP_REFUSED:
		stats_add(&c->net->stats, STATS_REFUSED_REQUEST, 1);
		http_conn_refuse(c, NULL, req.status, req.why, NULL);
		return 0;
	case HTTP_OK:
		if (!client_address_admits(c, &req))
			return 0;
		http_conn_serve(c, &req);
		return req.head_len;
	}
	BUG("no result of a parser");
}

static bool
http_conn_is_next(const struct conn *c)
{
	return c->state == CONN_OPEN && c->handler == &http_conn_handler &&
	       c->paused == 0;
}

/* Whether the next pipelined request has to wait: for the connection's rate, or
 * until the answers to those before it are written. */
static bool
http_conn_must_wait(struct conn *c)
{
	if (rate_hold(c))
		return true;
	if (c->pending == 0)
		c->served_in_turn = 0; /* nothing was answered in this one */
	if (c->served_in_turn < c->net->config->max_pipelined) {
		c->served_in_turn++;
		return false;
	}
	stats_add(&c->net->stats, STATS_PIPELINE_WAITS, 1);
	conn_pause(c, PAUSE_WRITTEN);
	return true;
}

/* Serve the requests that data holds. */
static size_t
http_conn_feed(struct conn *c, char *data, size_t len)
{
	size_t at = 0, used;

	while (at < len && http_conn_is_next(c) && !http_conn_must_wait(c)) {
		used = http_conn_feed_head(c, data + at, len - at);
		if (used == 0)
			break;
		at += used;
		if (c->out != NULL && c->out->answer_bytes > CONN_ANSWERS_MAX)
			conn_pause(c, PAUSE_ANSWERS);
	}
	return at;
}

/* The time between two requests begins when the answer is out, however long the
 * client took for that. */
static void
http_conn_written(struct conn *c)
{
	if (c->served && !(c->paused & PAUSE_RATE))
		conn_deadline(c, c->net->config->idle_ms);
	conn_resume(c, PAUSE_WRITTEN);
}

void
http_conn_due(struct conn *c)
{
	const struct config *config = c->net->config;

	if (rate_due(c, c->served ? config->idle_ms : config->request_ms))
		return;
	/* If no output waits for the client, this server is the slow side. */
	if (c->paused != 0 && c->out == NULL)
		conn_deadline(c, config->idle_ms);
	else if (c->paused != 0 || (c->input == NULL && c->out != NULL))
		progress_due(c);
	else if (c->input != NULL) {
		stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
		http_refusal_now(c, CONN_TOO_LATE);
	} else {
		stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
		conn_close_when_written(c); /* idle: nothing was asked */
	}
}

static bool
http_conn_is_quiet(const struct conn *c)
{
	return http_conn_is_next(c) && c->out == NULL;
}

/* No answer is on its way to a quiet client that closing could destroy, unless
 * it has just sent a request; and the client may never close by itself. */
static void
http_conn_go_away(struct conn *c, bool restart)
{
	(void)restart;
	if (!http_conn_is_quiet(c)) {
		conn_close_when_written(c);
		return;
	}
	io_read(c);
	if (!http_conn_is_quiet(c))
		return; /* it is answered, or gone */
	c->peer_closed_cleanly = true;
	conn_abort(c);
}

/* Half a head is kept input, which is looked at from its start again. */
static bool
http_conn_at_rest(const struct conn *c)
{
	return c->data == NULL;
}

static void
http_conn_go_on(struct conn *c)
{
	c->scanned = 0;
}

const struct conn_handler http_conn_handler = {
	.feed = http_conn_feed,
	.written = http_conn_written,
	.due = http_conn_due,
	.refuse = http_refusal_begin,
	.go_away = http_conn_go_away,
	.at_rest = http_conn_at_rest,
	.go_on = http_conn_go_on,
};
