/* SPDX-License-Identifier: MIT */
/*
 * topics.h - the topic directory: names to slots, numbers, who is interested.
 *
 * A topic has a slot of the directory while it has a subscriber, and afterwards
 * until a new topic needs the slot.  Slots are handed out densely; only when
 * all are taken is one recycled, by a clock hand: free slots at once, then the
 * one that was silent longest without subscribers.  A bit per slot finds those,
 * so in a full directory a new topic costs little, and the others nothing.  The
 * numbers of a slot's new life start above `base', and base is never below any
 * number of a recycled life, so no topic name ever has a number twice within an
 * epoch.
 *
 * The lock holder may die at any instruction: it names a slot that it makes or
 * recycles in `making' first, and the next holder calls topics_repair(), which
 * frees that slot and builds the hash index again.
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

/* Slots that can be had for a new topic: those without a subscriber.  Reads a
 * bit of each.  Any time, a moment's value. */
uint32_t topics_free(const struct segment *seg);

/* Whether the slot is none of those.  Under the lock. */
bool topics_is_busy(const struct segment *seg, uint32_t slot);

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

/* Clear the interest and counts of a dead predecessor in this slot.  No lock
 * needed.  Callers: the successor, before anything else. */
void topics_clear_worker(struct segment *seg, unsigned worker);

/*
 * The counts of a predecessor in this slot become these, one for each slot of
 * the directory; interest that is left without a count is cleared.  No count may
 * be above 0 where the predecessor had none: its interest kept the slot from
 * being recycled till now, and goes on to do so.  No lock needed.
 * Callers: the successor, before it subscribes to anything else.
 */
void topics_take_over(
    struct segment *seg, unsigned worker, const uint32_t *counts);

/* Whether this worker, or its predecessor, has a subscriber of the topic of this
 * name in this slot of the directory.  Any time, of the own slot. */
bool topics_has_interest(const struct segment *seg, uint32_t slot,
    unsigned worker, const char *name, size_t len);

/* Subscribers on all workers but those that are gone or only starting.  Any
 * time, a moment's value. */
uint64_t topics_subscribers(const struct segment *seg, uint32_t slot);

/* Finish or undo the change that a dead lock holder had begun.  Under the
 * lock. */
void topics_repair(struct segment *seg);

#endif
