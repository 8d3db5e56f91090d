/* SPDX-License-Identifier: MIT */
/*
 * load_client.h - one WebSocket connection of the load generator.
 *
 * The connection is the command line's (ws_client.h); here it gets an event
 * loop and, where there are many, an address of its own to come from.  What it
 * says is its owner's business.  Nothing here blocks.
 */

#ifndef LOAD_LOAD_CLIENT_H
#define LOAD_LOAD_CLIENT_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/cli/client/ws_client.h"
#include "tests/load/load.h"

struct load_client;

struct load_client_events {
	void (*opened)(struct load_client *c); /* the handshake is done */
	void (*message)(struct load_client *c, const char *text, size_t len);
	/* The connection is gone, or never came to be; c is idle again.  Not
	 * told from within load_client_send(). */
	void (*ended)(struct load_client *c, const char *why);
};

/* What the clients of a process have in common. */
struct load_client_env {
	struct ev_loop *loop;
	const struct load_target *target;
	struct load_client_events events;
	struct ws_client_group group;
};

/* Zeroed before the first load_client_connect().  Owned by the caller. */
struct load_client {
	struct load_client_env *env;
	ev_io io; /* data unused; EV_WRITE only while something waits */
	struct ws_client ws;
	bool is_connecting;
};

/* Prepare for clients whose messages have at most message_max bytes. */
void load_client_env_init(struct load_client_env *env, struct ev_loop *loop,
    const struct load_target *target, const struct load_client_events *events,
    size_t message_max);

/*
 * Begin to connect.  number chooses the source address where there may be too
 * many connections for one.  The outcome is told by opened or ended, the
 * latter possibly before this returns.
 */
void load_client_connect(
    struct load_client *c, struct load_client_env *env, unsigned number);

/* Neither connected nor about to be. */
bool load_client_is_idle(const struct load_client *c);

/* Whether the socket still has to take something sent earlier. */
bool load_client_is_behind(const struct load_client *c);

/* Send a text message; c is open.  A failure is told later, by ended. */
void load_client_send(struct load_client *c, const char *text, size_t len);

/* Begin to close; c is not idle.  The end is told by ended, possibly before
 * this returns. */
void load_client_close(struct load_client *c);

#endif
