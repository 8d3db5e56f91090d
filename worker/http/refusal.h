/* SPDX-License-Identifier: MIT */
/*
 * refusal.h - tell a client that its connection is not served (handler.h).
 *
 * That is known when it is accepted, but what to answer is not: for some
 * requests an error is final, where coming back later would do (service.h).  So
 * the head of its first request is waited for, for REFUSAL_WAIT_MS at most, and
 * of one that is not whole by then, or may not be kept, the lines that have come
 * are gone by.
 */

#ifndef WORKER_HTTP_REFUSAL_H
#define WORKER_HTTP_REFUSAL_H

#include "worker/net/handler.h"

struct http_request;

/* How long the head is waited for, milliseconds. */
#define REFUSAL_WAIT_MS 2000

/* Answer with the error that belongs to this reason, and close.  req is what it
 * answers, NULL if that has not come. */
void http_refusal_tell(
    struct conn *c, const struct http_request *req, enum conn_refusal why);

/* Refuse a request, or what has come of one: by service.refuse, or by an error.
 * The connection closes. */
void http_refusal_answer(
    struct conn *c, const struct http_request *req, enum conn_refusal why);

/*
 * Refuse a connection that waits for a request, or for the rest of its head: by
 * service.refuse if it can be told which request, else by an error.
 */
void http_refusal_begin(struct conn *c, enum conn_refusal why);

/* The same, by what has come of the request until now. */
void http_refusal_now(struct conn *c, enum conn_refusal why);

#endif
