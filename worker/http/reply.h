/* SPDX-License-Identifier: MIT */
/*
 * reply.h - whole responses, queued on a connection.
 *
 * Errors are {"error":{"code","reason"}}.  Every response says that its type
 * is not to be guessed; other sites' pages may not frame ours.
 */

#ifndef WORKER_HTTP_REPLY_H
#define WORKER_HTTP_REPLY_H

#include <stdbool.h>

struct buf;
struct conn;
struct http_request;
struct static_file;

/* Whether the connection goes on behind this request: if it may (HTTP), and the
 * server is not about to leave (the operator may watch that to the end). */
bool http_reply_keeps_alive(
    const struct conn *c, const struct http_request *req);

/*
 * An error; reason is a sentence of 640 bytes at most without quotes and
 * backslashes.  extra is whole header lines or NULL; 429 and 503 get
 * their Retry-After without, 426 its Upgrade.  req is what it answers, NULL if that
 * could not be parsed.
 */
void http_reply_error(struct conn *c, const struct http_request *req,
    int status, const char *reason, const char *extra, bool keep_alive);

/* How to answer with JSON. */
struct http_reply {
	int status;
	bool head_only;    /* it was a HEAD */
	bool keep_alive;   /* else the caller ends the connection */
	const char *lines; /* more lines of the head, with their CRLF; or "" */
};

/* A JSON text, of any length. */
void http_reply_json(
    struct conn *c, const struct http_reply *reply, const struct buf *body);

/* 204: done; the answer is these header lines alone. */
void http_reply_no_content(struct conn *c, const char *lines, bool keep_alive);

/*
 * The head of a stream of events, whose connection ends with it.  In chunks it
 * goes through proxies that would wait for more of a body without a length; an
 * HTTP/1.0 client knows none.
 */
void http_reply_events(struct conn *c, const char *lines, bool in_chunks);

/* A short text, as the answer to req. */
void http_reply_text(struct conn *c, const struct http_request *req, int status,
    const char *text, bool keep_alive);

/* The head of a file's response as the answer to req; the body follows with 200.
 */
void http_reply_file(struct conn *c, const struct http_request *req, int status,
    const struct static_file *file);

/*
 * 301 to the same path with a slash behind it, said relative to that path, for a
 * proxy may have taken a prefix off it; ends the connection if the request says
 * so.  The path has a slash in it (static_find() has returned STATIC_REDIRECT).
 */
void http_reply_redirect(struct conn *c, const struct http_request *req);

#endif
