/* SPDX-License-Identifier: MIT */
/*
 * topics.h - the topic directory: names to slots, numbers, who is interested.
 *
 * A topic is a slot of the directory while anybody subscribes to it or until a
 * new topic needs the place.  Slots are handed out densely; only when all are
 * taken is one recycled, by a clock hand: free ones at once, then the longest
 * silent without subscribers.  Those are found by a bit per slot, so that a
 * full directory costs whoever wants a place little, and the others nothing.
 * A life's numbers start above `base', and base is never below any number that a
 * recycled life has had, so that no topic name ever sees a number twice within
 * an epoch.
 *
 * Death of the lock holder at any instruction is survived: a slot that is being
 * made or recycled is named in `making' first, and topics_repair(), called by
 * whoever takes the lock next, frees it and builds the hash index again.
 *
 * "Under the lock" is the ring's lock (ring.h).
 */

#ifndef BROKER_RING_TOPICS_H
#define BROKER_RING_TOPICS_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPICS_NONE UINT32_MAX /* no slot */

/* A name's hash in this directory, under its secret key.  Any time. */
uint32_t topics_hash(const struct segment *seg, const char *name, size_t len);

/* The slot that has this name, or TOPICS_NONE.  Under the lock. */
uint32_t topics_find(
    const struct segment *seg, const char *name, size_t len, uint32_t hash);

/*
 * The slot that has this name, made if there is none: a fresh one, or one
 * recycled.  TOPICS_NONE: every slot has a subscriber.
 * len <= LAYOUT_TOPIC_NAME_MAX.  Under the lock.
 */
uint32_t topics_open(
    struct segment *seg, const char *name, size_t len, uint32_t hash);

/*
 * One more subscriber of `worker' on the slot; the first one sets the worker's
 * interest bit.  Returns whether it was the first.  Under the lock.
 * Callers: that worker.
 */
bool topics_subscribe(struct segment *seg, uint32_t slot, unsigned worker);

/*
 * One subscriber less; the last one clears the interest bit.  Returns whether
 * it was the last.  No lock needed.  Callers: that worker.
 */
bool topics_unsubscribe(struct segment *seg, uint32_t slot, unsigned worker);

/* Clear all that a dead predecessor left in this worker's name.  No lock
 * needed.  Callers: the successor, before anything else. */
void topics_clear_worker(struct segment *seg, unsigned worker);

/* Subscribers on all workers but those that are gone or only starting.  Any
 * time, a moment's value. */
uint64_t topics_subscribers(const struct segment *seg, uint32_t slot);

/* Put right what a dead lock holder left half-made.  Under the lock. */
void topics_repair(struct segment *seg);

#endif
