/* SPDX-License-Identifier: MIT */
/* refusal.c - see refusal.h. */

#include "worker/http/refusal.h"

#include "common/bug.h"
#include "common/config.h"
#include "common/http.h"
#include "common/xmalloc.h"
#include "worker/http/reply.h"
#include "worker/net/conn.h"
#include "worker/net/service.h"

#include <stdlib.h>
#include <string.h>

static const struct conn_handler refusal_handler;

void
http_refusal_tell(
    struct conn *c, const struct http_request *req, enum conn_refusal why)
{
	static const struct {
		int status;
		const char *reason;
	} refusals[] = {
		[CONN_FULL] = { 503, "this server is full, try later" },
		[CONN_ADDRESS_FULL] = { 503, "too many connections from here" },
		[CONN_ADDRESS_RATE] = { 503,
		    "too many new connections from here" },
		[CONN_OPERATOR_FULL] = { 503,
		    "too many connections for the operator" },
		[CONN_NO_INPUT_MEMORY] = { 503,
		    "no memory for the whole of it, try later" },
		[CONN_TOO_SLOW] = { 503, "too slow" },
		[CONN_TOO_LATE] = { 408, "the request took too long" },
		[CONN_UNKNOWN] = { 401, "a token is needed" },
	};

	http_reply_error(
	    c, req, refusals[why].status, refusals[why].reason, NULL, false);
	conn_close_when_written(c);
}

void
http_refusal_answer(
    struct conn *c, const struct http_request *req, enum conn_refusal why)
{
	if (c->net->service->refuse != NULL)
		c->net->service->refuse(c, req, why);
	else
		http_refusal_tell(c, req, why);
}

/* The whole lines of a head that has begun, as if it ended there.  Owns: the
 * caller, *text.  Returns how many bytes. */
static size_t
refusal_cut(const struct conn_input *input, char **text)
{
	const char *end = memrchr(input->data, '\n', input->len);
	size_t len = end != NULL ? (size_t)(end + 1 - input->data) : 0;

	*text = xmalloc(len + 2);
	memcpy(*text, input->data, len);
	memcpy(*text + len, "\r\n", 2);
	return len + 2;
}

void
http_refusal_now(struct conn *c, enum conn_refusal why)
{
	struct http_request req;
	size_t scanned = 0, len;
	char *text;

	if (c->input == NULL) {
		http_refusal_tell(c, NULL, why);
		return;
	}
	len = refusal_cut(c->input, &text);
	if (http_parse_request(text, len, len, &scanned, &req) == HTTP_OK)
		http_refusal_answer(c, &req, why);
	else
		http_refusal_tell(c, NULL, why);
	free(text);
}

void
http_refusal_begin(struct conn *c, enum conn_refusal why)
{
	if (c->admin || c->input != NULL) {
		http_refusal_now(c, why);
		return;
	}
	conn_speak(c, &refusal_handler, (void *)(uintptr_t)why);
	c->scanned = 0;
	conn_deadline(c, REFUSAL_WAIT_MS);
}

static enum conn_refusal
refusal_why(const struct conn *c)
{
	return (enum conn_refusal)(uintptr_t)c->data;
}

static size_t
refusal_feed(struct conn *c, char *data, size_t len)
{
	enum conn_refusal why = refusal_why(c);
	struct http_request req;
	size_t scanned = c->scanned;

	switch (http_parse_request(
	    data, len, c->net->config->max_head, &scanned, &req)) {
	case HTTP_PARTIAL:
		c->scanned = (uint32_t)scanned;
		return 0;
	case HTTP_REFUSED:
		http_refusal_tell(c, NULL, why);
		return 0;
	case HTTP_OK:
		http_refusal_answer(c, &req, why);
		return req.head_len;
	}
	BUG("no result of a parser");
}

static void
refusal_due(struct conn *c)
{
	http_refusal_now(c, refusal_why(c));
}

/* What it was refused for is reason enough. */
static void
refusal_refuse(struct conn *c, enum conn_refusal why)
{
	(void)why;
	http_refusal_now(c, refusal_why(c));
}

static void
refusal_go_away(struct conn *c, bool restart)
{
	(void)restart;
	if (c->input != NULL)
		http_refusal_now(c, refusal_why(c));
	else
		conn_close_when_written(c);
}

static const struct conn_handler refusal_handler = {
	.feed = refusal_feed,
	.asks_nothing = true, /* that has to be done */
	.due = refusal_due,
	.refuse = refusal_refuse,
	.go_away = refusal_go_away,
};
