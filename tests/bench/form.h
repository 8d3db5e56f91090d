/* SPDX-License-Identifier: MIT */
/*
 * form.h - how a message is published and what a delivery looks like.
 *
 *	plain   pubsubd's contract without a subprotocol; the floor
 *	v1      pubsubd.v1
 *	acked   the same, with an id in each publish, which is answered
 *	answers likewise, but nobody subscribes: an answer counts as a delivery
 *	nats    the NATS protocol in binary frames
 *	nchan   nginx with nchan: a location to publish, another to subscribe
 *	prose   plain, with text in the manner of programs
 *	deflate the same with permessage-deflate offered, so it comes compressed
 *
 * A message is --size x's, where it says nothing else.  Of a frame only the header and FORM_PEEK bytes are
 * looked at, which is enough to tell deliveries from all else.
 */

#ifndef BENCH_FORM_H
#define BENCH_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORM_PEEK      16u /* bytes of a payload */
#define FORM_TOPIC_LEN 14u /* bytes of a topic's name: r000000-000000 */
#define FORM_AROUND    80u /* bytes of a publishing frame around the message */

enum form_kind {
	FORM_PLAIN = 0,
	FORM_V1,
	FORM_ACKED,
	FORM_ANSWERS,
	FORM_NATS,
	FORM_NCHAN,
	FORM_PROSE,
	FORM_DEFLATE,
};

struct form {
	enum form_kind kind;
	unsigned size;   /* bytes of a message */
	unsigned topics; /* of a room */
};

/* What a frame is. */
struct form_frame {
	unsigned deliveries;
	bool is_ready; /* the subscriptions are made */
	bool is_ping;  /* of the dialect, not of WebSocket */
	bool is_error; /* the server refuses something */
};

/* Find the dialect of a name.  Returns false if there is none. */
bool form_find(const char *name, enum form_kind *kind);

/* Does a publisher need a connection of its own? */
bool form_publishes_apart(const struct form *form);

/* Is a member subscribed as soon as its handshake is answered? */
bool form_is_ready_at_once(const struct form *form);

/*
 * Write the path to connect to.  path is the URL's own; rooms are counted from
 * 0; one without a room (is_member false) subscribes to nothing but, if
 * is_publisher, publishes to the room.  common is one more topic, or NULL.
 * Returns: its length, or 0 if size is too small.
 */
size_t form_path(const struct form *form, const char *path, unsigned room,
    bool is_member, const char *common, char *out, size_t size);

/* The Sec-WebSocket-Protocol to ask for, or NULL. */
const char *form_protocol(const struct form *form);

/* The Sec-WebSocket-Extensions to offer, or NULL. */
const char *form_extension(const struct form *form);

/* Write what follows the handshake, as a frame, maybe nothing; at most
 * FORM_AROUND and FORM_AROUND bytes per topic.  Returns its length. */
size_t form_hello(const struct form *form, unsigned room, uint8_t *out);

/* Write a frame that publishes one message to a topic; at most FORM_AROUND +
 * size bytes.  Returns its length. */
size_t form_publish(
    const struct form *form, unsigned room, unsigned topic, uint8_t *out);

/* The same to a topic that has any name of at most FORM_TOPIC_LEN bytes. */
size_t form_publish_to(
    const struct form *form, const char *topic, uint8_t *out);

/* Write the answer to a ping of the dialect.  Returns its length. */
size_t form_pong(const struct form *form, uint8_t *out);

/* Look at a data frame: its length, and as many as there are of its first
 * FORM_PEEK bytes. */
struct form_frame form_look(
    const struct form *form, uint64_t len, const uint8_t *peek);

#endif
