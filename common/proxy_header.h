/* SPDX-License-Identifier: MIT */
/*
 * proxy_header.h - the header of the PROXY protocol, versions 1 and 2: what a
 * proxy that passes on bytes says, in front of them, of the client that it has
 * them from.
 *
 *	1:  PROXY TCP4 203.0.113.9 192.0.2.1 56324 443\r\n
 *
 *	2:  +-------------+---------+--------+--------+-----------------+------+
 *	    | 12 bytes \r | version | family | length | source and      | TLVs |
 *	    | \n\r\n\0... | command |        | 16 bit | destination     |      |
 *	    +-------------+---------+--------+--------+-----------------+------+
 *
 * The protocol is HAProxy's (proxy-protocol.txt).  What its text leaves open is
 * refused: it stands in front of everything else, so a byte too many or too few
 * shifts what a client is taken to have said.
 */

#ifndef COMMON_PROXY_HEADER_H
#define COMMON_PROXY_HEADER_H

#include "common/ip.h"

#include <stdbool.h>
#include <stddef.h>

enum proxy_header_status {
	PROXY_HEADER_OK = 0,  /* a whole header */
	PROXY_HEADER_PARTIAL, /* all bytes belong to one; more are needed */
	PROXY_HEADER_BAD,     /* it is none: close the connection */
};

struct proxy_header {
	size_t len;       /* bytes; what follows is the client's */
	bool has_address; /* no: the proxy speaks for itself, or the client's
	                     address is none of IP (UNKNOWN, LOCAL, UNSPEC) */
	struct ip_address client; /* if has_address */
	const char *why;          /* on PROXY_HEADER_BAD: a static text */
};

/*
 * Parse the header at the start of data.  Call it whenever more bytes have come,
 * with all of them.  max: the longest that is allowed, bytes; at least 107, which
 * is as long as one of version 1 can be.
 */
enum proxy_header_status proxy_header_parse(
    const void *data, size_t len, size_t max, struct proxy_header *header);

#endif
