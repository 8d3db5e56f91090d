/* SPDX-License-Identifier: MIT */
/*
 * ws_data.c - messages, from the pieces of their frames; see ws_parser.h.
 *
 * A message that is whole in wslay's buffer, as most are, is told from there;
 * others are collected first (ws_message.h).
 */

#include "common/ws_parser.h"

#include "common/bug.h"
#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The peer broke the protocol: tell why, and end. */
void
ws_fail(struct ws *ws, unsigned code, const char *format, ...)
{
	char reason[WS_REASON_MAX + 1];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	ws->status = WS_ENDED;
	ws->pool->events.closing(
	    ws->owner, false, code, reason, strlen(reason));
}

void
ws_forget_message(struct ws *ws)
{
	ws->pool->bytes -= ws->message.len;
	ws_message_forget(&ws->message);
}

uint64_t
ws_wire_max(const struct ws *ws)
{
	uint64_t max = ws->pool->max_message;

	return ws->message.is_deflated ? max + max / 16 + 64 : max;
}

void
ws_fail_too_big(struct ws *ws)
{
	ws_fail(ws, WS_CODE_TOO_BIG, "message over %llu bytes",
	    (unsigned long long)ws->pool->max_message);
}

/* Have the text in the place of what has come.  Returns false if there is none;
 * then that has been told. */
static bool
ws_inflate(struct ws *ws, const char **data, size_t *len)
{
	struct ws_pool *pool = ws->pool;
	size_t from = *len;

	if (pool->inflater == NULL)
		pool->inflater = inflater_new(pool->max_message);
	if (pool->inflater == NULL) {
		ws->status = WS_NOMEM;
		return false;
	}
	switch (inflate_message(pool->inflater, *data, *len, data, len)) {
	case INFLATE_OK:
		if (pool->events.inflated != NULL)
			pool->events.inflated(ws->owner, from, *len);
		return true;
	case INFLATE_TOO_BIG:
		ws_fail_too_big(ws);
		return false;
	case INFLATE_BAD:
		ws_fail(ws, WS_CODE_BAD_DATA, "invalid compressed data");
		return false;
	case INFLATE_NOMEM:
		ws->status = WS_NOMEM;
		return false;
	}
	BUG("inflate_message() returned something else");
}

/* All of a message is there; if it was not compressed, text has been judged. */
static void
ws_message_end(struct ws *ws, const char *data, size_t len)
{
	const struct ws_message *message = &ws->message;

	if (message->is_deflated) {
		if (!ws_inflate(ws, &data, &len))
			return;
		if (message->opcode == WS_TEXT && !utf8_valid(data, len)) {
			ws_fail(ws, WS_CODE_BAD_DATA, "invalid UTF-8");
			return;
		}
	}
	ws->pool->events.message(ws->owner, message->opcode, data, len);
	ws_forget_message(ws);
}

void
ws_data_piece(struct ws *ws, const struct wslay_frame_iocb *io)
{
	struct ws_message *message = &ws->message;
	bool is_last = io->fin && ws->frame_left == 0;
	const uint8_t *data = io->data;
	size_t len = io->data_length;

	if (!is_last && ws->frame_left == 0 && ws->pool->events.fragment)
		ws->pool->events.fragment(ws->owner);
	if (len == 0 && !is_last)
		return;
	if (!is_last || message->len > 0) {
		/* Behind a fragment more of the message follows than is known. */
		if (!ws_message_append(message, data, len,
			io->fin ? ws->frame_left : 0, ws_wire_max(ws))) {
			ws->status = WS_NOMEM;
			return;
		}
		ws->pool->bytes += len;
		data = message->data;
		len = message->len;
	}
	if (message->opcode == WS_TEXT && !message->is_deflated &&
	    !ws_text_check(data, len, is_last, &message->checked))
		ws_fail(ws, WS_CODE_BAD_DATA, "invalid UTF-8");
	else if (is_last)
		ws_message_end(ws, (const char *)data, len);
}
