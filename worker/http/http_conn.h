/* SPDX-License-Identifier: MIT */
/*
 * http_conn.h - a connection while it speaks HTTP.
 *
 *	GET /ws                the upgrade (ws_conn.h)
 *	GET /healthz           200 while the process lives
 *	GET /readyz            200, or 503 from the moment a drain begins
 *	/topics and below      the topics (api.h)
 *	GET, HEAD anything     a file under --root
 *
 * Requests may be pipelined; they are answered one after another.  Only a
 * message that is published has a body: any other request that announces one is
 * answered and the connection ends, so that nobody can disagree about where the
 * next request begins.
 */

#ifndef WORKER_HTTP_HTTP_CONN_H
#define WORKER_HTTP_HTTP_CONN_H

struct conn;
struct http_request;

/* The socket is readable. */
void http_conn_read(struct conn *c);

/* Go on with what was read before. */
void http_conn_feed_kept(struct conn *c);

/* A request has come in whole: the next one may take its time. */
void http_conn_idle(struct conn *c);

/* The server drains: end it, after an answer if one is due; at once, without
 * waiting for the other end, if it has not asked for anything. */
void http_conn_go_away(struct conn *c);

/* Everything so far is written: send more of the file. */
void http_conn_more_file(struct conn *c);

/* The deadline for a request has come. */
void http_conn_due(struct conn *c);

/* Answer with an error and end the connection.  req is what it answers, NULL
 * if that could not be parsed or has not come; extra is header lines or NULL.
 */
void http_conn_refuse(struct conn *c, const struct http_request *req,
    int status, const char *reason, const char *extra);

#endif
