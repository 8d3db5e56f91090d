/* SPDX-License-Identifier: MIT */
/* reply.c - see reply.h. */

#include "worker/api/reply.h"

#include "worker/access/refused.h"
#include "worker/net/peer.h"
#include "common/http.h"
#include "common/http_chunked.h"
#include "common/xmalloc.h"
#include "worker/http/http_conn.h"
#include "worker/http/refusal.h"
#include "worker/http/reply.h"
#include "worker/requests/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct api_request *
api_request_new(struct conn *c, const struct http_request *req)
{
	struct api_request *r = xcalloc(1, sizeof(*r));
	char lines[CORS_LINES_SIZE];

	r->head_only = http_text_equal(&req->method, "HEAD");
	/* No keep-alive while a body is unread. */
	r->keep_alive = http_reply_keeps_alive(c, req) && !req->is_chunked &&
	                req->content_length == 0;
	r->takes_chunks = req->minor_version > 0;
	cors_lines(c->net->config, req, lines);
	r->cors = xstrdup(lines);
	conn_speak(c, &api_handler, r);
	return r;
}

void
api_forget(struct conn *c)
{
	struct api_request *r = c->data;

	if (r == NULL)
		return;
	c->data = NULL;
	if (r->job != NULL)
		r->free_job(c, r->job);
	free(r->cors);
	free(r);
}

void
api_lines(const struct api_request *r, char lines[API_LINES_SIZE])
{
	snprintf(lines, API_LINES_SIZE, "%s%s%s%s%s",
	    r->allow != NULL ? "Allow: " : "", r->allow != NULL ? r->allow : "",
	    r->allow != NULL ? "\r\n" : "",
	    r->challenge != NULL ? r->challenge : "", r->cors);
}

struct buf *
api_text(struct conn *c)
{
	struct buf *text = &hub_of(c)->api->text;

	buf_reset(text);
	return text;
}

void
api_reply(struct conn *c, int status)
{
	const struct api_request *r = api_request_of(c);
	struct buf *text = &hub_of(c)->api->text;
	char lines[API_LINES_SIZE];
	const struct http_reply reply = { .status = status,
		.head_only = r->head_only,
		.keep_alive = r->keep_alive,
		.lines = lines };

	buf_puts(text, "\n");
	api_lines(r, lines);
	http_reply_json(c, &reply, text);
	api_forget(c);
	http_conn_next(c, reply.keep_alive);
}

void
api_fail(struct conn *c, int status, const char *code, const char *reason)
{
	struct buf *text = api_text(c);

	buf_printf(text, "{\"error\":{\"code\":\"%s\",\"reason\":", code);
	buf_json_string(text, reason, strlen(reason));
	buf_puts(text, "}}");
	api_reply(c, status);
}

void
api_refuse(struct conn *c, int status, const char *code, const char *reason)
{
	stats_add(&c->net->stats, STATS_REFUSED_REQUEST, 1);
	api_fail(c, status, code, reason);
}

void
api_forbid(struct conn *c)
{
	if (caller_is_known(c)) {
		api_fail(c, 403, "forbidden", "there is no grant for this");
		return;
	}
	api_request_of(c)->challenge = "WWW-Authenticate: Bearer\r\n";
	api_fail(c, 401, "unauthorized", "this needs a token that grants it");
}

void
api_refuse_token(struct conn *c, const char *why)
{
	char reason[128];

	api_request_of(c)->challenge =
	    "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
	snprintf(reason, sizeof(reason), "bad token: %s", why);
	api_fail(c, 401, "bad_token", reason);
}

uint32_t
api_retry_ms(const struct conn *c)
{
	return API_RETRY_MIN_MS +
	       conn_spread(c, API_RETRY_MAX_MS - API_RETRY_MIN_MS + 1);
}

/* The head of a stream, and unless nobody asked for it, nothing but `retry'.  It
 * ends without an empty line, so that no event is made of it. */
static void
api_put_off_stream(struct conn *c)
{
	const struct api_request *r = api_request_of(c);
	struct buf *text = api_text(c);
	char lines[API_LINES_SIZE];

	api_lines(r, lines);
	http_reply_events(c, lines, r->takes_chunks);
	buf_printf(text, "retry: %u\n", api_retry_ms(c));
	if (r->takes_chunks) {
		http_chunk_close(text, 0);
		buf_puts(text, HTTP_CHUNK_LAST);
	}
	if (!r->head_only)
		conn_answer(c, text->at, text->len);
	conn_close_when_written(c);
}

void
api_refuse_origin(
    struct conn *c, const struct http_request *req, enum origin_verdict verdict)
{
	struct stats *stats = &c->net->stats;
	char reason[REFUSED_REASON_SIZE] =
	    "a page of another site cannot have this";
	char address[IP_TEXT_MAX];

	if (verdict != ORIGIN_OK)
		refused_report(
		    stats, verdict, req, peer_format(c, address), reason);
	else
		stats_add(stats, STATS_REFUSED_ORIGIN, 1);
	api_fail(c, 403, "forbidden", reason);
}

void
api_put_off(struct conn *c, const char *code, const char *reason)
{
	if (api_request_of(c)->is_stream)
		api_put_off_stream(c);
	else
		api_fail(c, 503, code, reason);
}

void
api_go_away(struct conn *c, bool restart)
{
	(void)restart;
	api_request_of(c)->keep_alive = false;
	api_put_off(c, "draining", "the server is going away");
}

static size_t
api_feed(struct conn *c, char *data, size_t len)
{
	(void)c;
	(void)data;
	(void)len;
	return 0; /* the next request waits for the answer to this one */
}

static void
api_refuse_why(struct conn *c, enum conn_refusal why)
{
	if (api_request_of(c)->is_stream)
		api_put_off_stream(c);
	else
		http_refusal_tell(c, NULL, why);
}

/* A read ends by itself, soon. */
static void
api_leave(struct conn *c, bool restart)
{
	struct api_request *r = api_request_of(c);

	if (r->is_read)
		r->keep_alive = false;
	else
		api_go_away(c, restart);
}

const struct conn_handler api_handler = {
	.feed = api_feed,
	.due = http_conn_due,
	.end = api_forget,
	.refuse = api_refuse_why,
	.go_away = api_leave,
};
