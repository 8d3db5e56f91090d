/* SPDX-License-Identifier: MIT */
/*
 * ws_client.h - the client's end of a WebSocket connection (RFC 6455).
 *
 *	NONE --> SHAKING --> OPEN --> CLOSING --> NONE
 *	 connected  101       our close
 *	 socket     answer    frame is sent
 *
 * It speaks on a connected socket (connect.h) and knows no event loop, no clock
 * and no subprotocol's words: the owner waits until the socket is readable or
 * writable, and decides how long anything may take.  Nothing here blocks.
 *
 * A process may have one connection or ten thousand.  What all of them have in
 * common, room to read into and parsers included, is in their group; one that
 * is open and has nothing half-read and nothing unsent owns no memory but this
 * struct.
 */

#ifndef BROKER_CLI_CLIENT_WS_CLIENT_H
#define BROKER_CLI_CLIENT_WS_CLIENT_H

#include "broker/cli/client/outbuf.h"
#include "broker/cli/client/outcome.h"
#include "broker/cli/client/tls_client.h"
#include "common/ws.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client_handshake;
struct ws_client;

enum ws_client_state {
	WS_CLIENT_NONE = 0,
	WS_CLIENT_SHAKING, /* the request is on its way */
	WS_CLIENT_OPEN,
	WS_CLIENT_CLOSING, /* waiting for the server's end; nothing is sent */
};

/* Told from within ws_client_read().  They may send and close. */
struct ws_client_events {
	/* The connection is OPEN. */
	void (*opened)(struct ws_client *c);
	/* A whole message, not while CLOSING; data is borrowed. */
	void (*message)(struct ws_client *c, enum ws_opcode opcode,
	    const char *data, size_t len);
};

/* Where connections go, and what they share. */
struct ws_client_group {
	const char *authority; /* HOST[:PORT], for the Host line */
	const char *target;    /* path and query */
	const char *protocol;  /* Sec-WebSocket-Protocol; NULL: none */
	const char *lines; /* further ones of the request's head, each with its
	                    * CRLF, for who begins; NULL: none */
	const struct tls_client_context *tls; /* borrowed; NULL: plain text */
	const char *host; /* with tls: whose certificate it must be */
	struct ws_client_events events;
	struct outcome end; /* of the connection that ended last */

	/* The module's own. */
	struct ws_pool *pool;
	struct outbuf_masks masks;
	char *input;
};

struct ws_client {
	struct ws_client_group *group; /* borrowed */
	int fd;                        /* owned; -1 while NONE */
	struct tls_client *tls;        /* owned; NULL: plain text, or NONE */
	enum ws_client_state state;
	bool has_failed;                /* the owner said so, in an event */
	struct ws *ws;                  /* while something is half-read */
	struct client_handshake *shake; /* while SHAKING; owned */
	struct outbuf out;
};

/*
 * Prepare a group.  A message over message_max bytes ends its connection; at
 * most spare idle parsers, of some 4.5 KiB, are kept.  The texts are borrowed,
 * checked by the caller: nothing in them ends a line.  events is copied.  It is
 * for plain text until its caller sets tls and host; lines is NULL until then.
 * Owns: the caller, until ws_client_group_fini(), when all its connections are
 *       NONE.
 */
void ws_client_group_init(struct ws_client_group *group, const char *authority,
    const char *target, const char *protocol, uint64_t message_max,
    unsigned spare, const struct ws_client_events *events);
void ws_client_group_fini(struct ws_client_group *group);

/* A connection of the group that is NONE. */
void ws_client_init(struct ws_client *c, struct ws_client_group *group);

/* Begin, on a connected socket that does not block and is c's from now on: send
 * the request.  c is NONE before, SHAKING afterwards. */
void ws_client_begin(struct ws_client *c, int fd);

/*
 * The socket is readable: read once and tell events.
 * Returns: whether the connection goes on.  If not, c is NONE and group->end
 *          says why (CLIENT_DONE if it was CLOSING).
 */
bool ws_client_read(struct ws_client *c);

/* Queue a text message; c is OPEN.  ws_client_flush() sends it. */
void ws_client_send(struct ws_client *c, const char *text, size_t len);

/* Send as many of the queued bytes as the socket takes.  A broken connection is
 * found out when it is read. */
void ws_client_flush(struct ws_client *c);

/* Whether something is queued: then wait until the socket is writable, too. */
static inline bool
ws_client_is_behind(const struct ws_client *c)
{
	return outbuf_unsent(&c->out) > 0 &&
	       (c->tls == NULL || !tls_client_is_waiting(c->tls));
}

/* Queue a close frame, behind everything else; c is OPEN, and CLOSING then. */
void ws_client_close(struct ws_client *c);

/*
 * From within message(): what the server says makes no sense.  No further event
 * is told, and ws_client_read() will return false with CLIENT_ALIEN and why.
 */
void ws_client_fail(struct ws_client *c, const char *why);

/* Let go of everything without a word; c is NONE then. */
void ws_client_drop(struct ws_client *c);

#endif
