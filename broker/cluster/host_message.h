/* SPDX-License-Identifier: MIT */
/*
 * host_message.h - what bridges say to each other beside the log: a question, to
 * all, and an answer, to the one that has asked.  Numbers are little-endian.
 *
 *	| psq1 | kind u8, three zeros | origin u64 | number u64 |
 *	| a question (question.h), or a part (part.h)           |
 */

#ifndef BROKER_CLUSTER_HOST_MESSAGE_H
#define BROKER_CLUSTER_HOST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define HOST_MESSAGE_HEAD 24u /* bytes */

enum host_message_kind { HOST_ASKS = 1, HOST_ANSWERS };

struct host_message {
	enum host_message_kind kind;
	uint64_t origin; /* of who says it */
	uint64_t number; /* of the question, given by who asks */
};

/* Append the head of a message; the rest follows. */
void host_message_write(struct buf *out, const struct host_message *message);

/* Read it.  Returns false if it is none. */
bool host_message_read(
    const void *data, size_t len, struct host_message *message);

#endif
