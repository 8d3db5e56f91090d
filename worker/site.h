/* SPDX-License-Identifier: MIT */
/*
 * site.h - which request goes where.
 *
 *	GET /ws                the upgrade (ws/upgrade.h)
 *	GET /healthz           200 while the process lives
 *	GET /readyz            200, or 503 from the moment a drain begins
 *	what the service has   pubsub.c: /topics and below
 *	GET, HEAD anything     a file under --root
 *
 * The operator's listener has pages of its own (admin.h) and none of these.
 *
 * Only a message that is published has a body: any other request that announces
 * one is answered and the connection ends, so that nobody can disagree about
 * where the next request begins.
 */

#ifndef WORKER_SITE_H
#define WORKER_SITE_H

#include <stdbool.h>

struct conn;
struct http_request;

/*
 * Answer a request, for service.serve.  route: answers a request to a path of
 * the service's own, or returns false with nothing done; NULL: there are none.
 */
void site_serve(struct conn *c, const struct http_request *req,
    bool (*route)(struct conn *c, const struct http_request *req));

#endif
