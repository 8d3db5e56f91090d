/* SPDX-License-Identifier: MIT */
/* http_conn.c - requests in, responses out; see http_conn.h. */

#include "worker/http/http_conn.h"

#include "common/bug.h"
#include "common/http.h"
#include "common/http_response.h"
#include "common/xmalloc.h"
#include "worker/admin.h"
#include "worker/api/api.h"
#include "worker/http/body.h"
#include "worker/api/events.h"
#include "worker/http/reply.h"
#include "worker/net/budget.h"
#include "worker/access/origin.h"
#include "worker/net/rate.h"
#include "worker/state.h"
#include "worker/ws/ws_conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HTTP_REDIRECT_MAX 8192u /* bytes of a target that is sent back */

/* How long the peer may take for the next piece of a file, milliseconds. */
#define HTTP_FILE_MS 60000

void
http_conn_refuse(struct conn *c, const struct http_request *req, int status,
    const char *reason, const char *extra)
{
	http_reply_error(c, req, status, reason, extra, false);
	conn_close_when_written(c);
}

void
http_conn_idle(struct conn *c)
{
	c->served = true;
	conn_deadline(c, c->w->config->idle_ms);
}

static bool
http_conn_is_quiet(const struct conn *c)
{
	return c->state == CONN_HTTP && c->part.api == NULL && c->out == NULL &&
	       c->paused == 0;
}

/* Who is owed an answer (its body, its place in the intake, or its stream of
 * events is held by the API) is told; the others just end.  To one that is
 * quiet nothing is on its way that closing could destroy, unless it has just
 * asked; and it may never close itself. */
void
http_conn_go_away(struct conn *c)
{
	if (c->part.api != NULL) {
		api_go_away(c); /* which ends it */
	} else if (!http_conn_is_quiet(c)) {
		conn_close_when_written(c);
	} else {
		http_conn_read(c);
		if (!http_conn_is_quiet(c))
			return; /* it is answered, or gone */
		c->peer_closed_cleanly = true;
		conn_abort(c);
	}
}

/* Send one piece of the file; the next when that is out. */
void
http_conn_more_file(struct conn *c)
{
	struct conn_file *f = c->part.file;
	size_t want = f->left < WORKER_READ_MAX ? f->left : WORKER_READ_MAX;
	bool keep_alive = f->keep_alive;
	ssize_t n = 0;

	if (want > 0) {
		do
			n = pread(f->fd, c->w->file_buf, want, (off_t)f->at);
		while (n == -1 && errno == EINTR);
		if (n <= 0) {
			/* It was cut short, and the length has been said. */
			conn_abort(c);
			return;
		}
		conn_answer(c, c->w->file_buf, (size_t)n);
		f->at += (uint64_t)n;
		f->left -= (uint64_t)n;
	}
	if (f->left > 0) {
		conn_deadline(c, HTTP_FILE_MS);
		return;
	}
	close(f->fd);
	free(f);
	c->part.file = NULL;
	c->state = CONN_HTTP;
	conn_deadline(c, c->w->config->idle_ms);
	if (!keep_alive)
		conn_close_when_written(c);
	else
		conn_resume(c, PAUSE_FILE);
}

static void
http_conn_send_file(struct conn *c, const struct http_request *req,
    const struct static_file *file)
{
	bool keep_alive = http_keep_alive(req);

	if (static_not_modified(req, file)) {
		http_reply_file(c, 304, file, keep_alive);
		close(file->fd);
	} else if (http_text_equal(&req->method, "HEAD")) {
		http_reply_file(c, 200, file, keep_alive);
		close(file->fd);
	} else {
		http_reply_file(c, 200, file, keep_alive);
		c->part.file = xcalloc(1, sizeof(*c->part.file));
		c->part.file->fd = file->fd;
		c->part.file->left = file->size;
		c->part.file->keep_alive = keep_alive;
		c->state = CONN_FILE;
		conn_pause(c, PAUSE_FILE);
		http_conn_more_file(c);
		return;
	}
	if (!keep_alive)
		conn_close_when_written(c);
}

/* Answer with an error; the connection goes on if the request allows it. */
static void
http_conn_error(struct conn *c, const struct http_request *req, int status,
    const char *reason)
{
	bool keep_alive = http_keep_alive(req);

	http_reply_error(c, req, status, reason, NULL, keep_alive);
	if (!keep_alive)
		conn_close_when_written(c);
}

static void
http_conn_serve_file(struct conn *c, const struct http_request *req)
{
	struct static_file file;

	switch (static_find(&c->w->files, &req->path, &file)) {
	case STATIC_OK:
		http_conn_send_file(c, req, &file);
		return;
	case STATIC_REDIRECT:
		if (req->path.len + req->query.len <= HTTP_REDIRECT_MAX)
			http_reply_redirect(c, req);
		else
			http_conn_error(c, req, 414, "too long to redirect");
		return;
	case STATIC_BAD_PATH:
		http_conn_error(c, req, 400, "the path is not well-formed");
		return;
	case STATIC_FORBIDDEN:
		http_conn_error(c, req, 403, "not readable");
		return;
	case STATIC_NOT_FOUND:
		http_conn_error(c, req, 404, "there is nothing here");
		return;
	case STATIC_UNAVAILABLE:
		http_conn_error(c, req, 503, "cannot be read just now");
		return;
	}
}

/* /healthz and /readyz. */
static void
http_conn_serve_health(
    struct conn *c, const struct http_request *req, bool well)
{
	if (!well) {
		http_conn_error(c, req, 503, "the server is draining");
		return;
	}
	http_reply_text(c, req, 200, "ok\n", http_keep_alive(req));
	if (!http_keep_alive(req))
		conn_close_when_written(c);
}

static bool
http_conn_is_get(const struct http_request *req)
{
	return http_text_equal(&req->method, "GET") ||
	       http_text_equal(&req->method, "HEAD");
}

/* Answer one request.  Whatever it leads to comes last: req may lie in memory
 * that ending the connection frees. */
static void
http_conn_serve(struct conn *c, const struct http_request *req)
{
	struct worker *w = c->w;
	enum origin_verdict verdict;

	stats_add(
	    &w->stats, c->admin ? STATS_ADMIN_REQUESTS : STATS_REQUESTS, 1);
	http_conn_idle(c);
	verdict = origin_check_host(w->config, req, c->loopback);
	if (verdict != ORIGIN_OK) {
		stats_add(&w->stats, STATS_REFUSED_ORIGIN, 1);
		http_conn_refuse(c, req, 403, origin_reason(verdict), NULL);
	} else if (c->admin) {
		admin_serve(c, req);
	} else if (http_text_equal(&req->path, "/ws")) {
		ws_conn_upgrade(c, req);
	} else if (w->service->serve != NULL && w->service->serve(c, req)) {
		return;
	} else if (!http_conn_is_get(req)) {
		http_conn_refuse(c, req, 405, "only GET and HEAD here",
		    "Allow: GET, HEAD\r\n");
	} else if (req->is_chunked || req->content_length > 0) {
		http_conn_refuse(c, req, 413, "no body is taken here", NULL);
	} else if (http_text_equal(&req->path, "/healthz")) {
		http_conn_serve_health(c, req, true);
	} else if (http_text_equal(&req->path, "/readyz")) {
		http_conn_serve_health(c, req, !drain_begun(&w->drain));
	} else if (drain_begun(&w->drain)) {
		http_conn_refuse(c, req, 503, "the server is going away", NULL);
	} else {
		http_conn_serve_file(c, req);
	}
}

/* It is no longer idle: a head has begun. */
static void
http_conn_head_begun(struct conn *c)
{
	if (!c->served)
		return;
	c->served = false;
	conn_deadline(c, c->w->config->request_ms);
}

/* Serve the request that data begins with.  Returns how many bytes its head
 * has; 0: it is not all there, and was kept, or it was refused. */
static size_t
http_conn_feed_head(struct conn *c, const char *data, size_t len)
{
	struct http_request req;
	size_t scanned = 0;

	switch (http_parse_request(
	    data, len, c->w->config->max_head, &scanned, &req)) {
	case HTTP_PARTIAL:
		conn_keep_input(c, data, len);
		c->input->scanned = scanned;
		http_conn_head_begun(c);
		budget_enforce_input(c);
		return 0;
	case HTTP_REFUSED:
		stats_add(&c->w->stats, STATS_REFUSED_REQUEST, 1);
		http_conn_refuse(c, NULL, req.status, req.why, NULL);
		return 0;
	case HTTP_OK:
		http_conn_serve(c, &req);
		if (!c->admin && c->state != CONN_WS)
			rate_count_request(c);
		return req.head_len;
	}
	BUG("no result of a parser");
}

/* What is left of the input, after requests that it cannot go on behind yet or
 * never. */
static void
http_conn_keep_rest(struct conn *c, const char *data, size_t len)
{
	if (c->state == CONN_WS && c->paused == 0)
		ws_conn_feed(c, data, len);
	else if (c->state < CONN_CLOSING && c->state != CONN_EVENTS) {
		conn_keep_input(c, data, len);
		budget_enforce_input(c);
	}
}

/* Whether the next pipelined request has to wait: for the connection's rate, or
 * until the answers to those before it are written. */
static bool
http_conn_must_wait(struct conn *c, uint32_t served)
{
	if (c->state != CONN_HTTP)
		return false;
	if (rate_hold(c))
		return true;
	if (served < c->w->config->max_pipelined)
		return false;
	stats_add(&c->w->stats, STATS_PIPELINE_WAITS, 1);
	conn_pause(c, PAUSE_WRITTEN);
	return true;
}

/* Serve the requests that data holds, and keep what is left. */
static void
http_conn_feed(struct conn *c, const char *data, size_t len)
{
	uint32_t served = 0;
	size_t used;

	while (len > 0 && c->paused == 0 &&
	       (c->state == CONN_HTTP || c->state == CONN_BODY) &&
	       !http_conn_must_wait(c, served)) {
		served += c->state == CONN_HTTP;
		used = c->state == CONN_BODY
		           ? api_body_feed(c, data, len)
		           : http_conn_feed_head(c, data, len);
		if (used == 0)
			return;
		data += used;
		len -= used;
		if (c->out != NULL && c->out->answer_bytes > CONN_ANSWERS_MAX)
			conn_pause(c, PAUSE_ANSWERS);
	}
	http_conn_keep_rest(c, data, len);
}

void
http_conn_feed_kept(struct conn *c)
{
	struct conn_input *input = c->input;
	struct http_request req;

	if (c->state == CONN_HTTP &&
	    http_parse_request(input->data, input->len, c->w->config->max_head,
		&input->scanned, &req) == HTTP_PARTIAL) {
		http_conn_head_begun(c);
		budget_enforce_input(c);
		return;
	}
	conn_take_input(c);
	http_conn_feed(c, input->data, input->len);
	free(input);
}

void
http_conn_read(struct conn *c)
{
	size_t n;

	/* Who has a stream of events has nothing more to ask. */
	if (c->state != CONN_EVENTS && intake_full(&c->w->intake)) {
		intake_pause_until_done(c->w, c);
		return;
	}
	n = conn_read(c);
	if (n == 0 || c->state == CONN_EVENTS)
		return;
	if (c->input == NULL) {
		http_conn_feed(c, (const char *)c->w->read_buf, n);
		return;
	}
	conn_keep_input(c, c->w->read_buf, n);
	http_conn_feed_kept(c);
}

void
http_conn_due(struct conn *c)
{
	const struct config *config = c->w->config;

	if (c->state == CONN_EVENTS) {
		events_due(c);
		return;
	}
	if (rate_due(c, c->served ? config->idle_ms : config->request_ms))
		return;
	if (c->paused != 0) {
		/* It is we who are slow, or it does not read its answers. */
		if (c->out == NULL) {
			conn_deadline(c, config->idle_ms);
			return;
		}
		stats_add(&c->w->stats, STATS_TIMEOUTS, 1);
		conn_abort(c);
		return;
	}
	stats_add(&c->w->stats, STATS_TIMEOUTS, 1);
	if (c->input != NULL || c->state == CONN_BODY)
		http_conn_refuse(
		    c, NULL, 408, "the request took too long", NULL);
	else if (c->out != NULL)
		conn_abort(c);
	else
		conn_close_when_written(c); /* idle: nothing was asked */
}
