/* SPDX-License-Identifier: MIT */
/*
 * resume_point.h - where a subscriber is in a topic, over any number of
 * connections: each number once, in order, or told as missing.
 *
 * Numbers are of one ring, whose name is the epoch.  At a server with another:
 *
 *	the place in the log (pos) is known	go on behind it, which all hosts
 *			of a cluster can; a host that cannot tells a gap
 *	we were there before	go on behind what was seen there; a gap is told,
 *			for whatever came to the ring in between
 *	otherwise		all that it has is new; a gap is told
 *
 * A place moves only when what lies before it has been printed or told.  So
 * when a connection breaks between the server's ack and the gap that it
 * announced, the next one begins at the same place and the gap comes again.
 */

#ifndef BROKER_CLI_CLIENT_RESUME_POINT_H
#define BROKER_CLI_CLIENT_RESUME_POINT_H

#include "broker/cli/cli.h"
#include "broker/cli/client/server_message.h"

#include <stdbool.h>
#include <stdint.h>

/* What was asked for on the present connection. */
enum resume_point_way {
	RESUME_POINT_BY_NUMBER = 0, /* behind the place's own */
	RESUME_POINT_BY_POS,        /* behind that, in another ring */
	RESUME_POINT_BY_RING,       /* behind what was seen of another ring */
	RESUME_POINT_BY_HISTORY,    /* all of another ring */
	RESUME_POINT_AFRESH,        /* as in the beginning */
};

/* A ring that we were in before. */
struct resume_point_ring {
	char epoch[CLIENT_EPOCH_MAX];
	uint64_t seq;
};

/* As many as hosts may be told. */
#define RESUME_POINT_RINGS CLI_URLS_MAX

struct resume_point {
	bool is_known; /* epoch and seq: everything up to seq is dealt with */
	bool has_been; /* subscribed before: what is new there is wanted */
	bool is_live;  /* acked on the present connection */
	char epoch[CLIENT_EPOCH_MAX];
	uint64_t seq;
	char pos[CLIENT_POS_MAX]; /* in the log, so far as known; or empty */
	uint64_t history; /* messages wanted if the place is not known */
	bool is_since;    /* it was known from the beginning */
	bool is_moved;    /* a number has been dealt with */
	bool is_told;     /* that all of this ring is new */
	enum resume_point_way way;
	/* The last ack's, to go on from behind a gap. */
	char ack_epoch[CLIENT_EPOCH_MAX];
	uint64_t ack_seq;
	uint64_t ack_from; /* before the past that follows it */
	char ack_pos[CLIENT_POS_MAX];
	char foreign[CLIENT_EPOCH_MAX]; /* a ring that knows not of our pos */
	struct resume_point_ring rings[RESUME_POINT_RINGS];
	unsigned rings_next; /* of these, the one that is the oldest */
};

/* How to subscribe now.  The texts are the place's own, or the caller's. */
struct resume_point_request {
	bool is_since; /* behind this: */
	const char *epoch;
	uint64_t seq;
	const char *pos;  /* empty: none; and if not is_since: */
	uint64_t history; /* 0: none */
};

/* Messages that are missing. */
struct resume_point_gap {
	bool has_numbers; /* otherwise nobody knows how many */
	uint64_t from;
	uint64_t to;
};

/* Where to resume on a server whose ring has this epoch: see above. */
struct resume_point_request resume_point_ask(
    struct resume_point *place, const char *epoch);

/*
 * The server has acked the subscription.
 * Returns whether messages are missing that it will not tell: its ring is
 * another than the one that we were in, and that was not told.
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

/* A message came in.  If it is the topic's last value (is_retained) it is printed
 * whatever its number, and moves us only if that is the next. */
enum resume_point_verdict resume_point_message(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap);

enum resume_point_news {
	RESUME_POINT_KNOWN = 0, /* nothing of it is news */
	RESUME_POINT_NEWS,      /* *gap is to be told */
	RESUME_POINT_ANEW, /* likewise; and this ring knows nothing of where we
	                    * were: subscribe anew */
};

/* A gap was told. */
enum resume_point_news resume_point_gapped(struct resume_point *place,
    const struct server_message *said, struct resume_point_gap *gap);

#endif
