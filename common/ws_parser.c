/* SPDX-License-Identifier: MIT */
/*
 * ws_parser.c - take frames apart and put messages together; see ws.h.
 *
 * wslay has two layers; this module stands on the lower one, which takes
 * frames apart, and puts messages together itself.  The upper one (the event
 * API) cannot be used with untrusted peers and exact answers: it leaves two
 * bytes of every chunk of a close reason out of its UTF-8 check, so that the
 * verdict depends on how the bytes were split; it takes a close frame of one
 * byte and refuses the codes 1012 to 1014; it spends about 100 bytes of heap
 * per fragment, so that 64 KiB in fragments of one byte cost 6 MiB; and it
 * says of an error only its code.
 */

#include "common/ws_parser.h"

#include <stdlib.h>
#include <string.h>

#include "common/bug.h"
#include "common/random.h"
#include "common/utf8.h"

/* wslay wants bytes: give it those that ws_feed() was given. */
static ssize_t
ws_recv_cb(uint8_t *buf, size_t len, int flags, void *user_data)
{
	struct ws *ws = user_data;

	(void)flags;
	if (ws->is_paused || ws->in_len == 0)
		return 0;
	if (len > ws->in_len)
		len = ws->in_len;
	memcpy(buf, ws->in, len);
	ws->in += len;
	ws->in_len -= len;
	ws->unread += len;
	return (ssize_t)len;
}

/* Have wslay start at the beginning of a frame.  Returns false without memory.
 */
static bool
ws_frame_context(struct ws *ws)
{
	const struct wslay_frame_callbacks callbacks = {
		.recv_callback = ws_recv_cb,
	};

	ws->frame = NULL;
	return wslay_frame_context_init(&ws->frame, &callbacks, ws) == 0;
}

struct ws *
ws_new(struct ws_pool *pool)
{
	struct ws *ws = calloc(1, sizeof(*ws));

	if (ws == NULL)
		return NULL;
	if (!ws_frame_context(ws)) {
		free(ws);
		return NULL;
	}
	ws->pool = pool;
	return ws;
}

void
ws_free(struct ws **wsp)
{
	struct ws *ws = *wsp;

	*wsp = NULL;
	wslay_frame_context_free(ws->frame);
	ws_forget_message(ws);
	free(ws->out.data);
	free(ws);
}

uint64_t
ws_bytes(const struct ws *ws)
{
	return ws->message.len;
}

void
ws_allow_deflate(struct ws *ws)
{
	ws->may_deflate = true;
}

/* Put the answer to a ping into the output. */
static void
ws_queue_pong(struct ws *ws)
{
	struct ws_out *out = &ws->out;
	size_t room = ws->control_len + WS_HEADER_MAX;
	uint8_t mask[4], *at;

	if (out->cap - out->len < room) {
		size_t cap = 2 * out->cap + room;

		if ((at = realloc(out->data, cap)) == NULL) {
			ws->status = WS_NOMEM;
			return;
		}
		out->data = at;
		out->cap = cap;
	}
	at = out->data + out->len;
	if (ws->pool->role == WS_CLIENT) {
		/* Cannot fail: so few bytes, and not interruptible. */
		random_fill(mask, sizeof(mask));
		out->len += ws_frame_masked(
		    at, WS_PONG, mask, ws->control, ws->control_len);
	} else {
		size_t header = ws_frame_header(at, WS_PONG, ws->control_len);

		memcpy(at + header, ws->control, ws->control_len);
		out->len += header + ws->control_len;
	}
	ws->pool->events.control(ws->owner, WS_PING);
}

/* Codes that may stand in a close frame: section 7.4, and IANA's registry. */
static bool
ws_code_is_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	       (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void
ws_got_close(struct ws *ws)
{
	const uint8_t *payload = ws->control;
	size_t len = ws->control_len;
	unsigned code;

	if (len == 0) {
		ws->status = WS_ENDED;
		ws->pool->events.closing(ws->owner, true, WS_CODE_NONE, "", 0);
		return;
	}
	if (len == 1) {
		ws_fail(ws, WS_CODE_PROTOCOL,
		    "protocol error: close frame of one byte");
		return;
	}
	code = (unsigned)payload[0] << 8 | payload[1];
	if (!ws_code_is_valid(code)) {
		ws_fail(ws, WS_CODE_PROTOCOL, "protocol error: close code %u",
		    code);
	} else if (!utf8_valid(payload + 2, len - 2)) {
		ws_fail(ws, WS_CODE_BAD_DATA, "invalid UTF-8 in close reason");
	} else {
		ws->status = WS_ENDED;
		ws->pool->events.closing(
		    ws->owner, true, code, (const char *)payload + 2, len - 2);
	}
}

/* A piece of a control frame came in; they are short, so collect first. */
static void
ws_control_piece(struct ws *ws, const struct wslay_frame_iocb *io)
{
	memcpy(ws->control + ws->control_len, io->data, io->data_length);
	ws->control_len += io->data_length;
	if (ws->frame_left > 0)
		return;
	if (io->opcode == WS_CLOSE)
		ws_got_close(ws);
	else if (io->opcode == WS_PING)
		ws_queue_pong(ws);
	else
		ws->pool->events.control(ws->owner, WS_PONG);
	ws->control_len = 0;
}

/* Whether the frame's reserved bits may be what they are: none, or of the first
 * frame of a compressed message that one (RFC 7692, section 6). */
static bool
ws_may_reserve(const struct ws *ws, const struct wslay_frame_iocb *io)
{
	return io->rsv == 0 ||
	       (io->rsv == WSLAY_RSV1_BIT && ws->may_deflate &&
		   (io->opcode == WS_TEXT || io->opcode == WS_BINARY));
}

/* Returns the fault of a frame's header, or NULL. */
static const char *
ws_header_fault(const struct ws *ws, const struct wslay_frame_iocb *io)
{
	bool in_message = ws->message.opcode != WS_CONTINUATION;

	if (!ws_may_reserve(ws, io))
		return "reserved bits";
	if (io->mask != (ws->pool->role == WS_SERVER))
		return io->mask ? "masked frame" : "frame without mask";
	switch (io->opcode) {
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return NULL;
	case WS_TEXT:
	case WS_BINARY:
		return in_message ? "new message inside another" : NULL;
	case WS_CONTINUATION:
		return in_message ? NULL : "continuation of no message";
	default:
		return "reserved opcode";
	}
}

/* The first bytes of a frame came in: judge its header. */
static void
ws_frame_begin(struct ws *ws, const struct wslay_frame_iocb *io)
{
	const char *fault = ws_header_fault(ws, io);

	ws->in_frame = true;
	ws->frame_left = io->payload_length;
	if (fault != NULL) {
		ws_fail(ws, WS_CODE_PROTOCOL, "protocol error: %s", fault);
		return;
	}
	if (wslay_is_ctrl_frame(io->opcode))
		return;
	if (io->opcode != WS_CONTINUATION) {
		ws->message.opcode = io->opcode;
		ws->message.is_deflated = io->rsv != 0;
	}
	if (io->payload_length > ws_wire_max(ws) - ws->message.len)
		ws_fail_too_big(ws);
}

/* Bytes of a frame with its header; wslay refuses lengths not written in the
 * shortest form, so that they follow from the payload's. */
static uint64_t
ws_frame_len(const struct wslay_frame_iocb *io)
{
	uint8_t header[WS_HEADER_MAX];

	return ws_frame_header(header, WS_TEXT, io->payload_length) +
	       (io->mask ? 4 : 0) + io->payload_length;
}

/* A frame, or a piece of its payload, came in. */
static void
ws_frame_piece(struct ws *ws, const struct wslay_frame_iocb *io)
{
	if (!ws->in_frame)
		ws_frame_begin(ws, io);
	if (ws->status != WS_OK)
		return;
	ws->frame_left -= io->data_length;
	if (ws->frame_left == 0) {
		ws->in_frame = false;
		ws->unread -= ws_frame_len(io);
	}
	if (wslay_is_ctrl_frame(io->opcode))
		ws_control_piece(ws, io);
	else
		ws_data_piece(ws, io);
}

/* Paused at the end of a frame: give back what wslay has read ahead.  All of
 * that is from this ws_feed(), as the frame's last byte was. */
static void
ws_read_back(struct ws *ws)
{
	if (ws->unread == 0)
		return;
	ws->in -= ws->unread;
	ws->in_len += ws->unread;
	ws->unread = 0;
	wslay_frame_context_free(ws->frame);
	if (!ws_frame_context(ws))
		ws->status = WS_NOMEM;
}

enum ws_status
ws_feed(struct ws *ws, const void *data, size_t len, size_t *taken)
{
	struct wslay_frame_iocb io;
	ssize_t n;

	CHECK(ws->status == WS_OK);
	ws->in = data;
	ws->in_len = len;
	ws->is_paused = false;
	while (ws->status == WS_OK && (ws->in_len > 0 || ws->unread > 0)) {
		n = wslay_frame_recv(ws->frame, &io);
		if (n == WSLAY_ERR_WANT_READ)
			break;
		if (n < 0)
			ws_fail(ws, WS_CODE_PROTOCOL,
			    "protocol error: bad length, or control frame in "
			    "parts");
		else
			ws_frame_piece(ws, &io);
		if (ws->is_paused && !ws->in_frame && ws->status == WS_OK) {
			ws_read_back(ws);
			break;
		}
	}
	*taken = len - ws->in_len;
	ws->in = NULL;
	ws->in_len = 0;
	return ws->status;
}

uint64_t
ws_frame_rest(const struct ws *ws)
{
	return ws->in_frame ? ws->frame_left : 0;
}

void
ws_pause(struct ws *ws)
{
	ws->is_paused = true;
}

size_t
ws_output(struct ws *ws, void *to, size_t cap)
{
	struct ws_out *out = &ws->out;
	size_t copied = 0;

	while (out->off + copied < out->len) {
		const uint8_t *frame = out->data + out->off + copied;
		size_t len = 2u + (frame[1] & 0x7f) + (frame[1] & 0x80 ? 4 : 0);

		if (len > cap - copied)
			break;
		copied += len;
	}
	if (copied == 0)
		return 0;
	memcpy(to, out->data + out->off, copied);
	out->off += copied;
	if (out->off == out->len) {
		free(out->data);
		*out = (struct ws_out){ .data = NULL };
	}
	return copied;
}

bool
ws_is_clean(const struct ws *ws)
{
	return ws->status == WS_OK && ws->unread == 0 &&
	       ws->message.opcode == WS_CONTINUATION && ws->out.len == 0;
}
