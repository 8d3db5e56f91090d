/* SPDX-License-Identifier: MIT */
/*
 * http_conn.h - a connection while it speaks HTTP: one request head after
 * another, each handed to the service (net/service.h).
 *
 * Requests may be pipelined; they are answered one after another.  An answer
 * that takes longer has a handler of its own meanwhile (body.h, file.h, the
 * API's), which ends with http_conn_next().
 */

#ifndef WORKER_HTTP_HTTP_CONN_H
#define WORKER_HTTP_HTTP_CONN_H

#include "worker/access/origin.h"
#include "worker/net/handler.h"

#include <stdbool.h>

struct conn;
struct http_request;

extern const struct conn_handler http_conn_handler;

/* A request is answered: close, or (keep_alive) wait for the next. */
void http_conn_next(struct conn *c, bool keep_alive);

/* A request has come in whole: the next one may take its time. */
void http_conn_idle(struct conn *c);

/* The deadline of a connection that speaks HTTP, whatever its handler. */
void http_conn_due(struct conn *c);

/* Answer with an error and end the connection.  req is the request, NULL if it
 * could not be parsed or has not come; extra is header lines or NULL. */
void http_conn_refuse(struct conn *c, const struct http_request *req,
    int status, const char *reason, const char *extra);

/* Answer 403, since a Host or an Origin is not let in, and end the connection;
 * what was seen is logged. */
void http_conn_refuse_origin(struct conn *c, const struct http_request *req,
    enum origin_verdict verdict);

/* Answer with an error; the connection goes on if the request allows it. */
void http_conn_error(struct conn *c, const struct http_request *req, int status,
    const char *reason);

#endif
