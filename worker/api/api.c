/* SPDX-License-Identifier: MIT */
/* api.c - see api.h. */

#include "worker/api/api.h"

#include "broker/ring/members.h"
#include "common/bug.h"
#include "common/grants.h"
#include "common/http.h"
#include "worker/api/feed.h"
#include "worker/api/list.h"
#include "worker/api/query.h"
#include "worker/api/events.h"
#include "worker/api/answer.h"
#include "worker/api/ask.h"
#include "worker/api/batch.h"
#include "worker/api/publish.h"
#include "worker/api/reply.h"
#include "worker/http/http_conn.h"
#include "worker/http/reply.h"
#include "worker/requests/caller.h"
#include "worker/requests/intake.h"

#include <stdio.h>
#include <string.h>

#define API_ROOT  "/topics"
#define API_BATCH "/publish"
#define API_FEED  "/events"

enum api_resource {
	API_TOPICS,
	API_TOPIC,
	API_HISTORY,
	API_EVENTS,
	API_PRESENCE,
	API_LAST,
	API_PUBLISH,
	API_STREAM, /* of several topics */
};

static const char *const api_allow[] = {
	[API_TOPICS] = "GET, HEAD, OPTIONS",
	[API_TOPIC] = "GET, HEAD, POST, OPTIONS",
	[API_HISTORY] = "GET, HEAD, OPTIONS",
	[API_EVENTS] = "GET, HEAD, OPTIONS",
	[API_PRESENCE] = "GET, HEAD, OPTIONS",
	[API_LAST] = "GET, HEAD, OPTIONS",
	[API_PUBLISH] = "POST, OPTIONS",
	[API_STREAM] = "GET, HEAD, OPTIONS",
};

/* What a request is about. */
struct api_target {
	enum api_resource resource;
	struct http_text name; /* as written in the path, or empty */
	struct api_name topic;
};

bool
api_has(const struct http_text *path)
{
	size_t len = strlen(API_ROOT);

	if (http_text_equal(path, API_BATCH) || http_text_equal(path, API_FEED))
		return true;
	return path->len >= len && memcmp(path->at, API_ROOT, len) == 0 &&
	       (path->len == len || path->at[len] == '/');
}

/* What comes behind a topic's name, or in its place where ?topic= names it. */
static bool
api_find_part(const struct http_text *part, enum api_resource *resource)
{
	if (http_text_equal(part, "history"))
		*resource = API_HISTORY;
	else if (http_text_equal(part, "events"))
		*resource = API_EVENTS;
	else if (http_text_equal(part, "presence"))
		*resource = API_PRESENCE;
	else if (http_text_equal(part, "last"))
		*resource = API_LAST;
	else
		return false;
	return true;
}

/* Take a path apart. */
static bool
api_find(const struct http_text *path, struct api_target *target)
{
	const char *at = path->at + strlen(API_ROOT);
	const char *end = path->at + path->len, *slash;
	struct http_text rest;

	target->resource = API_TOPICS;
	target->name = (struct http_text){ path->at, 0 };
	if (http_text_equal(path, API_BATCH)) {
		target->resource = API_PUBLISH;
		return true;
	}
	if (http_text_equal(path, API_FEED)) {
		target->resource = API_STREAM;
		return true;
	}
	if (at == end)
		return true;
	at++;
	slash = memchr(at, '/', (size_t)(end - at));
	target->name = (struct http_text){ at,
		(size_t)((slash != NULL ? slash : end) - at) };
	target->resource = API_TOPIC;
	if (slash == NULL)
		return target->name.len > 0;
	rest = (struct http_text){ slash + 1, (size_t)(end - slash - 1) };
	return target->name.len > 0 && api_find_part(&rest, &target->resource);
}

/* The query names the topic: what stands in the path is something else, or the
 * same name. */
static bool
api_take_query_topic(
    struct api_target *target, const struct api_name *topic, const char **why)
{
	struct api_name in_path;

	target->topic = *topic;
	if (target->resource == API_TOPICS) {
		target->resource = API_TOPIC;
		return true;
	}
	if (target->resource == API_TOPIC &&
	    api_find_part(&target->name, &target->resource))
		return true;
	if (!api_name_parse(&target->name, &in_path, why))
		return false;
	*why = "the path and ?topic= name different topics";
	return api_name_equal(&in_path, topic);
}

/* Find out which topic a request is about, if it is about one. */
static bool
api_find_topic(
    const struct http_request *req, struct api_target *target, const char **why)
{
	struct api_name topic;
	bool given;

	if (target->resource == API_PUBLISH || target->resource == API_STREAM)
		return true; /* its topics are in the body, or are several */
	if (!api_query_topic(req->query, &topic, &given, why))
		return false;
	if (given)
		return api_take_query_topic(target, &topic, why);
	return target->resource == API_TOPICS ||
	       api_name_parse(&target->name, &target->topic, why);
}

static bool
api_allows(enum api_resource resource, const struct http_text *method)
{
	struct http_text list = { api_allow[resource],
		strlen(api_allow[resource]) };
	struct http_text allowed;

	while (http_list_next(&list, &allowed))
		if (allowed.len == method->len &&
		    memcmp(allowed.at, method->at, method->len) == 0)
			return true;
	return false;
}

/* Answer OPTIONS: which methods there are, and which ones a page may use. */
static void
api_options(
    struct conn *c, const struct http_request *req, enum api_resource resource)
{
	struct api_request *r = api_request_of(c);
	char lines[API_LINES_SIZE], preflight[CORS_LINES_SIZE];
	char all[sizeof(lines) + sizeof(preflight)];
	bool keep_alive = r->keep_alive;

	r->allow = api_allow[resource];
	api_lines(r, lines);
	cors_preflight_lines(c->net->config, req, preflight);
	snprintf(all, sizeof(all), "%s%s", lines, preflight);
	http_reply_no_content(c, all, keep_alive);
	api_forget(c);
	http_conn_next(c, keep_alive);
}

static bool
api_is_stream(enum api_resource resource)
{
	return resource == API_EVENTS || resource == API_STREAM;
}

/* Whether a foreign page must not do this. */
static bool
api_is_foreign(const struct http_request *req, enum api_resource resource,
    enum origin_verdict verdict)
{
	if (http_text_equal(&req->method, "OPTIONS"))
		return verdict != ORIGIN_OK;
	if (http_text_equal(&req->method, "POST") || api_is_stream(resource))
		return verdict != ORIGIN_OK || origin_is_blind(req);
	return false;
}

static void
api_presence(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct intake_request want = { .kind = INTAKE_PRESENCE,
		.answer = api_answer_presence,
		.wants_members = true,
		.limit = MEMBERS_PAGE_MAX };
	struct api_query query;

	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
		return;
	}
	if (query.has_after && query.after_serial == 0) {
		api_refuse(c, 400, "bad_request", "after must be a number");
		return;
	}
	if (query.has_limit && query.limit < want.limit)
		want.limit = query.limit;
	want.since = query.after_serial;
	api_ask(c, topic, &want);
}

static void
api_topics(struct conn *c, const struct http_request *req)
{
	struct api_query query;

	if (!api_query_parse(req->query, &query)) {
		api_refuse(c, 400, "bad_request", query.why);
	} else if (!caller_may_some(c, GRANT_PRESENCE)) {
		stats_add(&c->net->stats, STATS_REFUSED_GRANTS, 1);
		api_forbid(c);
	} else {
		api_list_begin(c, &query);
	}
}

static void
api_read(struct conn *c, const struct http_request *req,
    const struct api_target *target)
{
	struct intake_request want = { .kind = INTAKE_TOPIC,
		.answer = api_answer_topic };

	switch (target->resource) {
	case API_TOPICS:
		api_topics(c, req);
		break;
	case API_TOPIC:
		api_ask(c, &target->topic, &want);
		break;
	case API_HISTORY:
		api_ask_history(c, req, &target->topic);
		break;
	case API_LAST:
		api_ask_last(c, &target->topic);
		break;
	case API_EVENTS:
		events_begin(c, req, &target->topic);
		break;
	case API_PRESENCE:
		api_presence(c, req, &target->topic);
		break;
	case API_STREAM:
		feed_begin(c, req);
		break;
	case API_PUBLISH:
		BUG("it is not read");
	}
}

/* Find out who makes the request, or answer that its token is no good. */
static bool
api_identify(struct conn *c, const struct http_request *req)
{
	const char *why;

	switch (caller_identify(c, req, false, &why)) {
	case CALLER_OK:
		return true;
	case CALLER_BAD:
		api_refuse_token(c, why);
		break;
	case CALLER_LATER:
		api_put_off(c, "try_later", why);
		break;
	}
	return false;
}

static void
api_serve_target(struct conn *c, const struct http_request *req,
    const struct api_target *target, enum origin_verdict verdict)
{
	struct api_request *r = api_request_of(c);

	r->is_stream = api_is_stream(target->resource);
	r->is_read = !r->is_stream && !http_text_equal(&req->method, "POST");
	if (api_is_foreign(req, target->resource, verdict)) {
		api_refuse_origin(c, req, verdict);
	} else if (http_text_equal(&req->method, "OPTIONS")) {
		api_options(c, req, target->resource);
	} else if (c->net->draining && !r->is_read) {
		api_go_away(c, false);
	} else if (!api_identify(c, req)) {
		return;
	} else if (target->resource == API_PUBLISH) {
		batch_begin(c, req);
	} else if (http_text_equal(&req->method, "POST")) {
		publish_begin(c, req, &target->topic);
	} else if (req->is_chunked || req->content_length > 0) {
		api_refuse(c, 413, "too_large", "no body is taken here");
	} else {
		api_read(c, req, target);
	}
}

void
api_serve(struct conn *c, const struct http_request *req)
{
	enum origin_verdict verdict = origin_check(c->net->config, req);
	struct api_target target;
	const char *why;
	bool has_name;

	api_request_new(c, req);
	if (!api_find(&req->path, &target)) {
		api_fail(c, 404, "not_found",
		    "there is nothing here; in the name of a topic a slash is "
		    "%2F, or use ?topic=NAME");
		return;
	}
	has_name = api_find_topic(req, &target, &why);
	if (!has_name) {
		api_refuse(c, 400, "bad_topic", why);
	} else if (!api_allows(target.resource, &req->method)) {
		api_request_of(c)->allow = api_allow[target.resource];
		api_refuse(
		    c, 405, "method_not_allowed", "not this method; see Allow");
	} else {
		api_serve_target(c, req, &target, verdict);
	}
}

bool
api_put_off_events(struct conn *c, const struct http_request *req)
{
	enum origin_verdict verdict = origin_check(c->net->config, req);
	struct api_target target;
	const char *why;

	if (!api_has(&req->path) || !api_find(&req->path, &target) ||
	    !api_find_topic(req, &target, &why) ||
	    !api_is_stream(target.resource) ||
	    http_text_equal(&req->method, "OPTIONS") ||
	    !api_allows(target.resource, &req->method) ||
	    api_is_foreign(req, target.resource, verdict))
		return false;
	api_request_new(c, req)->is_stream = true;
	api_go_away(c, false);
	return true;
}
