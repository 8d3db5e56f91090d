/* SPDX-License-Identifier: MIT */
/*
 * ws_message.h - a message that did not come in one piece.
 *
 * Used by ws_parser.c alone: the bytes so far, and how far they are known to be
 * UTF-8.  A zeroed struct is no message.
 */

#ifndef COMMON_WS_MESSAGE_H
#define COMMON_WS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws_frame.h"

struct ws_message {
	enum ws_opcode opcode; /* WS_CONTINUATION: no message has begun */
	bool is_deflated; /* its bytes are, and say nothing until the end */
	uint8_t *data;    /* owned */
	size_t len;
	size_t cap;
	size_t checked; /* bytes at its start known to be UTF-8 */
};

/*
 * Add len bytes, when more bytes are still to come; 0: nobody knows how many.
 * The memory grows with the bytes that come, not with what a frame announces,
 * which costs its sender nothing: it doubles, so that the copying stays linear,
 * within what is to come and max bytes.
 *
 * Returns: false when out of memory; the message is unchanged then.
 */
bool ws_message_append(struct ws_message *message, const void *data, size_t len,
    uint64_t more, uint64_t max);

/* Free the bytes; no message has begun. */
void ws_message_forget(struct ws_message *message);

/*
 * Can these bytes be the start of a UTF-8 text, or (is_last) are they all of
 * one?  False comes with the first byte that makes it impossible, as RFC 6455
 * section 8.1 asks for.  text is all there is so far, of which *checked bytes
 * passed before; *checked moves to the end of the last whole character.
 */
bool ws_text_check(
    const uint8_t *text, size_t len, bool is_last, size_t *checked);

#endif
