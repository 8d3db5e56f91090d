/* SPDX-License-Identifier: MIT */
/*
 * ws_frame.h - what frames are made of, and frames to be sent (RFC 6455,
 * section 5.2).
 *
 * Outgoing messages do not pass through wslay, which would copy each into a
 * queue of its own for each receiver: a frame is encoded once for all who get
 * it, and an unmasked server frame is shared bytes.
 */

#ifndef COMMON_WS_FRAME_H
#define COMMON_WS_FRAME_H

#include <stddef.h>
#include <stdint.h>

struct buf;

#define WS_HEADER_MAX 14   /* bytes: 2 + 8 length + 4 mask */
#define WS_RSV1       0x40 /* bit of the first byte: it is compressed */
#define WS_REASON_MAX 123  /* bytes of a close frame's reason, section 5.5 */
#define WS_OUTPUT_MAX (WS_HEADER_MAX + 125) /* bytes of a control frame */

enum ws_opcode {
	WS_CONTINUATION = 0x0,
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xa,
};

/* Close codes, section 7.4.1, and this server's own. */
enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_GOING_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_UNSUPPORTED = 1003,
	WS_CODE_NONE = 1005, /* a close frame without a code; never sent */
	WS_CODE_BAD_DATA = 1007,
	WS_CODE_POLICY = 1008,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011,
	WS_CODE_RESTART = 1012,
	WS_CODE_TRY_LATER = 1013,
	WS_CODE_UNAUTHORIZED = 4001, /* a token is needed, or another one */
	WS_CODE_EXPIRED = 4103,      /* the token was good until now */
	WS_CODE_TOO_SLOW = 4200,
};

/*
 * Write the header of an unmasked final frame of len bytes (section 5.2).
 * Returns its length, 2, 4 or 10.
 */
size_t ws_frame_header(
    uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, uint64_t len);

/* Returns: the length of an unmasked frame's header, which begins here. */
static inline size_t
ws_frame_header_len(const uint8_t *frame)
{
	return frame[1] < 126 ? 2 : frame[1] == 126 ? 4 : 10;
}

/*
 * Put an unmasked text frame together at the end of buf: ws_text_open() leaves
 * room for the header and returns where the frame starts, the caller appends
 * the text, ws_text_close() writes the header and moves the text up to it.
 * Returns: by how many bytes.
 */
size_t ws_text_open(struct buf *buf);
size_t ws_text_close(struct buf *buf, size_t start);

/*
 * Write a masked final frame (what a client sends) with the given mask to out,
 * which has room for len + WS_HEADER_MAX bytes.  Returns the frame's length.
 */
size_t ws_frame_masked(uint8_t *out, enum ws_opcode opcode,
    const uint8_t mask[4], const void *data, size_t len);

/*
 * Write an unmasked close frame; a reason longer than WS_REASON_MAX is cut at
 * a character's boundary.  code WS_CODE_NONE makes an empty one.  out has room
 * for WS_OUTPUT_MAX bytes.  Returns the frame's length.
 */
size_t ws_close_frame(uint8_t *out, unsigned code, const char *reason);

#endif
