/* SPDX-License-Identifier: MIT */
/* body.c - see body.h. */

#include "worker/http/body.h"

#include "common/http.h"
#include "common/http_chunked.h"
#include "common/utf8.h"
#include "common/xmalloc.h"
#include "worker/api/api.h"
#include "worker/api/query.h"
#include "worker/http/http_conn.h"
#include "worker/net/budget.h"
#include "worker/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A body may take as long as a head, and a millisecond more for each so many
 * bytes. */
#define BODY_BYTES_PER_MS 8

#define BODY_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

struct api_body {
	struct api_name topic;
	struct buf bytes; /* what has come; owned */
	bool is_json;
	bool is_chunked;
	bool keep_alive;             /* when it has been read */
	struct http_chunked chunked; /* is_chunked */
	uint64_t left;               /* otherwise: bytes to come */
};

void
api_body_free(struct worker *w, struct api_body *body)
{
	if (body == NULL)
		return;
	w->conns.input -= body->bytes.len;
	buf_fini(&body->bytes);
	free(body);
}

size_t
api_body_bytes(const struct conn *c)
{
	return c->part.api->body->bytes.len;
}

/* The most that a body may have: a message, and white space around it. */
static uint64_t
body_max(const struct conn *c)
{
	return (uint64_t)c->w->config->max_message + CONFIG_ENVELOPE_SLACK;
}

static void
body_refuse_large(struct conn *c)
{
	char reason[64];

	snprintf(reason, sizeof(reason),
	    "a message has at most %u bytes of JSON",
	    c->w->config->max_message);
	api_refuse(c, 413, "too_large", reason);
}

/* Whether the type, parameters left aside, is JSON. */
static bool
body_is_json(const struct http_request *req)
{
	const struct http_text *header = http_header_find(req, "Content-Type");
	struct http_text type = { "", 0 };

	if (header == NULL)
		return false;
	type.at = header->at;
	while (type.len < header->len && header->at[type.len] != ';')
		type.len++;
	while (type.len > 0 &&
	       (type.at[type.len - 1] == ' ' || type.at[type.len - 1] == '\t'))
		type.len--;
	return http_text_equal_nocase(&type, "application/json");
}

/* A text: stored as a JSON string. */
static bool
body_publish_text(
    struct conn *c, const struct buf *bytes, struct intake_request *want)
{
	struct buf *text = &c->w->text;

	if (!utf8_valid(bytes->at, bytes->len)) {
		api_refuse(c, 400, "bad_request", "the text is not UTF-8");
		return false;
	}
	buf_reset(text);
	buf_json_string(text, bytes->at, bytes->len);
	if (text->len > c->w->config->max_message) {
		body_refuse_large(c);
		return false;
	}
	want->body = text->at;
	want->body_len = (uint32_t)text->len;
	intake_add(c->w, c, want);
	return true;
}

static bool
body_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The value without the white space around it. */
static struct http_text
body_value(const struct buf *bytes)
{
	struct http_text value = { bytes->at, bytes->len };

	while (value.len > 0 && body_is_space(value.at[value.len - 1]))
		value.len--;
	while (value.len > 0 && body_is_space(*value.at)) {
		value.at++;
		value.len--;
	}
	return value;
}

/* A JSON value: stored as it came. */
static bool
body_publish_json(
    struct conn *c, const struct buf *bytes, struct intake_request *want)
{
	struct http_text value = body_value(bytes);
	char reason[160];
	const char *why;
	size_t where;

	if (!utf8_valid(bytes->at, bytes->len)) {
		api_refuse(c, 400, "bad_json", "the JSON is not UTF-8");
		return false;
	}
	if (json_check(bytes->at, bytes->len, &where, &why) != JSON_OK) {
		snprintf(reason, sizeof(reason), "bad JSON at byte %zu: %s",
		    where, why);
		api_refuse(c, 400, "bad_json", reason);
		return false;
	}
	if (value.len > c->w->config->max_message) {
		body_refuse_large(c);
		return false;
	}
	want->body_len = (uint32_t)value.len;
	json_normalise(value.at, value.len, intake_add(c->w, c, want));
	return true;
}

/* The whole body is there: publish it. */
static void
body_done(struct conn *c)
{
	struct api_request *r = c->part.api;
	struct api_body *body = r->body;
	struct intake_request want = { .kind = INTAKE_PUBLISH,
		.topic = body->topic.at,
		.topic_len = body->topic.len };
	bool taken;

	c->state = CONN_HTTP;
	http_conn_idle(c);
	r->keep_alive = body->keep_alive;
	r->body = NULL;
	buf_room(&body->bytes, 1); /* also no bytes are somewhere */
	taken = body->is_json ? body_publish_json(c, &body->bytes, &want)
	                      : body_publish_text(c, &body->bytes, &want);
	api_body_free(c->w, body);
	if (!taken)
		return;
	conn_pause(c, PAUSE_INTAKE);
}

/* Take a piece of it.  Returns false if that is too much, and answered. */
static bool
body_take(struct conn *c, const char *data, size_t len)
{
	struct api_body *body = c->part.api->body;

	if (body->bytes.len + len > body_max(c)) {
		body_refuse_large(c);
		return false;
	}
	buf_add(&body->bytes, data, len);
	c->w->conns.input += len;
	budget_enforce_input(c);
	return c->state == CONN_BODY;
}

static size_t
body_feed_counted(struct conn *c, const char *data, size_t len)
{
	struct api_body *body = c->part.api->body;

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
	struct api_body *body = c->part.api->body;
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
			api_refuse(c, 400, "bad_request", body->chunked.why);
			return len;
		}
	}
	return len;
}

size_t
api_body_feed(struct conn *c, const char *data, size_t len)
{
	return c->part.api->body->is_chunked ? body_feed_chunked(c, data, len)
	                                     : body_feed_counted(c, data, len);
}

/* Read it from now on. */
static void
body_begin(struct conn *c, const struct http_request *req)
{
	uint64_t bytes = req->is_chunked ? body_max(c) : req->content_length;

	c->state = CONN_BODY;
	conn_deadline(c, c->w->config->request_ms + bytes / BODY_BYTES_PER_MS);
	if (req->minor_version > 0 &&
	    http_header_has_token(req, "Expect", "100-continue"))
		conn_answer(c, BODY_CONTINUE, strlen(BODY_CONTINUE));
}

void
api_body_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct api_body *body;

	if (!req->is_chunked && !req->has_content_length) {
		c->part.api->keep_alive = false;
		api_refuse(c, 411, "length_required",
		    "a message needs a Content-Length, or chunks");
		return;
	}
	if (req->content_length > body_max(c)) {
		body_refuse_large(c);
		return;
	}
	body = xcalloc(1, sizeof(*body));
	body->topic = *topic;
	body->is_json = body_is_json(req);
	body->is_chunked = req->is_chunked;
	body->keep_alive = http_keep_alive(req);
	body->left = req->content_length;
	c->part.api->body = body;
	if (body->is_chunked || body->left > 0)
		body_begin(c, req);
	else
		body_done(c);
}
