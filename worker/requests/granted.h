/* SPDX-License-Identifier: MIT */
/* granted.h - whether a request is one that its client may make. */

#ifndef WORKER_REQUESTS_GRANTED_H
#define WORKER_REQUESTS_GRANTED_H

#include <stdbool.h>

struct hub;
struct intake_op;

/*
 * Whether the client may have this done.  A client that resumes a subscription,
 * but has no grant for the past, may: op->withheld says that it goes on with the
 * present, and is told the gap.
 * Callers: commit.c, once for each request, in its place among them.
 */
bool granted(struct hub *hub, struct intake_op *op);

#endif
