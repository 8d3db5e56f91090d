/* SPDX-License-Identifier: MIT */
/*
 * ws_whole.h - the short way in: a message that lies whole where it was read.
 *
 * Nearly every message of a client is one text frame, and nearly every read
 * ends with the last byte of one.  Such a frame needs no parser: it is unmasked
 * where it lies, and that is the message.  All else (parts of a frame, messages
 * in fragments, control frames, whatever breaks the protocol) is the parser's
 * (ws.h), which has the last word on what a frame is: this takes only what the
 * parser would tell as the same message.
 *
 *	 a read    | frame | frame | frame | fra      | me | frame | frame |
 *	 goes to     whole   whole   whole   parser     parser whole  whole
 */

#ifndef COMMON_WS_WHOLE_H
#define COMMON_WS_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message; its text is valid UTF-8, and borrowed from where it was read. */
struct ws_whole {
	char *text;
	size_t len;
};

/*
 * Take the message that len bytes from a client begin with, if they begin with
 * the whole of a masked text frame that is a message by itself, of at most
 * max_message bytes.  Its payload is unmasked in place.
 *
 * Callers: at the boundary between two messages (no parser is borrowed).
 * Returns: how many bytes the frame has; 0, with the bytes as they were, if it
 *          is the parser's.
 */
size_t ws_take_whole(
    void *data, size_t len, uint64_t max_message, struct ws_whole *whole);

/*
 * Mask, or unmask, a payload in place (RFC 6455, section 5.3).
 * Returns: whether all of the result is ASCII.
 */
bool ws_mask(uint8_t *data, size_t len, const uint8_t mask[4]);

#endif
