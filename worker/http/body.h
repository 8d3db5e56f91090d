/* SPDX-License-Identifier: MIT */
/*
 * body.h - read the body of a POST, and publish it.
 *
 * The body lies in a buffer that exists only meanwhile and never grows beyond
 * the limit of messages (and some white space around a JSON value).  It must
 * come within a time that grows with its length, so that nobody holds it for
 * long by sending little.
 *
 * application/json is published as the JSON value that it is; what has any
 * other type, or none, is text, which becomes a JSON string.
 */

#ifndef WORKER_HTTP_BODY_H
#define WORKER_HTTP_BODY_H

#include <stddef.h>

struct api_body;
struct api_name;
struct conn;
struct http_request;
struct worker;

/* Begin to read the body of a message to the topic; one that has no bytes is
 * published at once. */
void api_body_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

/*
 * Bytes came in (CONN_BODY).
 * Returns: how many of them are the body's.
 */
size_t api_body_feed(struct conn *c, const char *data, size_t len);

/* Bytes of the connection's body that have come (CONN_BODY). */
size_t api_body_bytes(const struct conn *c);

/* Free a body of one of this worker's connections; NULL is none. */
void api_body_free(struct worker *w, struct api_body *body);

#endif
