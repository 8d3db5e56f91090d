/* SPDX-License-Identifier: MIT */
/*
 * tail.h - follow the ring and hand each message to this worker's clients.
 *
 * One batch per turn: records are grouped by topic, each is encoded once
 * (arena.h), and every subscriber of a topic gets one run of frames, however
 * many messages that is.  If the ring has lapped this worker, each subscription
 * continues at its topic's last number in the directory, and its client is told
 * the gap (in the plain contract the gap is only counted).
 */

#ifndef WORKER_DELIVERY_TAIL_H
#define WORKER_DELIVERY_TAIL_H

#include "broker/ring/ring.h"
#include "worker/delivery/pattern_tail.h"

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
	struct sub_topic **touched;   /* [TAIL_TURN_RECORDS] */
	struct pattern_tail patterns; /* of a worker that has any */
};

/* Start at the ring's head.  max_message: bytes of the longest message. */
void tail_init(
    struct tail *tail, const struct segment *seg, uint32_t max_message);
void tail_fini(struct tail *tail);

/*
 * Read one batch and append its messages to the outbox.  The end of the turn
 * looks at the ring's head anyway and sees whether there is more: a turn for
 * nothing but to find the ring empty would cost three system calls.
 */
void tail_turn(struct hub *hub);

/* No client here subscribes to anything: move the cursor to the head, past the
 * messages of that time.  Called under the ring's lock when the first topic is
 * added, so that the topic's number and the cursor agree; and without the lock
 * in turns that have no topic. */
void tail_skip_to_head(struct hub *hub);

/* Go on at this position, up to which another process has read in our place. */
void tail_go_on_at(struct hub *hub, uint64_t pos);

/* Whether all up to this position has been read. */
bool tail_reached(const struct hub *hub, uint64_t head);

/*
 * The ring has lapped this worker: move every subscription up to its topic's
 * present number, and tell its client the gap if its form has a way to.
 * Returns how many messages were missed, summed over subscriptions.
 */
uint64_t tail_skip_lap(struct hub *hub);

#endif
