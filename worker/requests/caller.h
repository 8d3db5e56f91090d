/* SPDX-License-Identifier: MIT */
/*
 * caller.h - who a connection is, and what it may therefore ask for.
 *
 * A WebSocket and a stream of events are who their handshake or request says, as
 * long as they last; over HTTP each request speaks for itself.  Where everybody
 * may everything (access.h) no connection is anybody.
 */

#ifndef WORKER_REQUESTS_CALLER_H
#define WORKER_REQUESTS_CALLER_H

#include "worker/delivery/hub.h"

#include <stdbool.h>
#include <stddef.h>

struct http_request;

/*
 * Have the connection be who its request says; whoever it was before is
 * forgotten.
 * Returns: false with *why a static sentence if it shows a credential that is
 *          not accepted; then it is nobody.
 */
bool caller_identify(
    struct conn *c, const struct http_request *req, const char **why);

/* The connection is nobody any more.  For service.forget. */
void caller_forget(struct conn *c);

/* Whether it is somebody. */
static inline bool
caller_is_known(struct conn *c)
{
	return client_of(c)->identity != 0;
}

/* Whether it may do all of these (enum grant_kind) with a topic. */
bool caller_may(
    struct conn *c, unsigned kinds, const char *topic, size_t topic_len);

/* Whether there is any topic with which it may do this. */
bool caller_may_some(struct conn *c, unsigned kind);

/* Let go of the clients whose time is over, and tell those whose time soon is.
 * Looks at each connection, but only in a second in which that is due.  Callers:
 * the worker's tick. */
void caller_tick(struct hub *hub);

#endif
