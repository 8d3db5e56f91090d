/* SPDX-License-Identifier: MIT */
/*
 * ws.h - RFC 6455 frames, both roles: bytes in, events out.
 *
 * wslay takes the frames apart; only ws_parser.c uses it.  Nothing here knows a
 * socket: the caller reads bytes and feeds them in, and events come back by
 * callback.  A parser is some 4.5 KiB, far more than an idle connection may
 * cost, so it is borrowed from a pool while a frame or a message is incomplete
 * and given back at a clean boundary (ws_is_clean()).
 *
 *	recv(2) --bytes--> ws_feed() --+--> message, pong, closing  (events)
 *	                               +--> output: pongs to send back
 *
 * Outgoing messages do not pass through wslay; see ws_frame.h.
 *
 * Not here: the handshake (common/handshake.h), timeouts, and when to close the
 * connection, which the owner of the socket decides.
 */

#ifndef COMMON_WS_H
#define COMMON_WS_H

#include "common/ws_frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_role { WS_SERVER, WS_CLIENT };

/*
 * The events, told from within ws_feed().  data is borrowed until the callback
 * returns.  A callback may mark its owner dead but must not give the parser
 * back; it may call ws_pause().
 */
struct ws_events {
	/* A whole message; opcode is WS_TEXT (valid UTF-8) or WS_BINARY. */
	void (*message)(
	    void *owner, enum ws_opcode opcode, const char *data, size_t len);
	/* A frame came in whole that is not the last of its message.  NULL:
	 * nobody wants to know. */
	void (*fragment)(void *owner);
	/* The message that is told next came compressed: in from bytes, which
	 * became to bytes.  NULL: likewise. */
	void (*inflated)(void *owner, size_t from, size_t to);
	/* A ping came in and its pong is in the output; or a pong came in. */
	void (*control)(void *owner, enum ws_opcode opcode);
	/*
	 * No more messages will come.  by_peer: its close frame came, with code
	 * (WS_CODE_NONE if it had none) and reason (bytes of UTF-8).  Otherwise
	 * the peer broke the protocol: code (1002, 1007 or 1009) and reason are
	 * what to close with.
	 */
	void (*closing)(void *owner, bool by_peer, unsigned code,
	    const char *reason, size_t reason_len);
};

struct ws; /* a parser, borrowed while a frame or message is incomplete */
struct buf;
struct ws_pool; /* the parsers of one process */

enum ws_status {
	WS_OK = 0, /* all bytes taken (or the owner paused: see *taken) */
	WS_ENDED,  /* closing was told; feed no more */
	WS_NOMEM,  /* out of memory inside wslay: close with 1011 */
};

/*
 * Make a pool.  A message longer than max_message bytes (all fragments
 * together) ends in closing with 1009.  At most spare parsers are kept when
 * idle.  events is copied.
 * Owns: the caller, until ws_pool_free().
 */
struct ws_pool *ws_pool_new(enum ws_role role, uint64_t max_message,
    unsigned spare, const struct ws_events *events);

/* Free the pool and every parser in it; all borrowed ones must be back. */
void ws_pool_free(struct ws_pool **pool);

/* Parsers lent out now. */
size_t ws_pool_lent(const struct ws_pool *pool);

/* Bytes of messages that are incomplete, in all parsers and in one of them. */
uint64_t ws_pool_bytes(const struct ws_pool *pool);
uint64_t ws_bytes(const struct ws *ws);

/* Borrow a parser for owner (passed to every event).  NULL: out of memory. */
struct ws *ws_borrow(struct ws_pool *pool, void *owner);

/* Give a parser back, clean or not, and leave NULL.  Only a clean one is kept
 * for the next owner. */
void ws_return(struct ws_pool *pool, struct ws **ws);

/*
 * The peer has agreed on permessage-deflate (ws_deflate.h): until the parser is
 * given back, its messages may be compressed (RFC 7692, section 6).  They are
 * collected as they come and inflated when they are whole, all of a pool by one
 * inflater, within max_message bytes; text is judged then.
 */
void ws_allow_deflate(struct ws *ws);

/*
 * Feed len bytes as they came from the peer, split anywhere: the split makes
 * no difference to the events.  Events are told in order.  *taken says how many
 * bytes were used: all of them, unless an event paused the parser or the
 * connection ended; feed the rest again later (WS_OK) or throw it away
 * (WS_ENDED).  A frame's header is judged when the first byte of its payload
 * is there.  The output grows by one pong for every ping.
 *
 * Blocks: never.
 */
enum ws_status ws_feed(
    struct ws *ws, const void *data, size_t len, size_t *taken);

/*
 * Bytes until the end of the frame that was begun; 0: none was, or its header
 * is not whole.  Fed no more than that, the parser is clean again where a
 * message ends, and the next may be taken the short way (ws_whole.h).
 */
uint64_t ws_frame_rest(const struct ws *ws);

/*
 * From within an event: this is the last one of this ws_feed(), which takes no
 * byte behind its frame.  The next ws_feed() starts unpaused.
 */
void ws_pause(struct ws *ws);

/*
 * Pongs waiting to be sent, as whole frames: at most cap bytes are copied to
 * out and leave the parser.  A caller with room for WS_OUTPUT_MAX bytes gets at
 * least one whole frame.  Returns the number of bytes copied, 0 when empty.
 * The close frame is the owner's to make (ws_close_frame()).
 */
size_t ws_output(struct ws *ws, void *out, size_t cap);

/*
 * Whether nothing is half-read and nothing waits in the output, so that the
 * parser can be given back without loss.
 */
bool ws_is_clean(const struct ws *ws);

#endif
