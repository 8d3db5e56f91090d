/* SPDX-License-Identifier: MIT */
/*
 * body.h - read the body of a request.
 *
 * The body lies in a buffer that exists only meanwhile and never grows beyond
 * the limit that the caller sets.  The whole body must come within a time that
 * grows with its length, so that no client holds the buffer for long by sending
 * little.
 */

#ifndef WORKER_HTTP_BODY_H
#define WORKER_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conn;
struct conn_handler;
struct http_request;

/* What to do with a body: the next handler, and the callbacks of the request
 * that the body belongs to. */
struct http_body_user {
	/* The connection's handler once the body is read or refused; the
	 * connection's data is `request' again. */
	const struct conn_handler *next;

	/* The whole body is there.  Owns: the callback, bytes. */
	void (*done)(struct conn *c, struct buf *bytes);

	/* It cannot be read: answer with this, and close. */
	void (*refused)(
	    struct conn *c, int status, const char *code, const char *reason);

	/* It is longer than `max'. */
	void (*too_large)(struct conn *c);

	/* The server leaves before the body is read: say so, and close. */
	void (*go_away)(struct conn *c, bool restart);

	/* The connection closes before the body is read: free the request. */
	void (*end)(struct conn *c);
};

/*
 * Read the body that req announces, at most max bytes.  If it announces none,
 * done() is called at once.  c->data is kept for the caller until then.
 */
void http_body_begin(struct conn *c, const struct http_request *req,
    uint64_t max, const struct http_body_user *user);

#endif
