/* SPDX-License-Identifier: MIT */
/*
 * replay.h - bring a subscription from where it was to the present.
 *
 * A subscriber that resumes gets the messages that the ring still has, read
 * from the ring itself a piece at a time as its socket takes them, while the
 * other subscribers of the topic go on.  Nothing is buffered for it meanwhile:
 * it is not live.  When it has been sent everything that this worker has
 * tailed, it is live from the next number on, so nothing is doubled or missing
 * at the seam.
 *
 *	asked for     low        start.seq     topic->seq (tailed)
 *	   |  expired  |   chain    |  next chain   |  live
 */

#ifndef WORKER_DELIVERY_REPLAY_H
#define WORKER_DELIVERY_REPLAY_H

#include "broker/ring/chain.h"
#include "worker/delivery/subs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct conn;
struct hub;

/* The most that one subscription is sent per turn.  Twice as much as the tail
 * brought in this turn is added, or a replay would trail a busy topic for ever.
 */
#define REPLAY_TURN_BYTES   (64u * 1024)
#define REPLAY_TURN_RECORDS 256u

/* Subscriptions served per turn, at most one of each connection, and records
 * walked back over for them; the others wait for the next. */
#define REPLAY_TURN_SUBS 64u
#define REPLAY_TURN_WALK 65536u

/* The most that all of them together are sent per turn, bytes; twice as much as
 * the tail brought is added, too. */
#define REPLAY_TURN_ALL (2u * 1024 * 1024)

/* Subscriptions looked at per turn to find those. */
#define REPLAY_TURN_LOOKS 1024u

struct replay {
	TAILQ_ENTRY(replay) link; /* of those that can go on */
	bool ready;               /* in that list */
	struct sub *sub;          /* borrowed */
	struct chain chain;       /* up to where it is being read */
	uint64_t next;            /* number to send next */
};

struct replays {
	TAILQ_HEAD(replay_list, replay) ready;
	uint32_t count;    /* all, ready or waiting for their sockets */
	uint64_t walked;   /* records in this turn */
	size_t turn_bytes; /* the most for one in this turn, likewise: */
	size_t turn_records;
	unsigned char *bytes; /* owned: room for one record */
	size_t size;
};

/* record_max: bytes of the longest record that the ring can hold. */
void replays_init(struct replays *replays, uint64_t record_max);
void replays_fini(struct replays *replays);

/*
 * Plan to replay to a subscription, which began at `start', the numbers from
 * `first' on.  chain (initialised by this; owned by the caller until
 * replay_begin() or chain_fini()) knows what the ring still has: the numbers
 * from chain->low on.
 */
void replay_plan(struct hub *hub, const struct subs_start *start,
    uint64_t first, struct chain *chain);

/* Begin: takes the chain over.  The subscription is not live until it ends. */
void replay_begin(struct hub *hub, struct sub *sub, struct chain *chain);

/* The same from a number of the chain on: the client has those below it. */
void replay_begin_at(
    struct hub *hub, struct sub *sub, struct chain *chain, uint64_t next);

/* The subscription ends. */
void replay_cancel(struct hub *hub, struct sub *sub);

/*
 * This worker was lapped, and continues with the topic behind number seq.  So
 * does the subscription, which is told its gap.  Returns how many messages it
 * missed.
 */
uint64_t replay_lapped(struct sub *sub, uint64_t seq);

/* The last number of its topic that a subscription's client was sent, or told
 * that it missed. */
uint64_t replay_last_told(const struct sub *sub);

/* The connection's socket has room: its replays can go on. */
void replays_resume(struct conn *c);

/* Send some more to those whose sockets take it. */
void replays_turn(struct hub *hub);

#endif
