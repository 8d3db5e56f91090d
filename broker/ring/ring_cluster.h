/* SPDX-License-Identifier: MIT */
/*
 * ring_cluster.h - a ring that is one host's copy of a cluster's log; see
 * layout_cluster.h for the picture.
 *
 * Each message of the stream brings a batch of one origin's records, numbered
 * behind those that it had sent before.  Every host takes the same ones by the
 * same rule: a batch counts if it goes on exactly where its origin had come to.
 * What counts is published here as any message is, and has a mark.
 *
 * A process may die at any instruction: the marks say all that the control words
 * have to say, so that what was committed and not noted is noted by the repair;
 * what was not committed is read from the stream once more.
 */

#ifndef BROKER_RING_RING_CLUSTER_H
#define BROKER_RING_RING_CLUSTER_H

#include "broker/ring/ring.h"
#include "broker/ring/ring_marks.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the ring from the oldest record on that waits, for the log or until
 * another host has it; 0: none does.  A moment's
 * value; anybody. */
uint64_t ring_outbox_bytes(const struct segment *seg);

/* Whether these are more than the outbox may have, percent of the ring.  Likewise. */
bool ring_outbox_full(const struct ring *ring, uint32_t percent);

/* The slot of the bridge in the tables of workers and doorbells. */
unsigned ring_bridge_slot(const struct segment *seg);

/*
 * The one seq_cst fence between the commit of records that wait and
 * wakeup_wake(), which is for the bridge alone.  Returns its bit.
 */
uint64_t ring_outbox_interest(const struct ring *ring);

/*
 * A message of the stream that brings no records, or none that count: the log
 * goes on behind it.  origin: 0, or that of who has been heard by it.
 * Under the lock.  Callers: the bridge.
 */
void ring_log_skip(struct ring *ring, uint64_t message, uint64_t origin);

/* A state of the log, for a ring that begins in the middle of it. */
struct ring_log_state {
	uint64_t pos, hash;
	uint32_t count; /* of the origins */
	struct layout_origin origins[LAYOUT_ORIGINS];
};

/* The number of an origin's last record in a state; 0: none. */
uint64_t ring_state_last(const struct ring_log_state *state, uint64_t origin);

/* Copy the state that the ring is in.  Callers: the bridge, without the lock. */
void ring_log_state(const struct segment *seg, struct ring_log_state *state);

/*
 * Begin at this state of the stream that has this name, of less
 * than LAYOUT_STREAM bytes, and ends with the message `last' now.  If the process
 * dies in it, the ring has not begun.  Under the lock.  Callers: the bridge.
 */
void ring_log_join(struct ring *ring, const struct ring_log_state *state,
    const char *stream, uint64_t last);

/*
 * Numbers of an origin, up to mark->out, were lost before they came to the log:
 * it goes on behind them, and subscribers are told.  Under the lock.  Callers: the
 * bridge.
 * Returns: RING_OK, or RING_SEALED and nothing was done.
 */
enum ring_status ring_log_lost(
    struct ring *ring, const struct layout_mark *mark);

/* Most that one ring_show() makes messages of: more than the workers put into the
 * outbox in a turn. */
#define RING_SHOW_RECORDS 16384u
#define RING_SHOW_BYTES   (4u * 1024 * 1024)

/*
 * Make messages here of those that only wait to be sent, the oldest first.  body_max:
 * bytes of the longest.  Under the lock.  Callers: workers, in local mode.
 * Returns: which workers are to be woken, as ring_interest().
 */
uint64_t ring_show(struct ring *ring, uint32_t body_max);

/* Whether none only waits.  A moment's value without the lock. */
bool ring_all_shown(const struct ring *ring);

/*
 * Copy the outbox's record at a position, as ring_fetch() does; rec->seq is its
 * number, rec->prev the position of the one before it.
 * Callers: the bridge.
 * Returns: RING_OK, RING_LAPPED, or RING_CORRUPT: it is no such record.
 */
enum ring_status ring_outbox_fetch(const struct segment *seg, uint64_t pos,
    unsigned char *bytes, size_t size, struct ring_record *rec);

/*
 * Whether the words of an outbox can be a ring's, of which this has been the host.  Its
 * records are looked at when they are read.  Nobody writes there any more.
 * Callers: the bridge, of rings that were set aside.
 */
bool ring_outbox_sound(const struct segment *seg);

/* Read just these of it: its number, and where the one before it is. */
enum ring_status ring_outbox_follow(
    const struct segment *seg, uint64_t pos, struct ring_link *link);

#endif
