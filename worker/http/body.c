/* SPDX-License-Identifier: MIT */
/* body.c - see body.h. */

#include "worker/http/body.h"

#include "common/buf.h"
#include "common/config.h"
#include "common/http.h"
#include "common/http_chunked.h"
#include "common/xmalloc.h"
#include "worker/http/http_conn.h"
#include "worker/http/refusal.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"

#include <stdlib.h>
#include <string.h>

/* A body may take as long as a head, and a millisecond more for each so many
 * bytes. */
#define BODY_BYTES_PER_MS 8

#define BODY_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

struct http_body {
	const struct http_body_user *user;
	void *request;    /* the user's */
	struct buf bytes; /* what has come; owned */
	uint64_t max;
	bool is_chunked;
	struct http_chunked chunked; /* is_chunked */
	uint64_t left;               /* otherwise: bytes to come */
};

/* Give the connection back to the handler that asked for the body.  Owns: the
 * caller, the struct that is returned. */
static struct http_body *
body_leave(struct conn *c)
{
	struct http_body *body = c->data;

	budget_change(&c->net->budget, BUDGET_INPUT, body->bytes.len, 0);
	conn_speak(c, body->user->next, body->request);
	return body;
}

static void
body_free(struct http_body *body)
{
	buf_fini(&body->bytes);
	free(body);
}

static void
body_done(struct conn *c)
{
	struct http_body *body = body_leave(c);

	http_conn_idle(c);
	buf_room(&body->bytes, 1); /* also no bytes are somewhere */
	body->user->done(c, &body->bytes);
	free(body);
}

static void
body_too_large(struct conn *c)
{
	struct http_body *body = body_leave(c);

	body->user->too_large(c);
	body_free(body);
}

static void
body_refused(struct conn *c, int status, const char *code, const char *reason)
{
	struct http_body *body = body_leave(c);

	body->user->refused(c, status, code, reason);
	body_free(body);
}

/* Take a piece of the body.  Returns false if the body is too long, which is
 * answered then. */
static bool
body_take(struct conn *c, const char *data, size_t len)
{
	struct http_body *body = c->data;

	if (body->bytes.len + len > body->max) {
		body_too_large(c);
		return false;
	}
	buf_add(&body->bytes, data, len);
	budget_change(&c->net->budget, BUDGET_INPUT, body->bytes.len - len,
	    body->bytes.len);
	conn_enforce_input_budget(c);
	return c->state == CONN_OPEN;
}

static size_t
body_feed_counted(struct conn *c, const char *data, size_t len)
{
	struct http_body *body = c->data;

	if (len > body->left)
		len = (size_t)body->left;
	body->left -= len;
	if (body_take(c, data, len) && body->left == 0)
		body_done(c);
	return len;
}

static size_t
body_feed_chunked(struct conn *c, const char *data, size_t len)
{
	struct http_body *body = c->data;
	struct http_text piece;
	size_t at = 0, used;

	while (at < len) {
		enum http_chunked_status status = http_chunked_next(
		    &body->chunked, data + at, len - at, &used, &piece);

		at += used;
		switch (status) {
		case HTTP_CHUNKED_MORE:
			return len;
		case HTTP_CHUNKED_PIECE:
			if (!body_take(c, piece.at, piece.len))
				return len;
			break;
		case HTTP_CHUNKED_END:
			body_done(c);
			return at;
		case HTTP_CHUNKED_REFUSED:
			body_refused(c, 400, "bad_request", body->chunked.why);
			return len;
		}
	}
	return len;
}

static size_t
body_feed(struct conn *c, char *data, size_t len)
{
	const struct http_body *body = c->data;

	return body->is_chunked ? body_feed_chunked(c, data, len)
	                        : body_feed_counted(c, data, len);
}

static void
body_due(struct conn *c)
{
	if (c->paused != 0) {
		http_conn_due(c);
		return;
	}
	stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
	http_refusal_tell(c, NULL, CONN_TOO_LATE);
}

static void
body_end(struct conn *c)
{
	struct http_body *body = c->data;

	budget_change(&c->net->budget, BUDGET_INPUT, body->bytes.len, 0);
	c->data = body->request;
	body->user->end(c);
	body_free(body);
}

static size_t
body_held(const struct conn *c)
{
	const struct http_body *body = c->data;

	return body->bytes.len;
}

static void
body_refuse(struct conn *c, enum conn_refusal why)
{
	http_refusal_tell(c, NULL, why);
}

static void
body_go_away(struct conn *c, bool restart)
{
	struct http_body *body = body_leave(c);

	body->user->go_away(c, restart);
	body_free(body);
}

static const struct conn_handler body_handler = {
	.feed = body_feed,
	.due = body_due,
	.end = body_end,
	.held = body_held,
	.refuse = body_refuse,
	.go_away = body_go_away,
};

void
http_body_begin(struct conn *c, const struct http_request *req, uint64_t max,
    const struct http_body_user *user)
{
	struct http_body *body;
	uint64_t bytes = req->is_chunked ? max : req->content_length;

	if (bytes > max) {
		user->too_large(c);
		return;
	}
	body = xcalloc(1, sizeof(*body));
	body->user = user;
	body->request = c->data;
	body->max = max;
	body->is_chunked = req->is_chunked;
	body->left = req->content_length;
	conn_speak(c, &body_handler, body);
	if (bytes == 0) {
		body_done(c);
		return;
	}
	conn_deadline(
	    c, c->net->config->request_ms + bytes / BODY_BYTES_PER_MS);
	if (req->minor_version > 0 &&
	    http_header_has_token(req, "Expect", "100-continue"))
		conn_answer(c, BODY_CONTINUE, strlen(BODY_CONTINUE));
}
