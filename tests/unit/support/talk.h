/* SPDX-License-Identifier: MIT */
/*
 * talk.h - clients of a crew that speak pubsubd.v1.
 *
 * What is sent and expected is written with ' for " and $ for the ring's epoch,
 * so that JSON can be read in C.
 */

#ifndef UNIT_TALK_H
#define UNIT_TALK_H

#include "tests/unit/support/crew.h"

/* Send a handshake for pubsubd.v1, with this query. */
void talk_handshake(struct peer *client, const char *query);

/* A connection that has been welcomed.  sndbuf as for peer_connect(). */
struct peer *talk_open(
    struct crew *crew, unsigned worker, const char *query, int sndbuf);

/* Start one worker with so many messages in a topic, and open a connection that
 * has been welcomed; pad as for talk_publish(), sndbuf as for client_connect(). */
struct peer *talk_begin(struct crew *crew, const char *topic, unsigned count,
    size_t pad, int sndbuf);

/* Send a request as one text frame. */
void talk(struct peer *client, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next frame must be this text. */
void talk_expect(struct peer *client, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next frame must begin like this. */
void talk_expect_start(struct peer *client, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next frames must be the messages of these numbers of a topic, and what
 * they say the number itself, as talk_publish() has it. */
void talk_expect_messages(
    struct peer *client, const char *topic, uint64_t from, uint64_t to);

/* Publish, from another worker's place, so many messages that say their own
 * number; nothing is asked of any connection.  pad: bytes added to each. */
void talk_publish(
    struct crew *crew, const char *topic, unsigned count, size_t pad);

/*
 * Keeps the books of one subscription: each number from `next' on must come
 * once and in order, as a message or in a gap.
 */
struct books {
	const char *topic;
	uint64_t next;
	uint64_t messages;
	uint64_t missed; /* numbers, in so many */
	uint64_t gaps;
	uint64_t others; /* frames about anything else */
	char reason[16]; /* of the last gap */
};

/* Take in all that has come, and enter it. */
void books_enter(struct books *books, struct peer *client);

#endif
