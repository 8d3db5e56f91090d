/* SPDX-License-Identifier: MIT */
/* admin.c - see admin.h. */

#include "worker/admin.h"

#include "broker/status/busiest_json.h"
#include "broker/status/metrics.h"
#include "broker/status/overview.h"
#include "common/bug.h"
#include "common/config.h"
#include "common/http.h"
#include "common/http_response.h"
#include "worker/admin_files.h"
#include "worker/drain.h"
#include "worker/http/http_conn.h"
#include "worker/http/reply.h"
#include "worker/access/credential.h"
#include "worker/access/origin.h"
#include "worker/operator_ask.h"
#include "worker/state.h"

#include <time.h>

#define ADMIN_HEAD_SIZE 1024 /* room for any head of these pages */

/* Only what is here; a browser executes and shows nothing else. */
#define ADMIN_POLICY                                                \
	"Content-Security-Policy: default-src 'none'; "             \
	"script-src 'self'; style-src 'self'; connect-src 'self'; " \
	"img-src data:; base-uri 'none'; form-action 'none'; "      \
	"frame-ancestors 'none'\r\n"

static void
admin_put_html(struct buf *buf, struct worker *w)
{
	(void)w;
	buf_puts(buf, admin_html);
}

static void
admin_put_js(struct buf *buf, struct worker *w)
{
	(void)w;
	buf_puts(buf, admin_js);
}

static void
admin_put_css(struct buf *buf, struct worker *w)
{
	(void)w;
	buf_puts(buf, admin_css);
}

static void
admin_put_metrics(struct buf *buf, struct worker *w)
{
	metrics_put(buf, w->hub.seg, w->net.config->name);
}

static void
admin_put_stats(struct buf *buf, struct worker *w)
{
	overview_json(buf, w->hub.seg, w->net.config->name);
}

static void
admin_put_busiest(struct buf *buf, struct worker *w)
{
	if (w->busiest == NULL)
		w->busiest = busiest_new();
	busiest_json(buf, w->busiest, w->hub.seg);
}

static void
admin_put_ok(struct buf *buf, struct worker *w)
{
	(void)w;
	buf_puts(buf, "ok\n");
}

struct admin_page {
	const char *path;
	const char *type;
	void (*put)(struct buf *buf, struct worker *w);
	bool is_open;    /* says nothing of the server: needs no key */
	bool until_stop; /* 503 from then on */
};

static const struct admin_page admin_pages[] = {
	{ "/", "text/html; charset=utf-8", admin_put_html, true, false },
	{ "/operator.js", "text/javascript; charset=utf-8", admin_put_js, true,
	    false },
	{ "/operator.css", "text/css; charset=utf-8", admin_put_css, true,
	    false },
	{ "/metrics", METRICS_TYPE, admin_put_metrics, false, false },
	{ "/stats", "application/json", admin_put_stats, false, false },
	{ "/busiest", "application/json", admin_put_busiest, false, false },
	{ "/healthz", "text/plain; charset=utf-8", admin_put_ok, true, false },
	{ "/readyz", "text/plain; charset=utf-8", admin_put_ok, true, true },
};

static const struct admin_page *
admin_find(const struct http_request *req)
{
	for (size_t i = 0; i < sizeof(admin_pages) / sizeof(admin_pages[0]);
	     i++)
		if (http_text_equal(&req->path, admin_pages[i].path))
			return &admin_pages[i];
	return NULL;
}

static void
admin_send(struct conn *c, const struct http_request *req,
    const struct admin_page *page)
{
	struct http_response response = { .status = 200,
		.date = time(NULL),
		.content_type = page->type,
		.keep_alive = http_keep_alive(req),
		.extra = "Cache-Control: no-store\r\n" ADMIN_POLICY
			 "X-Content-Type-Options: nosniff\r\n" };
	char head[ADMIN_HEAD_SIZE];
	struct buf body;
	size_t len;

	buf_init(&body);
	page->put(&body, worker_of(c));
	response.content_length = body.len;
	len = http_response_head(head, sizeof(head), &response);
	CHECK(len > 0);
	conn_answer(c, head, len);
	if (!http_text_equal(&req->method, "HEAD"))
		conn_answer(c, body.at, body.len);
	buf_fini(&body);
	if (!response.keep_alive)
		conn_close_when_written(c);
}

/* Whether a page of another site makes the request by itself, and not its
 * reader by a link. */
static bool
admin_is_foreign(const struct conn *c, const struct http_request *req)
{
	const struct http_text *mode = http_header_find(req, "Sec-Fetch-Mode");

	if (origin_check(c->net->config, req) != ORIGIN_OK)
		return true;
	return origin_is_blind(req) &&
	       (mode == NULL || !http_text_equal(mode, "navigate"));
}

/* Whether a request shows the key of --admin-key, where one is needed. */
static bool
admin_is_allowed(struct conn *c, const struct http_request *req)
{
	const struct access_rules *rules = worker_of(c)->access.rules;
	const struct credential_places places = { .cookie = NULL };
	struct http_text key;
	uint8_t digest[SHA256_LEN];

	if (c->loopback || rules == NULL || !rules->has_admin_key)
		return true;
	if (credential_find(c->net->config, req, &places, &key) !=
	    CREDENTIAL_FOUND)
		return false;
	sha256(key.at, key.len, digest);
	return sha256_equal(digest, rules->admin_key);
}

/* Requests that are not answered from the segment alone. */
struct admin_request {
	const char *path;
	const char *method;
	const char *allow; /* the line of a 405 */
	void (*begin)(struct conn *c, const struct http_request *req);
};

static const struct admin_request admin_requests[] = {
	{ "/conns", "GET", "Allow: GET\r\n", operator_ask_conns },
	{ "/kick", "POST", "Allow: POST\r\n", operator_ask_kick },
};

/* Answer one of these.  Returns false if it is none. */
static bool
admin_asks(struct conn *c, const struct http_request *req)
{
	for (size_t i = 0;
	     i < sizeof(admin_requests) / sizeof(admin_requests[0]); i++) {
		const struct admin_request *asked = &admin_requests[i];

		if (!http_text_equal(&req->path, asked->path))
			continue;
		if (req->is_chunked || req->content_length > 0)
			http_conn_refuse(
			    c, req, 413, "no body is taken here", NULL);
		else if (!http_text_equal(&req->method, asked->method))
			http_conn_refuse(
			    c, req, 405, "not by this method", asked->allow);
		else
			asked->begin(c, req);
		return true;
	}
	return false;
}

void
admin_serve(struct conn *c, const struct http_request *req)
{
	const struct admin_page *page = admin_find(req);

	if (admin_is_foreign(c, req)) {
		stats_add(&c->net->stats, STATS_REFUSED_ORIGIN, 1);
		http_conn_refuse(c, req, 403,
		    "a page of another site cannot have this", NULL);
		return;
	}
	if ((page == NULL || !page->is_open) && !admin_is_allowed(c, req)) {
		http_conn_refuse(c, req, 401, "the operator's key is needed",
		    "WWW-Authenticate: Bearer\r\n");
		return;
	}
	if (admin_asks(c, req))
		return;
	if (!http_text_equal(&req->method, "GET") &&
	    !http_text_equal(&req->method, "HEAD")) {
		http_conn_refuse(c, req, 405, "only GET and HEAD here",
		    "Allow: GET, HEAD, OPTIONS\r\n");
		return;
	}
	if (req->is_chunked || req->content_length > 0) {
		http_conn_refuse(c, req, 413, "no body is taken here", NULL);
		return;
	}
	if (page == NULL)
		http_conn_error(c, req, 404, "there is nothing here");
	else if (page->until_stop && drain_is_final(worker_of(c)))
		http_conn_error(c, req, 503, "the server is going away");
	else
		admin_send(c, req, page);
}
