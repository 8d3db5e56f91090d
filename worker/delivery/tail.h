/* SPDX-License-Identifier: MIT */
/*
 * tail.h - follow the ring and hand each message to this worker's clients.
 *
 * One batch per turn: records are grouped by topic, each is encoded once
 * (arena.h), and every subscriber of a topic gets one run of frames, however
 * many messages that is.  Who was lapped goes on where the directory is and is
 * told (or, in the plain contract, counted) what it missed.
 */

#ifndef WORKER_DELIVERY_TAIL_H
#define WORKER_DELIVERY_TAIL_H

#include "broker/ring/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct segment;
struct sub_topic;

/* Records of one turn, and their bytes unless one record alone is larger. */
#define TAIL_TURN_RECORDS 1024u
#define TAIL_TURN_BYTES   (512u * 1024)

struct tail {
	struct ring_cursor cursor;
	struct ring_batch batch;
	uint32_t *next_of_topic; /* [TAIL_TURN_RECORDS]: index + 1, 0: last */
	struct sub_topic **touched; /* [TAIL_TURN_RECORDS] */
};

/* Start at the ring's head.  max_message: bytes of the longest message. */
void tail_init(
    struct tail *tail, const struct segment *seg, uint32_t max_message);
void tail_fini(struct tail *tail);

/*
 * Read one batch and append what it brings to the outbox.  Whether more is to
 * be read shows in the ring's head, which the end of the turn looks at anyway:
 * a turn for nothing but to find the ring empty would cost three system calls.
 */
void tail_turn(struct hub *hub);

/* Nobody here is interested in anything: move the cursor to the head, past what
 * was slept through.  Called under the ring's lock when the first topic is
 * added, so that its number and the cursor agree; and without it in turns that
 * have no topic. */
void tail_skip_to_head(struct hub *hub);

/* Whether all up to this position has been read. */
bool tail_reached(const struct hub *hub, uint64_t head);

/*
 * The ring has lapped this worker: every subscription is moved up to its
 * topic's present number, and told so if it can be.  Returns how many messages
 * were missed, summed over subscriptions.
 */
uint64_t tail_skip_lap(struct hub *hub);

#endif
