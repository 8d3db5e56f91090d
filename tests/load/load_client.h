/* SPDX-License-Identifier: MIT */
/*
 * load_client.h - one WebSocket connection of the load generator.
 *
 * It connects, shakes hands, sends and receives; what it says is its owner's
 * business.  Nothing here blocks: what a socket does not take at once waits in
 * the client's own buffer.
 */

#ifndef LOAD_LOAD_CLIENT_H
#define LOAD_LOAD_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ws.h"
#include "tests/load/load.h"

struct client;

struct client_events {
	void (*opened)(struct client *c); /* the handshake is done */
	void (*message)(struct client *c, const char *text, size_t len);
	/* The connection is gone, or never came to be; c is idle again.  Not
	 * told from within client_send(). */
	void (*ended)(struct client *c, const char *why);
};

/* What the clients of a process have in common. */
struct client_env {
	struct ev_loop *loop;
	const struct load_target *target;
	struct client_events events;
	struct ws_pool *pool;
	uint64_t random;            /* for masks */
	uint8_t *frame;             /* room for the longest frame */
	char *input;                /* for reading */
	char closing[LOAD_WHY_MAX]; /* why the parser ended, last time */
};

enum client_state {
	CLIENT_IDLE = 0,
	CLIENT_CONNECTING,
	CLIENT_HANDSHAKING,
	CLIENT_OPEN,
	CLIENT_CLOSING, /* our close frame is sent; waiting for the end */
};

/* Zeroed before the first client_connect().  Owned by the caller. */
struct client {
	struct client_env *env;
	ev_io io; /* data unused; EV_WRITE only while something waits */
	enum client_state state;
	int fd;
	int send_error;             /* errno; its end is told when it is read */
	struct ws *ws;              /* while a frame is incomplete */
	struct client_hello *hello; /* while shaking hands */
	uint8_t *out;               /* what the socket did not take yet */
	size_t out_len;
	size_t out_off;
};

/* Prepare for clients whose messages have at most message_max bytes. */
void client_env_init(struct client_env *env, struct ev_loop *loop,
    const struct load_target *target, const struct client_events *events,
    size_t message_max);

/*
 * Begin to connect.  number chooses the source address where there may be too
 * many connections for one.  The outcome is told by opened or ended, the
 * latter possibly before this returns.
 */
void client_connect(struct client *c, struct client_env *env, unsigned number);

/* Whether the socket still has to take something sent earlier. */
bool client_is_behind(const struct client *c);

/* Send a text message; c is open.  A failure is told later, by ended. */
void client_send(struct client *c, const char *text, size_t len);

/* Begin to close.  The end is told by ended, possibly before this returns. */
void client_close(struct client *c);

#endif
