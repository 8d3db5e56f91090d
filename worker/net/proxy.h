/* SPDX-License-Identifier: MIT */
/*
 * proxy.h - connections of a listener that has the PROXY protocol in front: their
 * first bytes are a header that tells the client (common/proxy_header.h).
 *
 *	accept --> the header --> admit_peer(the client) --> TLS, or a request
 *
 * Nothing behind the header is read here, so TLS finds its bytes in the socket.
 * Until it has come the connection counts for nobody, and has the time of a
 * request's head.  One that begins with anything else is closed at once: who
 * comes past the proxy is not served.
 */

#ifndef WORKER_NET_PROXY_H
#define WORKER_NET_PROXY_H

#include <stdbool.h>

struct conn;

/* A connection has been accepted from such a listener; it has a struct proxied.
 * tls: TLS begins behind the header. */
void proxy_accept(struct conn *c, bool tls);

#endif
