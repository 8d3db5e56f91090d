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
#define CLIENT_POS_MAX   64 /* likewise, of a place in a cluster's log */

enum server_message_kind {
	SERVER_OTHER = 0,
	SERVER_WELCOME,
	SERVER_ACK,
	SERVER_MESSAGE,
	SERVER_EPHEMERAL, /* a message without a number */
	SERVER_GAP,
	SERVER_DRAIN,
	SERVER_ERROR,
	SERVER_UNSUBSCRIBED, /* a subscription has ended by the server's will */
	SERVER_EXPIRING,     /* the client's token, soon */
	SERVER_PRESENCE, /* who is in a topic; or that no more is told of it */
	SERVER_JOIN,
	SERVER_LEAVE,
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
	struct json_token topic, pattern, epoch, message, code, reason;
	struct json_token pos;     /* ack, message: in a cluster; shorter than
	                        * CLIENT_POS_MAX */
	struct json_token user;    /* join, leave */
	struct json_token members; /* presence: an array, or not there */
	uint64_t id, seq, from, to, replayed;
	uint64_t after;     /* presence: there are more behind that; or 0 */
	bool is_unverified; /* join, leave: no token has said the name */
	uint64_t count;     /* gap of a pattern; 0: nobody knows how many */
	bool has_numbers;   /* gap: from and to */
	bool recovered;
	bool is_retained;     /* message: it is the topic's last value */
	uint64_t ping;        /* welcome: seconds, 0: never */
	uint64_t max_message; /* welcome: bytes of JSON text */
	struct server_message_retry retry;
};

/*
 * Take apart one message of the server.  Each kind must have its members: an
 * epoch below CLIENT_EPOCH_MAX with welcome and ack, a topic and a message with
 * message, and so on.  The ack of a token, whose id is 0, has none of them.  A gap
 * has an epoch if the connection has come to another ring; seq is the place there.
 * Returns false for a message that no server of this protocol sends.
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

/* Take one element of members apart.  Returns false if it names nobody. */
bool server_message_member(struct json_reader *reader,
    const struct json_token *member, struct json_token *user,
    bool *is_unverified);

/* Read a non-negative integer; a token that is not there (raw NULL) is 0.  Returns
 * false for anything else, or more than a server's numbers have digits. */
bool server_message_number(const struct json_token *token, uint64_t *number);

/* Whether the string stands for exactly these bytes. */
bool server_message_is(
    const struct json_token *string, const char *text, size_t len);

#endif
