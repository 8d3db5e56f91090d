/* SPDX-License-Identifier: MIT */
/*
 * ws_deflate.h - permessage-deflate in the handshake: what a client offers, and
 * the answer (RFC 7692, section 7.1; the grammar is RFC 6455's, section 9.1).
 *
 * The answer always asks both sides to forget the window after each message, which
 * a server may whether it was offered or not: deflate.h says what for.  What the
 * client says of its own window (client_max_window_bits) needs no answer, because
 * here any can be inflated.
 */

#ifndef COMMON_WS_DEFLATE_H
#define COMMON_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the longest answer, with its NUL. */
#define WS_DEFLATE_ANSWER_MAX 128u

struct http_request;

/* What was agreed on. */
struct ws_deflate {
	/* The window that the client will inflate with, log2 of bytes, 8 to
	 * 15: below DEFLATE_WINDOW_BITS, nothing that is compressed here is
	 * for it. */
	uint8_t window_bits;
	bool has_window; /* the client has said it, so it must be answered */
};

/*
 * Choose the first offer that can be accepted, of all that the request makes.
 * Parameters that are unknown, doubled or malformed decline an offer, never the
 * handshake.  *declined is how many offers of permessage-deflate came before the
 * accepted one, or were all.
 * Returns: whether there is one.
 */
bool ws_deflate_choose(const struct http_request *req,
    struct ws_deflate *agreed, unsigned *declined);

/* Write the value of Sec-WebSocket-Extensions that accepts the offer, with NUL. */
void ws_deflate_answer(
    const struct ws_deflate *agreed, char out[WS_DEFLATE_ANSWER_MAX]);

#endif
