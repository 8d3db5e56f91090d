/* SPDX-License-Identifier: MIT */
/* peer.h - the clients of a crew (crew.h): the other ends of its connections. */

#ifndef UNIT_PEER_H
#define UNIT_PEER_H

#include "common/ws.h"

#include <stdbool.h>
#include <stddef.h>

struct conn;
struct crew;

/* The other end of a connection. */
struct peer {
	struct crew *crew;
	struct conn *conn; /* valid while it lives */
	unsigned worker;
	int fd; /* -1: closed */
	char *got;
	size_t len, at; /* bytes received; of these looked at */
	char *held;     /* bytes to be sent as one piece */
	size_t held_len;
	bool holding;
	bool eof;   /* the worker sends no more */
	bool reset; /* the connection was cut */
};

/* A connection that has said nothing yet.  sndbuf: how much the kernel takes
 * for it, bytes, 0: as usual. */
struct peer *peer_connect(struct crew *crew, unsigned worker, int sndbuf);

/* The same with a handshake to /ws and its query ("" or "?..."), answered. */
struct peer *peer_open(struct crew *crew, unsigned worker, const char *query);
struct peer *peer_open_slow(
    struct crew *crew, unsigned worker, const char *query, int sndbuf);

/* The same, speaking pubsubd.v1; it has been welcomed. */
struct peer *peer_open_v1(
    struct crew *crew, unsigned worker, const char *query);

/* A connection to the operator's listener, which is on loopback. */
struct peer *peer_connect_admin(struct crew *crew, unsigned worker);

/* Close its end and forget it; the worker has not noticed yet. */
void peer_close(struct peer **client);

/* A request for a WebSocket at /ws with this query.  Returns static text. */
const char *peer_handshake(const char *query);

/* Collect what is sent from now on, then send it as one piece. */
void peer_hold(struct peer *client);
void peer_release(struct peer *client);

/* Send bytes; all must fit into the socket. */
void peer_send(struct peer *client, const void *data, size_t len);
void peer_send_string(struct peer *client, const char *text);

/* Send a masked frame. */
void peer_frame(
    struct peer *client, enum ws_opcode opcode, const void *data, size_t len);

/* Send {"topic":topic,"message":text}; neither needs escapes. */
void peer_publish(struct peer *client, const char *topic, const char *text);

/* Take in what has come.  Returns how many bytes. */
size_t peer_receive(struct peer *client);

/* Skip one response head, which must have this status. */
void peer_expect_status(struct peer *client, int status);

/* The next whole frame that was received; data is not NUL-terminated and lasts
 * until the next call.  Fails on anything that is no frame of a server.
 * Returns false if there is none. */
struct peer_frame {
	enum ws_opcode opcode;
	const char *data;
	size_t len;
};
bool peer_next(struct peer *client, struct peer_frame *frame);

/* The next frame must be there, and be this. */
void peer_expect(struct peer *client, const char *text);
void peer_expect_close(struct peer *client, unsigned code);

/* There must be none. */
void peer_expect_nothing(struct peer *client);

#endif
