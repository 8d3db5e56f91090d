/* SPDX-License-Identifier: MIT */
/* ws_frame.c - see ws_frame.h. */

#include "common/ws_frame.h"

#include "common/buf.h"

#include <string.h>

size_t
ws_frame_header(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, uint64_t len)
{
	int shift;
	size_t n = 2;

	out[0] = (uint8_t)(0x80 | opcode);
	if (len < 126) {
		out[1] = (uint8_t)len;
		return n;
	}
	out[1] = len < 65536 ? 126 : 127;
	for (shift = len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
		out[n++] = (uint8_t)(len >> shift);
	return n;
}

size_t
ws_frame_masked(uint8_t *out, enum ws_opcode opcode, const uint8_t mask[4],
    const void *data, size_t len)
{
	const uint8_t *from = data;
	size_t header = ws_frame_header(out, opcode, len);

	out[1] |= 0x80;
	memcpy(out + header, mask, 4);
	out += header + 4;
	for (size_t i = 0; i < len; i++)
		out[i] = from[i] ^ mask[i % 4];
	return header + 4 + len;
}

size_t
ws_close_frame(uint8_t *out, unsigned code, const char *reason)
{
	size_t len = strlen(reason);

	if (code == WS_CODE_NONE)
		return ws_frame_header(out, WS_CLOSE, 0);
	if (len > WS_REASON_MAX)
		for (len = WS_REASON_MAX; (reason[len] & 0xc0) == 0x80; len--)
			;
	ws_frame_header(out, WS_CLOSE, 2 + len);
	out[2] = (uint8_t)(code >> 8);
	out[3] = (uint8_t)code;
	memcpy(out + 4, reason, len);
	return 4 + len;
}

size_t
ws_text_open(struct buf *buf)
{
	size_t start = buf->len;

	buf_room(buf, WS_HEADER_MAX);
	buf->len += WS_HEADER_MAX;
	return start;
}

size_t
ws_text_close(struct buf *buf, size_t start)
{
	size_t len = buf->len - start - WS_HEADER_MAX;
	char *at = buf->at + start;
	uint8_t header[WS_HEADER_MAX];
	size_t header_len = ws_frame_header(header, WS_TEXT, len);

	memcpy(at, header, header_len);
	memmove(at + header_len, at + WS_HEADER_MAX, len);
	buf->len = start + header_len + len;
	return WS_HEADER_MAX - header_len;
}
