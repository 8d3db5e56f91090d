/* SPDX-License-Identifier: MIT */
/* pattern_request.h - requests that begin or end a subscription to a pattern of topics. */

#ifndef WORKER_REQUESTS_PATTERN_REQUEST_H
#define WORKER_REQUESTS_PATTERN_REQUEST_H

#include "worker/requests/intake.h"

struct hub;

/*
 * Do an INTAKE_SUBSCRIBE_PATTERN; nothing, if its connection has closed.
 * Under the ring's lock; what was gathered before it has been published, because
 * it begins behind that.  Callers: commit.c.
 */
enum intake_result pattern_request_begin(
    struct hub *hub, const struct intake_op *op);

/* Do an INTAKE_UNSUBSCRIBE_PATTERN.  Callers: commit.c. */
enum intake_result pattern_request_end(
    struct hub *hub, const struct intake_op *op);

#endif
