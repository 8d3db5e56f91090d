/* SPDX-License-Identifier: MIT */
/*
 * web.h - hosts and origins as the web names them, taken apart and compared.
 *
 * One host has many spellings: upper and lower case, a trailing dot, an IPv6
 * address with its zeros, a port that is the default anyway.  Parsing brings
 * them into one form, so that they can be compared.  All names of the loopback
 * interface (localhost and what ends in .localhost, 127.0.0.0/8, ::1, both also
 * mapped into IPv6) are one host, because users type any of them.
 *
 * Names are not looked up, so nothing here asks the network.
 */

#ifndef COMMON_WEB_H
#define COMMON_WEB_H

#include "common/http_text.h"

#include <stdbool.h>
#include <stdint.h>

#define WEB_PORT_NONE (-1)

/* Borrows the text that it was parsed from, and so does a web_origin. */
struct web_host {
	struct http_text name; /* as written, without a trailing dot */
	int port;              /* as written, or WEB_PORT_NONE */
	bool is_loopback;
	bool is_ipv6;
	uint8_t ipv6[16]; /* if is_ipv6 */
};

struct web_origin {
	struct http_text scheme;
	struct web_host host; /* port: as written, or that of the scheme */
};

/*
 * Parse host[:port].
 *
 * Returns: false if text is empty or cannot be a host.
 */
bool web_host_parse(const struct http_text *text, struct web_host *host);

/* Returns: whether both are the same host; ports do not count. */
bool web_host_equal(const struct web_host *a, const struct web_host *b);

/*
 * Parse scheme://host[:port], the form of an Origin line, with nothing behind
 * it.  Only http, https, ws and wss must have a host; pages of other schemes
 * (file://) may come from none.
 *
 * Returns: false for anything else, "null" included.
 */
bool web_origin_parse(const struct http_text *text, struct web_origin *origin);

/* The same for an origin that a person wrote: the slash that an address bar
 * shows behind the host may be there. */
bool web_origin_parse_written(
    const struct http_text *text, struct web_origin *origin);

/* Returns: whether scheme, host and port are the same. */
bool web_origin_equal(const struct web_origin *a, const struct web_origin *b);

/*
 * The port that a scheme has when none is written.  Some programs that are no
 * browsers give the URL of the WebSocket itself as their origin, so ws and wss
 * have those of http and https.
 *
 * Returns: WEB_PORT_NONE if it is none of the four.
 */
int web_default_port(const struct http_text *scheme);

#endif
