/* SPDX-License-Identifier: MIT */
/*
 * reply.h - a request to the API while it is being answered.
 *
 * A request that needs the ring's lock waits in the intake, or in the line of
 * lists, and its connection is not read meanwhile: so pipelined requests are
 * answered in their order, whatever they are.  Meanwhile a struct api_request
 * remembers the request.  It is the data of a connection that speaks
 * api_handler, and is freed with the answer.
 */

#ifndef WORKER_API_REPLY_H
#define WORKER_API_REPLY_H

#include "common/buf.h"
#include "worker/access/cors.h"
#include "worker/access/origin.h"
#include "worker/delivery/hub.h"

#include <stdbool.h>

struct api_lists;
struct http_request;

/* Of one worker: hub->api. */
struct api {
	struct buf text;         /* an answer while it is put together */
	struct api_lists *lists; /* list.h */
};

/* A request that is being answered. */
struct api_request {
	bool head_only;
	bool keep_alive;
	bool is_stream;    /* it asks for events */
	bool takes_chunks; /* it is HTTP/1.1 */
	bool is_read;      /* it asks for what there is: no drain keeps it from
	                    * being answered */
	const char *allow; /* methods, for an Allow line; or NULL */
	const char *challenge; /* another line, with its CRLF; or NULL */
	char *cors;            /* lines for a page's browser (cors.h); owned */
	void *job;             /* what else belongs to it, or NULL */
	void (*free_job)(struct conn *c, void *job);
};

extern const struct conn_handler api_handler;

/* Begin to answer: the connection speaks api_handler from now on. */
struct api_request *api_request_new(
    struct conn *c, const struct http_request *req);

/* The request that the connection's answer is for. */
static inline struct api_request *
api_request_of(const struct conn *c)
{
	return c->data;
}

/* The text to put an answer into, empty. */
struct buf *api_text(struct conn *c);

/* Answer with the JSON in api_text(), which is not reset.  The connection goes
 * on to the next request, or closes. */
void api_reply(struct conn *c, int status);

/* Answer with an error; reason is UTF-8.  The second counts it as the client's
 * mistake. */
void api_fail(struct conn *c, int status, const char *code, const char *reason);
void api_refuse(
    struct conn *c, int status, const char *code, const char *reason);

/* Answer that there is no grant for this: 403, or 401 to who has not said who it
 * is.  The second: that its token is not accepted, and why; 401. */
void api_forbid(struct conn *c);
void api_refuse_token(struct conn *c, const char *why);

/* Answer that a page of another site cannot have this. */
void api_refuse_origin(struct conn *c, const struct http_request *req,
    enum origin_verdict verdict);

/*
 * Answer that this cannot be had just now: 503 with a code and a reason.  To who
 * asks for events the stream, which ends with word when to come back: a browser
 * never asks again where it was answered anything but 200 (HTML, 9.2.3).
 */
void api_put_off(struct conn *c, const char *code, const char *reason);

/* The server drains: put the request off, and close. */
void api_go_away(struct conn *c, bool restart);

/* When a follower of events may come back: milliseconds, for each another time
 * between these. */
#define API_RETRY_MIN_MS 1000u
#define API_RETRY_MAX_MS 5000u
uint32_t api_retry_ms(const struct conn *c);

/* The header lines that answers to this request have beyond the usual: Allow,
 * WWW-Authenticate, and for a page of an allowed origin that it may read this. */
#define API_LINES_SIZE (CORS_LINES_SIZE + 128u)
void api_lines(const struct api_request *r, char lines[API_LINES_SIZE]);

/* The request is answered, or its connection closes: free it. */
void api_forget(struct conn *c);

#endif
