/* SPDX-License-Identifier: MIT */
/*
 * handshake_client.h - the opening handshake from the client's end (RFC 6455,
 * section 4.1).
 */

#ifndef COMMON_HANDSHAKE_CLIENT_H
#define COMMON_HANDSHAKE_CLIENT_H

#include "common/handshake.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct http_answer;

/*
 * Append a request to buf.  authority, target and protocol are the URL's and
 * the program's own, checked: nothing in them ends a line.  protocol is the
 * subprotocol to ask for, or NULL for none; lines are further ones of the head,
 * each with its CRLF, or NULL.  key as handshake_key() makes it.
 */
void handshake_request(struct buf *buf, const char *authority,
    const char *target, const char *protocol, const char *lines,
    const char *key);

/*
 * Does the answer open the connection that was asked for with this key and
 * protocol?  Asked only of an answer with status 101.
 *
 * Returns: NULL, or a static sentence that says what is wrong.
 */
const char *handshake_fault(
    const struct http_answer *answer, const char *protocol, const char *key);

#endif
