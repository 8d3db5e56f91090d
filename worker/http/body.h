/* SPDX-License-Identifier: MIT */
/*
 * body.h - read the body of a request.
 *
 * It lies in a buffer that exists only meanwhile and never grows beyond the
 * limit that the caller sets.  It must come within a time that grows with its
 * length, so that nobody holds it for long by sending little.
 */

#ifndef WORKER_HTTP_BODY_H
#define WORKER_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conn;
struct conn_handler;
struct http_request;

/* What is done with a body; `next' and the callbacks of the request that it
 * belongs to. */
struct http_body_user {
	/* What the connection speaks once the body is read or refused; its data
	 * is `request' again. */
	const struct conn_handler *next;

	/* The whole body is there.  Owns: the callback, bytes. */
	void (*done)(struct conn *c, struct buf *bytes);

	/* It cannot be read: answer with this, and close. */
	void (*refused)(
	    struct conn *c, int status, const char *code, const char *reason);

	/* It is longer than `max'. */
	void (*too_large)(struct conn *c);

	/* The server leaves before it is read: answer so, and close. */
	void (*go_away)(struct conn *c, bool restart);

	/* The connection closes before: free the request. */
	void (*end)(struct conn *c);
};

/*
 * Read the body that req announces, at most max bytes; one that has none is
 * done at once.  c->data is the caller's until then, kept for it.
 */
void http_body_begin(struct conn *c, const struct http_request *req,
    uint64_t max, const struct http_body_user *user);

#endif
