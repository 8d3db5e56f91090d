/* SPDX-License-Identifier: MIT */
/*
 * ws_parser.h - the inside of a parser and of its pool.  Included only by
 * ws_parser.c, which feeds parsers, ws_data.c, which makes messages of what they
 * bring, and ws_pool.c, which lends them out.
 *
 * wslay reads ahead: it takes as many bytes as its own 4 KiB hold, even if it
 * needs fewer.  unread counts the bytes that wslay has taken, less those of
 * finished frames; at 0, outside of a message, the parser holds nothing and may
 * serve another connection as it is.  So lending it out needs no clearing.
 *
 * The user_data of a wslay context is fixed when the context is made, hence it
 * points at struct ws, which knows the present owner.
 */

#ifndef COMMON_WS_PARSER_H
#define COMMON_WS_PARSER_H

#include "common/deflate.h"
#include "common/ws.h"
#include "common/ws_message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wslay/wslay.h>

#define WS_CONTROL_MAX 125 /* bytes of a control frame's payload */

/* Frames to be sent; those before off have been taken. */
struct ws_out {
	uint8_t *data;
	size_t off;
	size_t len;
	size_t cap;
};

struct ws {
	struct ws_pool *pool;
	struct ws *next; /* in the pool, while spare */
	void *owner;
	wslay_frame_context_ptr frame;

	const uint8_t *in; /* given to ws_feed(), not yet taken by wslay */
	size_t in_len;
	uint64_t unread; /* bytes taken, less those of finished frames */
	bool is_paused;
	enum ws_status status;

	bool may_deflate;    /* ws_allow_deflate() */
	bool in_frame;       /* its header has been judged */
	uint64_t frame_left; /* bytes of its payload still to come */
	struct ws_message message;
	uint8_t control[WS_CONTROL_MAX];
	size_t control_len;
	struct ws_out out;
};

struct ws_pool {
	enum ws_role role;
	uint64_t max_message;
	struct ws_events events;
	struct ws *spare;
	unsigned spare_count;
	unsigned spare_max;
	size_t lent;
	uint64_t bytes;            /* of incomplete messages */
	struct inflater *inflater; /* owned; NULL: nobody has needed it yet */
};

/* Make a parser at the beginning of a frame.  NULL: out of memory. */
struct ws *ws_new(struct ws_pool *pool);

/* Free a parser, whatever it has half-read, and leave NULL. */
void ws_free(struct ws **ws);

/* The peer broke the protocol: tell with which code and why to close, and end. */
void ws_fail(struct ws *ws, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same: its message is too long. */
void ws_fail_too_big(struct ws *ws);

/* Bytes that the message which has begun may have as it comes.  What does not
 * become smaller by compression becomes larger, by little. */
uint64_t ws_wire_max(const struct ws *ws);

/* A piece of a data frame came in; it is the frame's last one if nothing of that
 * is left. */
void ws_data_piece(struct ws *ws, const struct wslay_frame_iocb *io);

/* What there is of a message is gone. */
void ws_forget_message(struct ws *ws);

#endif
