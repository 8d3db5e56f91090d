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

struct buf;
struct http_request;
struct identity;

enum caller_status {
	CALLER_OK = 0,
	CALLER_BAD,   /* the credential is not accepted */
	CALLER_LATER, /* it was not looked into: its address has shown too many
	               * bad ones */
};

/*
 * Have the connection be who its request says; whoever it was before is
 * forgotten.  is_websocket: the request is for one.
 * Returns: CALLER_OK; or else with *why a static sentence for the client, which
 *          is nobody then.
 */
enum caller_status caller_identify(struct conn *c,
    const struct http_request *req, bool is_websocket, const char **why);

/*
 * Look into a token that came in a message.
 * Returns: CALLER_OK with the number of an identity, to be given to
 *          caller_become(); or else with *why, as above.
 */
enum caller_status caller_verify(struct conn *c, const char *token, size_t len,
    uint32_t *number, const char **why);

/*
 * Have the connection be somebody from now on, who is held for it already.
 * Returns: false, with that given back, if it is somebody of another name: a
 *          connection does not change hands.
 */
bool caller_become(struct conn *c, uint32_t number);

/* End the subscriptions that it has no grant for any more, and tell it of each. */
void caller_narrow(struct conn *c);

/*
 * If there is nothing that it may do as nobody, it has --auth-timeout to say who
 * it is.
 */
void caller_await(struct conn *c);

/* The connection is nobody any more.  For service.forget. */
void caller_forget(struct conn *c);

/* Who it is, or NULL. */
const struct identity *caller_identity(struct conn *c);

/* Whether it is somebody. */
bool caller_is_known(struct conn *c);

/* Whether it may do all of these (enum grant_kind) with a topic. */
bool caller_may(
    struct conn *c, unsigned kinds, const char *topic, size_t topic_len);

/* The same with all topics that a pattern stands for. */
bool caller_may_pattern(
    struct conn *c, unsigned kinds, const char *pattern, size_t len);

/* Append the patterns of the topics with which it may do this.  Returns false: with
 * all. */
bool caller_put_patterns(struct conn *c, unsigned kind, struct buf *out);

/* Whether there is any topic with which it may do this. */
bool caller_may_some(struct conn *c, unsigned kind);

/* Other rules are in force: hold all connections to them. */
void caller_hold_to_rules(struct hub *hub);

/* Let go of the clients whose time is over, and tell those whose time soon is.
 * Looks at each connection, but only in a second in which that is due.  Callers:
 * the worker's tick. */
void caller_tick(struct hub *hub);

#endif
