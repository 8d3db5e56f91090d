/* SPDX-License-Identifier: MIT */
/* upgrade.h - from a request for a WebSocket to one (RFC 6455, 4.2). */

#ifndef WORKER_WS_UPGRADE_H
#define WORKER_WS_UPGRADE_H

#include <stdbool.h>

struct conn;
struct http_request;
struct http_text;

/* Whether WebSockets are to be had at a path: /ws, or one of a protocol's own. */
bool ws_is_at(const struct conn *c, const struct http_text *path);

/* Answer a GET of such a path: 101 and a WebSocket from now on, or an error. */
void ws_upgrade(struct conn *c, const struct http_request *req);

#endif
