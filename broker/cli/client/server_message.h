/* SPDX-License-Identifier: MIT */
/*
 * server_message.h - what a server says in pubsubd.v1, taken apart.
 *
 * Members that the clients have no use for are left out, and so are kinds: what
 * a later server may say besides is SERVER_OTHER, and passed over.
 */

#ifndef BROKER_CLI_CLIENT_SERVER_MESSAGE_H
#define BROKER_CLI_CLIENT_SERVER_MESSAGE_H

#include "common/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_PROTOCOL  "pubsubd.v1"
#define CLIENT_EPOCH_MAX 64 /* bytes, NUL included; a server's are shorter */

enum server_message_kind {
	SERVER_OTHER = 0,
	SERVER_WELCOME,
	SERVER_ACK,
	SERVER_MESSAGE,
	SERVER_GAP,
	SERVER_DRAIN,
	SERVER_ERROR,
	SERVER_UNSUBSCRIBED, /* a subscription has ended by the server's will */
};

/* When to come back, milliseconds: at random between these. */
struct server_message_retry {
	uint64_t min_ms;
	uint64_t max_ms;
};

/* Points into the text that it was read from.  A string that is not there has
 * raw NULL, a number is 0. */
struct server_message {
	enum server_message_kind kind;
	const char *text; /* all of it */
	size_t len;
	struct json_token topic, epoch, message, code, reason;
	uint64_t id, seq, from, to, replayed;
	bool has_numbers; /* gap: from and to */
	bool recovered;
	uint64_t ping;        /* welcome: seconds, 0: never */
	uint64_t max_message; /* welcome: bytes of JSON text */
	struct server_message_retry retry;
};

/*
 * Take apart one message of the server.  Each kind must have its members: an
 * epoch below CLIENT_EPOCH_MAX with welcome and ack, a topic and a message with
 * message, and so on.  Returns false for a message that no server of this
 * protocol sends.
 */
bool server_message_parse(struct json_reader *reader, const char *text,
    size_t len, struct server_message *said);

/*
 * Copy what a string stands for to out, with NUL: at most size - 1 bytes, and
 * control characters as question marks, for they may be a stranger's.
 * Returns out.
 */
char *server_message_copy(
    const struct json_token *string, char *out, size_t size);

/* Whether the string stands for exactly these bytes. */
bool server_message_is(
    const struct json_token *string, const char *text, size_t len);

#endif
