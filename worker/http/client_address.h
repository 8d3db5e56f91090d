/* SPDX-License-Identifier: MIT */
/*
 * client_address.h - whose a request is that has come through a proxy.
 *
 * A trusted proxy (--trust-proxy) says in the head of each request which client
 * it has it from (common/forwarded.h).  The connection then counts for that
 * client's address (net/peer.h), as if the client had connected itself.
 */

#ifndef WORKER_HTTP_CLIENT_ADDRESS_H
#define WORKER_HTTP_CLIENT_ADDRESS_H

#include <stdbool.h>

struct conn;
struct http_request;

/*
 * A request has come, over a connection of any kind.  Returns whether to serve
 * it now.  If not, it was refused (the connection closes), or the connection is
 * paused for the rate of its address: the same head has to be parsed again when
 * it goes on.
 */
bool client_address_admits(struct conn *c, const struct http_request *req);

#endif
