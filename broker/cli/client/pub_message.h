/* SPDX-License-Identifier: MIT */
/* pub_message.h - a message as it is published: whether it can be, and its
 * request. */

#ifndef BROKER_CLI_CLIENT_PUB_MESSAGE_H
#define BROKER_CLI_CLIENT_PUB_MESSAGE_H

#include "broker/cli/cli.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUB_WHY_MAX   200 /* bytes of a reason; likewise: */
#define PUB_NAME_MAX  48  /* of a message's name */
#define PUB_COUNT_MAX 128 /* of how many are acknowledged */

/* Whether this can be a message: UTF-8 and, with is_json, JSON.  If not, why
 * says what it is not. */
bool pub_message_check(
    const char *text, size_t len, bool is_json, char why[PUB_WHY_MAX]);

/* How messages are published. */
struct pub_message_kind {
	bool is_json; /* what is not becomes a string */
	bool is_ephemeral;
	bool retain;
	uint32_t ttl_s;      /* 0: none */
	const char *key;     /* NULL: none */
	bool is_one_of_many; /* its key is KEY-ID */
};

/* How the command line has them published.  is_stream: there are many. */
struct pub_message_kind pub_message_kind_of(
    const struct cli *cli, bool is_stream);

/*
 * Append the request that publishes it, under this id.
 * Returns: bytes of the message as JSON, which the server limits.
 */
size_t pub_message_request(struct buf *buf, uint64_t id, const char *topic,
    const char *text, size_t len, const struct pub_message_kind *kind);

/* The name of a message, for a sentence.  Returns out. */
const char *pub_message_name(
    bool is_stream, uint64_t id, char out[PUB_NAME_MAX]);

/* How many of the messages that were taken are acknowledged, for a sentence;
 * is_all: there are no more.  Returns out. */
const char *pub_message_count(bool is_stream, uint64_t acked, uint64_t taken,
    bool is_all, char out[PUB_COUNT_MAX]);

#endif
