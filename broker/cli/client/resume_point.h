/* SPDX-License-Identifier: MIT */
/*
 * resume_point.h - where a subscriber is in a topic, over any number of
 * connections: each number once, in order, or told as missing.
 *
 * A place moves only when what lies before it has been printed or told.  So
 * when a connection breaks between the server's ack and the gap that it
 * announced, the next one begins at the same place and the gap comes again.
 */

#ifndef BROKER_CLI_CLIENT_RESUME_POINT_H
#define BROKER_CLI_CLIENT_RESUME_POINT_H

#include "broker/cli/client/server_message.h"

#include <stdbool.h>
#include <stdint.h>

struct resume_point {
	bool is_known; /* epoch and seq: everything up to seq is dealt with */
	bool has_been; /* subscribed before: what is new there is wanted */
	bool is_live;  /* acked on the present connection */
	char epoch[CLIENT_EPOCH_MAX];
	uint64_t seq;
	uint64_t history; /* messages wanted if the place is not known */
	/* The last ack's, to go on from behind a gap. */
	char ack_epoch[CLIENT_EPOCH_MAX];
	uint64_t ack_seq;
};

/* How to subscribe now. */
struct resume_point_request {
	bool is_since;    /* epoch and seq of the place; otherwise: */
	uint64_t history; /* 0: none */
};

/* Messages that are missing. */
struct resume_point_gap {
	bool has_numbers; /* otherwise nobody knows how many */
	uint64_t from;
	uint64_t to;
};

/*
 * Where to resume on a server whose ring has this epoch.  If it is not the
 * epoch of the place, everything in the ring is new to this subscriber, so all
 * of it is asked for.
 */
struct resume_point_request resume_point_ask(
    const struct resume_point *place, const char *epoch);

/*
 * The server has acked the subscription.
 * Returns whether messages are missing that it will not tell: its ring is
 * another than the one that we were in.
 */
bool resume_point_acked(
    struct resume_point *place, const struct server_message *ack);

/* The connection is gone. */
void resume_point_cut(struct resume_point *place);

enum resume_point_verdict {
	RESUME_POINT_NEXT = 0, /* print it */
	RESUME_POINT_OLD,      /* printed before */
	RESUME_POINT_HOLE, /* tell *gap, which the server should have, and print */
};

/* A message came in.  is_retained: as the topic's last value, which is printed
 * whatever its number, and moves us only if that is the next. */
enum resume_point_verdict resume_point_message(struct resume_point *place,
    uint64_t seq, bool is_retained, struct resume_point_gap *gap);

/* A gap was told.  Returns whether it is news. */
bool resume_point_gapped(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap);

#endif
