/* SPDX-License-Identifier: MIT */
/*
 * sender.h - from the ring into the log: records that wait, packed into batches,
 * and kept until they have come back.
 *
 *	ring: OUTBOX records --> gathered --> batches --> on their way
 *	                                       ^             |
 *	                                       +-- go back --+
 *
 * What has come back is answered, and waits on until another host has it as well
 * (`confirmed' in the segment): if this ring has to be given up before, another can
 * still send it.  So long the records count as waiting, and publishes stop before
 * the ring overwrites them.
 *
 * The records lie in the ring, so a bridge that is begun anew packs those again
 * that have not come back.  A batch that is packed is a copy: from then on the
 * ring may overwrite its records.  If it overwrites one before, a record which has
 * been a message here (local mode) is said to be lost, in its place, and all goes on
 * behind it; one that has not was promised to nobody else, and ends the ring.
 */

#ifndef BROKER_CLUSTER_SENDER_H
#define BROKER_CLUSTER_SENDER_H

#include "broker/cluster/gathered.h"
#include "broker/cluster/log_message.h"
#include "broker/shared/stamps.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_BATCHES 64u /* on their way at most */

struct sender_batch {
	struct buf bytes;
	uint64_t accepted_ns[LOG_RECORDS_MAX]; /* its records; monotonic */
	uint64_t first, last;                  /* numbers of its records */
	uint64_t from; /* position of the first in the ring */
	bool is_lost;  /* it has none, but says that */
};

struct sender {
	const struct segment *seg; /* borrowed */
	struct gathered gathered;  /* records that are not confirmed */
	uint64_t packed; /* number of the last that is in a batch, or was */
	uint64_t lost;   /* those behind `packed', up to this one, are
	                  * overwritten; not above it: none */
	struct sender_batch batches[SENDER_BATCHES]; /* a queue: */
	unsigned first, count;
	unsigned sent;  /* of these, in the log or on their way there */
	uint32_t round; /* how often we have gone back */
	bool is_aside;  /* the ring was given up */
	struct stamps_cursor stamps;
	unsigned char *record; /* owned: room for one */
	size_t record_size;
};

/* Begin behind what has come back. */
void sender_init(struct sender *sender, const struct segment *seg);
/*
 * The same of a ring that was given up, by a host that has another ring now: behind
 * the number `last', up to which the log has its records.  0: the log knows none of
 * them; then those that are confirmed are said to be lost, and the rest is sent.  So is
 * what the ring has overwritten.  seg is at rest: nothing but this changes in it.
 */
void sender_init_aside(
    struct sender *sender, const struct segment *seg, uint64_t last);
void sender_fini(struct sender *sender);

/*
 * Look for new records, and pack as many batches as may be on their way.
 * Returns: false if a record was overwritten before it was packed, and was no
 *          message here either: nothing will ever come behind it.
 */
bool sender_fill(struct sender *sender);

/* The next batch to be sent, which counts as sent then; NULL: none. */
const struct buf *sender_next(struct sender *sender);

/* All up to this number has come back; how long that took is counted in the
 * segment.  Returns whether it is news. */
bool sender_came_back(struct sender *sender, uint64_t last);

/* Send all that has not come back once more. */
void sender_go_back(struct sender *sender);

/* Whether anything is on its way. */
bool sender_is_waiting(const struct sender *sender);

/*
 * Another host has said that it has all up to the number `said'; or there is none,
 * UINT64_MAX.  What has come back, up to the number `back', is let go then.
 */
void sender_confirm(struct sender *sender, uint64_t said, uint64_t back);

/* Position in the ring of the oldest record that is not confirmed; 0: all are. */
uint64_t sender_waits_from(const struct sender *sender);

#endif
