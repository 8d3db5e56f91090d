/* SPDX-License-Identifier: MIT */
/*
 * admin.h - the operator's pages, on a listener of their own.
 *
 *	GET /          a page that shows the next ones as they change
 *	GET /metrics   all counters of all workers, for Prometheus
 *	GET /stats     the same as JSON, which is what `status --json' prints
 *	GET /busiest   the topics that most was published to since the worker
 *	               that answers was asked last, as JSON
 *	GET /conns     the connections, POST /kick closes some: operator_ask.h
 *	GET /healthz   200 while the process lives
 *	GET /readyz    200, or 503 from the moment a stop begins
 *
 * They show what clients do, so the public listener does not have them; and the
 * operator's listener has no public page.  Any worker answers for the whole
 * server, from the segment and without the lock, also during a drain.
 *
 * A request that a page of another site makes is refused, although the page
 * could not read the answer.  A link on such a page works.
 */

#ifndef WORKER_ADMIN_H
#define WORKER_ADMIN_H

struct conn;
struct http_request;

/* Answer one request of a connection to the operator's listener.  May end the
 * connection. */
void admin_serve(struct conn *c, const struct http_request *req);

#endif
