/* SPDX-License-Identifier: MIT */
/*
 * forwarded.h - whom a proxy has a request from: X-Forwarded-For, and Forwarded
 * (RFC 7239).
 *
 * Each proxy on the way appends the address of its own peer, so the list is read
 * from its end, and only as far as those who wrote it are trusted:
 *
 *	X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.7
 *	                 ^             ^            ^
 *	                 |             |            told by our peer; trusted
 *	                 |             told by 10.0.0.7; not trusted: the client
 *	                 whatever that client has sent; never looked at
 *
 * If all are trusted, the first of them is the client.
 *
 * A proxy that writes one of the two headers may pass on the other as its client
 * has sent it.  So if there are both, they must tell the same client.
 */

#ifndef COMMON_FORWARDED_H
#define COMMON_FORWARDED_H

#include "common/http_header.h"
#include "common/ip.h"

#include <stddef.h>

enum forwarded_status {
	FORWARDED_OK = 0,
	FORWARDED_NONE, /* nothing is told */
	FORWARDED_BAD,  /* what is told is no address, or is two */
};

/*
 * Find the client of a request that has come from a trusted proxy.  An address
 * may have a port, and IPv6 brackets.  What is hidden ("unknown", "_name") is
 * FORWARDED_BAD.
 */
enum forwarded_status forwarded_client(const struct http_request *req,
    const struct ip_network *trusted, size_t trusted_count,
    struct ip_address *client);

#endif
