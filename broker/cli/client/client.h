/* SPDX-License-Identifier: MIT */
/*
 * client.h - a connection of pub or sub to a server, in pubsubd.v1.
 *
 *	DOWN --> DIALLING --> SHAKING --> GREETING --> OPEN --> CLOSING --> DOWN
 *	          address by   handshake   welcome
 *	          address
 *
 * One connection needs no event loop: the owner polls it together with its
 * other descriptors, and hands over the result.  Nothing here blocks but the
 * look-up of a name.  When a connection has ended the state is DOWN and
 * client_end() says why; client_connect() begins another, maybe to another host
 * (hosts.h).
 *
 * ws_client.h does handshake and frames; here are the addresses to try, the
 * server's messages, and the deadlines.
 */

#ifndef BROKER_CLI_CLIENT_CLIENT_H
#define BROKER_CLI_CLIENT_CLIENT_H

#include "broker/cli/client/connect.h"
#include "broker/cli/client/hosts.h"
#include "broker/cli/client/renewal.h"
#include "broker/cli/client/server_message.h"
#include "broker/cli/client/ws_client.h"
#include "broker/cli/cli.h"
#include "common/buf.h"
#include "common/json.h"
#include "common/url.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_state {
	CLIENT_DOWN = 0,
	CLIENT_DIALLING,
	CLIENT_SHAKING,
	CLIENT_GREETING,
	CLIENT_OPEN,
	CLIENT_CLOSING,
};

/* Told from within client_turn().  They may send and close. */
struct client_events {
	/* The server has welcomed us. */
	void (*opened)(void *owner);
	/* It said this; borrowed.  Not while closing, and nothing about tokens. */
	void (*said)(void *owner, const struct server_message *said);
};

struct client {
	struct hosts *hosts;
	const struct tls_client_context *tls;
	const struct cli_client_options *options;
	struct client_events events;
	void *owner;
	enum client_state state;
	bool was_open;        /* the present connection, or the last */
	uint64_t max_message; /* bytes of JSON text, by the last welcome */
	char epoch[CLIENT_EPOCH_MAX]; /* likewise */

	struct connecting dial;
	struct buf lines; /* of the next handshake: who we are */
	struct renewal renewal;
	struct ws_client_group group;
	struct ws_client ws; /* NONE while DOWN and DIALLING */
	struct json_reader json;
	bool is_reading;      /* as the owner last wished */
	uint64_t deadline_ms; /* of the present state, monotonic; 0: none */
	uint64_t opened_ms;
	uint64_t heard_ms;   /* when bytes came last */
	uint64_t silence_ms; /* how long none may come; 0: for ever */
};

/* A client that is DOWN.  hosts, tls (NULL: none of them has TLS), options (which
 * say who it is) and owner are borrowed. */
void client_init(struct client *c, struct hosts *hosts,
    const struct tls_client_context *tls,
    const struct cli_client_options *options,
    const struct client_events *events, void *owner);
void client_fini(struct client *c);

/* How the last connection ended. */
static inline const struct outcome *
client_end(const struct client *c)
{
	return &c->group.end;
}

/* Whether another connection may end better. */
bool client_may_come_back(const struct client *c);

/* When to begin that: see hosts_lost(), whom it is called for once.  Returns a
 * time of the monotonic clock. */
uint64_t client_again_ms(struct client *c);

/* Begin a connection.  Blocks: while a name is looked up, and a credential is
 * read. */
void client_connect(struct client *c);

/* Fill in what to poll for.  is_reading: take messages; otherwise they wait in
 * the socket, and the server notices. */
void client_poll(struct client *c, struct pollfd *poll, bool is_reading);

/* Milliseconds until client_turn() must be called even so, or one of two other
 * moments has come (monotonic clock; 0: never); -1: for ever.  For poll(2). */
int client_patience(
    const struct client *c, uint64_t until_ms, uint64_t again_ms);

/* Go on, with the events that poll(2) returned, 0 if none. */
void client_turn(struct client *c, short revents);

/* Send a text message; the client is OPEN. */
void client_send(struct client *c, const char *text, size_t len);

/* Leave this host, for this reason: DOWN follows at once, with CLIENT_LOST.  The
 * client is OPEN.  Not from within client_turn(). */
void client_leave(struct client *c, const char *why);

/* Say goodbye: DOWN follows, with CLIENT_DONE, in a second or two at most. */
void client_close(struct client *c);

#endif
