/* SPDX-License-Identifier: MIT */
/* publish.c - see publish.h. */

#include "worker/api/publish.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/http.h"
#include "common/json.h"
#include "common/utf8.h"
#include "common/xmalloc.h"
#include "worker/api/answer.h"
#include "worker/api/publish_options.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/http/reply.h"
#include "worker/http/body.h"
#include "worker/requests/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The request's job: a message to publish. */
struct publish {
	struct api_name topic;
	struct publish_options options;
	bool is_json;
	bool is_ephemeral;
	bool keep_alive; /* when the body has been read */
};

static void
publish_too_large(struct conn *c)
{
	char reason[64];

	snprintf(reason, sizeof(reason),
	    "a message has at most %u bytes of JSON",
	    c->net->config->max_message);
	api_refuse(c, 413, "too_large", reason);
}

/* Whether it is application/json, or a type that is JSON by its suffix (RFC 6839,
 * 3.1). */
static bool
publish_is_json_type(const struct http_text *type)
{
	static const char prefix[] = "application/", suffix[] = "+json";
	size_t prefix_len = strlen(prefix), suffix_len = strlen(suffix);

	if (http_text_equal_nocase(type, "application/json"))
		return true;
	return type->len > prefix_len + suffix_len &&
	       strncasecmp(type->at, prefix, prefix_len) == 0 &&
	       strncasecmp(
		   type->at + type->len - suffix_len, suffix, suffix_len) == 0;
}

/* Whether the type, parameters left aside, is JSON. */
static bool
publish_is_json(const struct http_request *req)
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
	return publish_is_json_type(&type);
}

/* A text: stored as a JSON string. */
static bool
publish_text(
    struct conn *c, const struct buf *bytes, struct intake_request *want)
{
	struct buf *text = api_text(c);

	if (!utf8_valid(bytes->at, bytes->len)) {
		api_refuse(c, 400, "bad_request", "the text is not UTF-8");
		return false;
	}
	buf_json_string(text, bytes->at, bytes->len);
	if (text->len > c->net->config->max_message) {
		publish_too_large(c);
		return false;
	}
	want->body = text->at;
	want->body_len = (uint32_t)text->len;
	intake_add(c, want);
	return true;
}

static bool
publish_is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The value without the white space around it. */
static struct http_text
publish_value(const struct buf *bytes)
{
	struct http_text value = { bytes->at, bytes->len };

	while (value.len > 0 && publish_is_space(value.at[value.len - 1]))
		value.len--;
	while (value.len > 0 && publish_is_space(*value.at)) {
		value.at++;
		value.len--;
	}
	return value;
}

/* A JSON value: stored as it came. */
static bool
publish_json(
    struct conn *c, const struct buf *bytes, struct intake_request *want)
{
	struct http_text value = publish_value(bytes);
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
	if (!json_within_depth(value.at, value.len, CONFIG_MESSAGE_DEPTH)) {
		api_refuse(c, 400, "bad_json",
		    "arrays and objects are nested too deep");
		return false;
	}
	if (value.len > c->net->config->max_message) {
		publish_too_large(c);
		return false;
	}
	want->body_len = (uint32_t)value.len;
	json_normalise(value.at, value.len, intake_add(c, want));
	return true;
}

/* The whole body is there. */
static void
publish_done(struct conn *c, struct buf *bytes)
{
	struct api_request *r = api_request_of(c);
	const struct publish *job = r->job;
	struct intake_request want = { .kind = INTAKE_PUBLISH,
		.answer = api_answer_topic,
		.wants_count = true,
		.is_ephemeral = job->is_ephemeral,
		.topic = job->topic.at,
		.topic_len = job->topic.len };
	bool is_json = job->is_json;
	const char *why = publish_options_want(&job->options, &want);

	CHECK(why == NULL); /* it was looked at with the head */
	r->keep_alive = job->keep_alive;
	if (is_json ? publish_json(c, bytes, &want)
		    : publish_text(c, bytes, &want))
		conn_pause(c, PAUSE_INTAKE);
	buf_fini(bytes);
}

static void
publish_free(struct conn *c, void *job)
{
	(void)c;
	free(job);
}

static const struct http_body_user publish_body = {
	.next = &api_handler,
	.done = publish_done,
	.refused = api_refuse,
	.too_large = publish_too_large,
	.go_away = api_go_away,
	.end = api_forget,
};

/* Whether the body is what its type says, and not that compressed. */
static bool
publish_is_plain(const struct http_request *req)
{
	const struct http_text *coding =
	    http_header_find(req, "Content-Encoding");

	return coding == NULL || coding->len == 0 ||
	       (http_header_count(req, "Content-Encoding") == 1 &&
		   http_text_equal_nocase(coding, "identity"));
}

bool
publish_takes_body(struct conn *c, const struct http_request *req)
{
	struct api_request *r = api_request_of(c);

	if (!req->is_chunked && !req->has_content_length) {
		r->keep_alive = false;
		api_refuse(c, 411, "length_required",
		    "a message needs a Content-Length, or chunks");
		return false;
	}
	if (!publish_is_plain(req)) {
		r->keep_alive = false;
		api_refuse(c, 415, "unsupported_encoding",
		    "a body without a Content-Encoding is taken");
		return false;
	}
	return true;
}

void
publish_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic)
{
	struct api_request *r = api_request_of(c);
	struct publish_options options;
	struct api_query query;
	struct publish *job;
	const char *why;

	if (!publish_takes_body(c, req))
		return;
	why = api_query_parse(req->query, &query)
	          ? publish_options_read(req, &query, &options)
	          : query.why;
	if (why != NULL) {
		r->keep_alive = false; /* its body is not read */
		api_refuse(c, 400, "bad_request", why);
		return;
	}
	job = xcalloc(1, sizeof(*job));
	job->topic = *topic;
	job->options = options;
	job->is_json = publish_is_json(req);
	job->is_ephemeral = query.is_ephemeral;
	job->keep_alive = http_reply_keeps_alive(c, req);
	r->job = job;
	r->free_job = publish_free;
	http_body_begin(c, req,
	    (uint64_t)c->net->config->max_message + CONFIG_ENVELOPE_SLACK,
	    &publish_body);
}
