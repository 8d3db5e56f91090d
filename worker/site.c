/* SPDX-License-Identifier: MIT */
/* site.c - see site.h. */

#include "worker/site.h"

#include "common/http.h"
#include "common/percent.h"
#include "common/xmalloc.h"
#include "worker/access/cors.h"
#include "worker/access/origin.h"
#include "worker/admin.h"
#include "worker/drain.h"
#include "worker/http/file.h"
#include "worker/http/http_conn.h"
#include "worker/http/refusal.h"
#include "worker/http/reply.h"
#include "worker/state.h"
#include "worker/ws/upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SITE_REDIRECT_MAX 8192u /* bytes of a target that is sent back */

static void
site_serve_file(struct conn *c, const struct http_request *req)
{
	const struct static_files *files = &worker_of(c)->files;
	struct static_file file;

	switch (static_find(files, &req->path, &file)) {
	case STATIC_OK:
		if (http_header_accepts(req, "Accept-Encoding", "gzip"))
			static_prefer_gzip(files, &req->path, &file);
		file_send(c, req, &file);
		return;
	case STATIC_REDIRECT:
		if (req->path.len + req->query.len <= SITE_REDIRECT_MAX)
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
site_serve_health(struct conn *c, const struct http_request *req, bool well)
{
	if (!well) {
		http_conn_error(c, req, 503, "the server is going away");
		return;
	}
	http_reply_text(c, req, 200, "ok\n", http_reply_keeps_alive(c, req));
	if (!http_reply_keeps_alive(c, req))
		conn_close_when_written(c);
}

static bool
site_is_get(const struct http_request *req)
{
	return http_text_equal(&req->method, "GET") ||
	       http_text_equal(&req->method, "HEAD");
}

/* What a path of this server's own allows, by methods. */
static const char *
site_allow(const struct conn *c, const struct http_request *req)
{
	if (http_text_equal(&req->path, "*"))
		return "Allow: GET, HEAD, POST, OPTIONS\r\n";
	if (ws_is_at(c, &req->path))
		return "Allow: GET, OPTIONS\r\n";
	return "Allow: GET, HEAD, OPTIONS\r\n";
}

/* Whether it is the base path itself, without the slash that it needs for
 * relative links to lie below it. */
static bool
site_is_base(const struct conn *c, const struct http_request *req)
{
	const char *base = c->net->config->base_path;

	return base != NULL && http_text_equal(&req->path, base);
}

/* Serve all other requests: health, and files. */
static void
site_serve_rest(struct conn *c, const struct http_request *req)
{
	if (!site_is_get(req))
		http_conn_refuse(
		    c, req, 405, "only GET and HEAD here", site_allow(c, req));
	else if (req->is_chunked || req->content_length > 0)
		http_conn_refuse(c, req, 413, "no body is taken here", NULL);
	else if (site_is_base(c, req))
		http_reply_redirect(c, req);
	else if (http_text_equal(&req->path, "/healthz"))
		site_serve_health(c, req, true);
	else if (http_text_equal(&req->path, "/readyz"))
		site_serve_health(c, req, !drain_is_final(worker_of(c)));
	else
		site_serve_file(c, req);
}

/* Say what there is: to a browser that asks for a page, and to proxies, some of
 * which look in this way whether the server lives. */
static void
site_serve_options(struct conn *c, const struct http_request *req)
{
	const struct config *config = c->net->config;
	char cors[CORS_LINES_SIZE] = "", preflight[CORS_LINES_SIZE] = "";
	char lines[2 * CORS_LINES_SIZE + 64];
	bool keep_alive = http_reply_keeps_alive(c, req);

	if (req->is_chunked || req->content_length > 0) {
		http_conn_refuse(c, req, 413, "no body is taken here", NULL);
		return;
	}
	if (!c->admin) {
		cors_lines(config, req, cors);
		cors_preflight_lines(config, req, preflight);
	}
	snprintf(lines, sizeof(lines), "%s%s%s", site_allow(c, req), cors,
	    preflight);
	http_reply_no_content(c, lines, keep_alive);
	if (!keep_alive)
		conn_close_when_written(c);
}

/* Answer a request whose path is written in the normal way. */
static void
site_serve_path(struct conn *c, const struct http_request *req,
    bool (*route)(struct conn *c, const struct http_request *req))
{
	if (route != NULL && !c->admin && route(c, req))
		return;
	if (http_text_equal(&req->method, "OPTIONS"))
		site_serve_options(c, req);
	else if (c->admin)
		admin_serve(c, req);
	else if (ws_is_at(c, &req->path))
		ws_upgrade(c, req);
	else
		site_serve_rest(c, req);
}

/* A request whose path is written in the normal way, and without the base. */
struct site_request {
	const struct http_request *req; /* as it came, or `plain' */
	struct http_request plain;
	char *path; /* of plain; owned, or NULL */
};

static void
site_normalise(struct site_request *r)
{
	const struct http_text *path = &r->plain.path;

	if (memchr(path->at, '%', path->len) == NULL)
		return;
	r->path = xmalloc(path->len);
	r->plain.path.len = percent_normalise(path->at, path->len, r->path);
	r->plain.path.at = r->path;
}

/* Take the base path away, if something lies below it. */
static void
site_strip_base(const struct conn *c, struct http_text *path)
{
	const char *base = c->net->config->base_path;
	size_t len = base != NULL && !c->admin ? strlen(base) : 0;

	if (len == 0 || path->len <= len || path->at[len] != '/' ||
	    memcmp(path->at, base, len) != 0)
		return;
	path->at += len;
	path->len -= len;
}

static void
site_request_init(struct site_request *r, const struct conn *c,
    const struct http_request *req)
{
	r->req = req;
	r->path = NULL;
	if (memchr(req->path.at, '%', req->path.len) == NULL &&
	    c->net->config->base_path == NULL)
		return;
	r->plain = *req;
	r->req = &r->plain;
	site_normalise(r);
	site_strip_base(c, &r->plain.path);
}

void
site_serve(struct conn *c, const struct http_request *req,
    bool (*route)(struct conn *c, const struct http_request *req))
{
	enum origin_verdict verdict =
	    origin_check_host(c->net->config, req, c->loopback);
	struct site_request r;

	if (verdict != ORIGIN_OK) {
		http_conn_refuse_origin(c, req, verdict);
		return;
	}
	site_request_init(&r, c, req);
	site_serve_path(c, r.req, route);
	free(r.path);
}

void
site_refuse(struct conn *c, const struct http_request *req,
    enum conn_refusal why,
    bool (*put_off)(struct conn *c, const struct http_request *req))
{
	struct site_request r;

	site_request_init(&r, c, req);
	if (origin_check_host(c->net->config, req, c->loopback) != ORIGIN_OK ||
	    !put_off(c, r.req))
		http_refusal_tell(c, req, why);
	free(r.path);
}
