/* SPDX-License-Identifier: MIT */
/* upgrade.h - from a request for a WebSocket to one (RFC 6455, 4.2). */

#ifndef WORKER_WS_UPGRADE_H
#define WORKER_WS_UPGRADE_H

struct conn;
struct http_request;

/* Answer GET /ws: 101 and a WebSocket from now on, or an error. */
void ws_upgrade(struct conn *c, const struct http_request *req);

#endif
