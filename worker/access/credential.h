/* SPDX-License-Identifier: MIT */
/*
 * credential.h - what a request shows to say whose it is; the first that is there
 * counts.
 *
 *	Authorization: Bearer TOKEN		(RFC 6750, 2.1)
 *	Sec-WebSocket-Protocol: pubsubd.v1, bearer.TOKEN
 *	Cookie: NAME=TOKEN			with --jwt-cookie NAME
 *	GET /ws?access_token=TOKEN		with --jwt-query (RFC 6750, 2.3)
 *
 * A page can set no header for a WebSocket, nor for an EventSource, so there are
 * the other three.  A subprotocol of that form is never answered.  A browser sends
 * a cookie along whoever's page makes the request; so a cookie counts only for a
 * page that is the server's own or listed by name (origin.h), and for a client
 * that is no browser's.  Tokens are letters, digits and few more, so in a query
 * nothing is decoded.
 *
 * What an Authorization line of another scheme says is for somebody else, a proxy
 * in front, and means nothing here.
 */

#ifndef WORKER_ACCESS_CREDENTIAL_H
#define WORKER_ACCESS_CREDENTIAL_H

#include "common/config.h"
#include "common/http.h"

#include <stdbool.h>

/* Where to look, beyond Authorization. */
struct credential_places {
	bool subprotocol;   /* the request is for a WebSocket */
	const char *cookie; /* its name; NULL: not there */
	bool query;
};

enum credential_status {
	CREDENTIAL_NONE = 0,
	CREDENTIAL_FOUND,
	CREDENTIAL_AMBIGUOUS, /* one place has several, or an empty one */
};

/* Find it.  What is found is borrowed from the request, and not yet looked
 * into. */
enum credential_status credential_find(const struct config *config,
    const struct http_request *req, const struct credential_places *places,
    struct http_text *credential);

#endif
