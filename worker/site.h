/* SPDX-License-Identifier: MIT */
/*
 * site.h - which request goes where.
 *
 *	GET /ws                the upgrade (ws/upgrade.h)
 *	GET /healthz           200 while the process lives
 *	GET /readyz            200, or 503 from the moment a stop begins
 *	what the service has   pubsub.c: /topics and below
 *	GET, HEAD anything     a file under --root; while the server drains too,
 *	                       until it closes connections
 *
 * Where --base-path is set, all of that lies below it, for a proxy that passes the
 * whole path on; and still without it, for those who ask this server itself: the
 * command line, a load balancer.
 *
 * Paths are compared as they are normally written (percent_normalise()), and
 * OPTIONS is answered for each of them, and for "*".
 *
 * The operator's listener has pages of its own (admin.h) and none of these.
 *
 * Only a request that publishes may have a body.  Any other request that
 * announces one is answered and its connection ended, so that a proxy and this
 * server cannot disagree about where the next request begins.
 */

#ifndef WORKER_SITE_H
#define WORKER_SITE_H

#include "worker/net/handler.h"

#include <stdbool.h>

struct conn;
struct http_request;

/*
 * Answer a request, for service.serve.  route: answers a request to a path of
 * the service's own, or returns false with nothing done; NULL: there are none.
 */
void site_serve(struct conn *c, const struct http_request *req,
    bool (*route)(struct conn *c, const struct http_request *req));

/*
 * Refuse a request, for service.refuse.  put_off: answers a request of the
 * service's own to which an error would be the wrong answer, or returns false
 * with nothing done.
 */
void site_refuse(struct conn *c, const struct http_request *req,
    enum conn_refusal why,
    bool (*put_off)(struct conn *c, const struct http_request *req));

#endif
