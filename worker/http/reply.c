/* SPDX-License-Identifier: MIT */
/* reply.c - see reply.h. */

#include "worker/http/reply.h"

#include "common/buf.h"
#include "common/bug.h"
#include "common/http.h"
#include "common/http_response.h"
#include "worker/access/cors.h"
#include "worker/net/conn.h"
#include "worker/http/static_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define REPLY_HEAD_SIZE 10240 /* room for any head */

#define REPLY_LINES_SIZE 2048 /* room for the lines that are added to it */

#define REPLY_RETRY       "Retry-After: 2\r\n" /* with 429, 503 */
#define REPLY_VARIES      "Vary: Accept-Encoding\r\n"
#define REPLY_NO_GUESSING "X-Content-Type-Options: nosniff\r\n"
#define REPLY_NO_STORE    "Cache-Control: no-store\r\n"
#define REPLY_UNBUFFERED  "X-Accel-Buffering: no\r\n" /* nginx reads this */
/* Each page says in a meta element what it may load. */
#define REPLY_PAGE_POLICY                                     \
	"Content-Security-Policy: frame-ancestors 'self'\r\n" \
	"Referrer-Policy: same-origin\r\n"

bool
http_reply_keeps_alive(const struct conn *c, const struct http_request *req)
{
	return http_keep_alive(req) && (c->admin || !c->net->draining);
}

static const char *
reply_error_code(int status)
{
	switch (status) {
	case 400:
		return "bad_request";
	case 403:
		return "forbidden";
	case 404:
		return "not_found";
	case 405:
		return "method_not_allowed";
	case 408:
		return "timeout";
	case 412:
		return "precondition_failed";
	case 413:
		return "too_large";
	case 414:
		return "uri_too_long";
	case 426:
		return "upgrade_required";
	case 431:
		return "head_too_large";
	case 501:
		return "not_implemented";
	case 503:
		return "unavailable";
	case 505:
		return "version_not_supported";
	default:
		return "error";
	}
}

/* Whether the reason for a status will pass. */
static bool
reply_is_for_now(int status)
{
	return status == 429 || status == 503;
}

static bool
reply_head_only(const struct http_request *req)
{
	return req != NULL && http_text_equal(&req->method, "HEAD");
}

/* Write these texts one behind the other.  A head has several for each request, and
 * snprintf(3) would take longer than all else that is done for a small file. */
static void
reply_join(
    char lines[REPLY_LINES_SIZE], const char *const texts[], size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		size_t more = strlen(texts[i]);

		CHECK(more < REPLY_LINES_SIZE - len);
		memcpy(lines + len, texts[i], more);
		len += more;
	}
	lines[len] = '\0';
}

/* Queue a head and, unless head_only, a body. */
static void
reply_send(struct conn *c, const struct http_response *head, const char *body,
    bool head_only)
{
	char buf[REPLY_HEAD_SIZE];
	size_t len = http_response_head(buf, sizeof(buf), head);
	size_t body_len = head_only ? 0 : strlen(body);

	CHECK(len > 0 && len + body_len <= sizeof(buf));
	memcpy(buf + len, body, body_len);
	conn_answer(c, buf, len + body_len);
}

void
http_reply_error(struct conn *c, const struct http_request *req, int status,
    const char *reason, const char *extra, bool keep_alive)
{
	char body[768], lines[512];
	struct http_response head = { .status = status,
		.date = time(NULL),
		.content_type = "application/json",
		.upgrade = status == 426 ? "websocket" : NULL,
		.keep_alive = keep_alive,
		.extra = lines };

	if (extra == NULL && reply_is_for_now(status))
		extra = REPLY_RETRY;
	snprintf(lines, sizeof(lines), "%s%s", REPLY_NO_GUESSING,
	    extra != NULL ? extra : "");
	snprintf(body, sizeof(body),
	    "{\"error\":{\"code\":\"%s\",\"reason\":\"%s\"}}\n",
	    reply_error_code(status), reason);
	head.content_length = strlen(body);
	reply_send(c, &head, body, reply_head_only(req));
}

void
http_reply_text(struct conn *c, const struct http_request *req, int status,
    const char *text, bool keep_alive)
{
	struct http_response head = { .status = status,
		.date = time(NULL),
		.content_type = "text/plain; charset=utf-8",
		.content_length = strlen(text),
		.keep_alive = keep_alive,
		.extra = REPLY_NO_STORE REPLY_NO_GUESSING };

	reply_send(c, &head, text, reply_head_only(req));
}

void
http_reply_json(
    struct conn *c, const struct http_reply *reply, const struct buf *body)
{
	char lines[REPLY_LINES_SIZE];
	struct http_response head = { .status = reply->status,
		.date = time(NULL),
		.content_type = "application/json",
		.content_length = body->len,
		.keep_alive = reply->keep_alive,
		.extra = lines };

	snprintf(lines, sizeof(lines), "%s%s%s",
	    REPLY_NO_STORE REPLY_NO_GUESSING,
	    reply_is_for_now(reply->status) ? REPLY_RETRY : "", reply->lines);
	reply_send(c, &head, "", true);
	if (!reply->head_only)
		conn_answer(c, body->at, body->len);
}

void
http_reply_no_content(struct conn *c, const char *lines, bool keep_alive)
{
	struct http_response head = { .status = 204,
		.date = time(NULL),
		.keep_alive = keep_alive,
		.extra = lines };

	reply_send(c, &head, "", true);
}

void
http_reply_events(struct conn *c, const char *lines, bool in_chunks)
{
	char all[REPLY_LINES_SIZE];
	struct http_response head = { .status = 200,
		.date = time(NULL),
		.content_type = "text/event-stream",
		.content_length = HTTP_LENGTH_UNKNOWN,
		.keep_alive = false,
		.extra = all };

	snprintf(all, sizeof(all), "%s%s%s",
	    in_chunks ? "Transfer-Encoding: chunked\r\n" : "",
	    REPLY_NO_STORE REPLY_UNBUFFERED REPLY_NO_GUESSING, lines);
	reply_send(c, &head, "", true);
}

void
http_reply_file(struct conn *c, const struct http_request *req, int status,
    const struct static_file *file)
{
	char lines[REPLY_LINES_SIZE], cors[CORS_LINES_SIZE];
	char date[HTTP_DATE_SIZE] = "";
	bool page = strncmp(file->type, "text/html", 9) == 0;
	time_t now = time(NULL);
	bool settled = static_has_settled(file, now);
	struct http_response head = { .status = status,
		.date = now,
		.content_type = file->type,
		.content_length = file->size,
		.keep_alive = http_reply_keeps_alive(c, req),
		.extra = lines };
	const char *const texts[] = { "ETag: ", file->etag,
		settled ? "\r\nLast-Modified: " : "", date, "\r\n",
		"Cache-Control: no-cache\r\n",
		file->compresses ? REPLY_VARIES : "",
		file->is_gzip ? "Content-Encoding: gzip\r\n" : "",
		REPLY_NO_GUESSING, page ? REPLY_PAGE_POLICY : "", cors };

	if (settled)
		http_date(file->mtime, date);
	cors_lines(c->net->config, req, cors);
	reply_join(lines, texts, sizeof(texts) / sizeof(texts[0]));
	reply_send(c, &head, "", true);
}

/* Relative to the path that was asked for (RFC 9110, 10.2.2), because a proxy
 * may have taken a prefix off it; "./", because a name may look like a scheme. */
void
http_reply_redirect(struct conn *c, const struct http_request *req)
{
	const char *slash = memrchr(req->path.at, '/', req->path.len);
	const char *name = slash + 1;
	size_t name_len = (size_t)(req->path.at + req->path.len - name);
	char lines[REPLY_HEAD_SIZE - 512];
	bool keep_alive = http_reply_keeps_alive(c, req);
	struct http_response head = { .status = 301,
		.date = time(NULL),
		.content_length = 0,
		.keep_alive = keep_alive,
		.extra = lines };

	snprintf(lines, sizeof(lines), "Location: ./%.*s/%s%.*s\r\n",
	    (int)name_len, name, req->query.len > 0 ? "?" : "",
	    (int)req->query.len, req->query.at);
	reply_send(c, &head, "", true);
	if (!keep_alive)
		conn_close_when_written(c);
}
