/* SPDX-License-Identifier: MIT */
/* pub_message.h - a message as it is published: whether it can be, and its
 * request. */

#ifndef BROKER_CLI_CLIENT_PUB_MESSAGE_H
#define BROKER_CLI_CLIENT_PUB_MESSAGE_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUB_WHY_MAX 200 /* bytes of a reason */

/* Whether this can be a message: UTF-8 and, with is_json, JSON.  If not, why
 * says what it is not. */
bool pub_message_check(
    const char *text, size_t len, bool is_json, char why[PUB_WHY_MAX]);

/*
 * Append the request that publishes it, under this id; what is not JSON becomes
 * a string.
 * Returns: bytes of the message as JSON, which the server limits.
 */
size_t pub_message_request(struct buf *buf, uint64_t id, const char *topic,
    const char *text, size_t len, bool is_json);

#endif
