/* SPDX-License-Identifier: MIT */
/*
 * http.h - parse the head of an HTTP/1.x request (RFC 9110, RFC 9112).
 *
 * The parser takes a buffer and gives back ranges into it: nothing is copied
 * and nothing allocated.  It is strict on purpose.  Two programs that read
 * one request differently are how requests are smuggled past a proxy, so
 * whatever could be read in two ways is refused here: a bare LF, a folded
 * line, a space before a colon, a second Content-Length or Host, both
 * Content-Length and Transfer-Encoding, control characters.
 *
 * Bodies are not read here, and percent-encoding is left as it is
 * (percent.h).  Responses are written by http_response.h.
 */

#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include "common/http_header.h"

#include <stddef.h>

/*
 * Parse the request head at the start of buf.  Call it whenever more bytes
 * have come in; *scanned, 0 for a new request, remembers how far it has
 * looked for the end, so that a head coming byte by byte is read once.  The
 * buffer may move between calls.  An empty line before the request is
 * skipped, being part of the head.
 *
 * head_max is the longest head allowed, in bytes with its last empty line.
 *
 * Returns: HTTP_OK with req filled in; HTTP_PARTIAL with nothing in req;
 *          HTTP_REFUSED with only status and why in it.  The latter may come
 *          before the head is complete.
 */
enum http_parse http_parse_request(const char *buf, size_t len, size_t head_max,
    size_t *scanned, struct http_request *req);

#endif
