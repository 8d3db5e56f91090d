/* SPDX-License-Identifier: MIT */
/*
 * api.h - topics by HTTP, for who has no WebSocket: curl, a cron job, a page.
 *
 *	POST /topics/NAME		publish
 *	GET  /topics			a list (list.h)
 *	GET  /topics/NAME		how one stands
 *	GET  /topics/NAME/history	its past messages
 *	GET  /topics/NAME/events	its messages as they come (events.h)
 *
 * NAME is percent-encoded, slashes too.  HEAD is GET without the body.
 *
 * A request that needs the ring's lock waits for it in the intake, or in the
 * list's queue, and its connection is not read meanwhile: so requests that are
 * pipelined are answered in their order, whatever they are.  What has to be
 * remembered of it until then is a struct api_request, which exists no longer
 * than the request.
 *
 * Pages of other origins may publish and follow events only if --allow-origin
 * says so (origin.h), and then they can also read the answers: each one to an
 * allowed Origin carries that origin back (CORS), and OPTIONS is answered.
 */

#ifndef WORKER_API_API_H
#define WORKER_API_API_H

#include <stdbool.h>

struct api_body;
struct api_list;
struct conn;
struct http_request;
struct http_text;

/* A request that is being answered. */
struct api_request {
	bool head_only;
	bool keep_alive;       /* false as long as a body is unread */
	const char *allow;     /* methods, for an Allow line; or NULL */
	char *origin;          /* owned; NULL: no page that is to be told */
	struct api_body *body; /* owned; NULL: it has none, or it is read */
	struct api_list *list; /* owned; NULL: it is another request */
};

/* Whether a path is one of these. */
bool api_has(const struct http_text *path);

/* Answer one request, or begin to. */
void api_serve(struct conn *c, const struct http_request *req);

/* Answer with the JSON text in the worker's `text'.  The connection ends if it
 * must. */
void api_reply(struct conn *c, int status);

/* Answer with an error; reason is UTF-8.  The second counts it as the client's
 * mistake. */
void api_fail(struct conn *c, int status, const char *code, const char *reason);
void api_refuse(
    struct conn *c, int status, const char *code, const char *reason);

/* Answer 503: the server drains. */
void api_go_away(struct conn *c);

/* The header lines that answers to this request have beyond the usual: Allow,
 * and for a page of an allowed origin that it may read this. */
#define API_LINES_SIZE 1024u
void api_lines(const struct api_request *r, char lines[API_LINES_SIZE]);

/* The request is answered, or its connection has gone: forget it. */
void api_forget(struct conn *c);

#endif
