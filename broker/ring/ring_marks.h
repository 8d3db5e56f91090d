/* SPDX-License-Identifier: MIT */
/*
 * ring_marks.h - what records of a cluster have beyond messages, and what they
 * make of the words of the cluster (layout_cluster.h).
 *
 * These words change by the ring_note_ functions, with what was committed: from
 * publish-4 with what a whole batch makes of them, and from a repair record by
 * record, which comes to the same.
 */

#ifndef BROKER_RING_RING_MARKS_H
#define BROKER_RING_RING_MARKS_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

/* The records of a cluster: layout_cluster.h. */
enum ring_mark_kind {
	RING_FROM_LOG = 0,
	RING_TO_OUTBOX, /* it only waits to be sent */
	RING_LOCAL,     /* it waits, and is a message */
	RING_SHOWN,     /* one that waits already is a message now */
	RING_LOST,      /* of no topic */
};

/* What a record has beyond what a message needs: struct ring_msg. */
struct ring_mark {
	struct layout_mark at; /* from the log, or lost; shown: its `out' */
	uint16_t worker; /* from the log, shown: that it is for, of the origin;
	                  * RING_NO_WORKER */
	enum ring_mark_kind kind;
};

#define RING_NO_WORKER UINT16_MAX

/* The marks of all messages that are to wait: ring_publish() gives each its number
 * in the outbox, msg->out; and one of its topic only to those that are local. */
extern const struct ring_mark ring_to_outbox, ring_local;

/* Whether a message is one as soon as it is published. */
static inline bool
ring_is_message(const struct ring_mark *mark)
{
	return mark == NULL ||
	       (mark->kind != RING_TO_OUTBOX && mark->kind != RING_LOST);
}

/* Whether it gets a number in the outbox. */
static inline bool
ring_is_sent(const struct ring_mark *mark)
{
	return mark->kind == RING_TO_OUTBOX || mark->kind == RING_LOCAL;
}

/* The number of an origin's last record that was accepted; 0: none was. */
uint64_t ring_origin_last(const struct segment *seg, uint64_t origin);

/* What a batch of such records makes of the control words.  Stored, never added.
 * Under the lock.  Callers: ring.c, and the repair with each record. */
void ring_note_outbox(struct layout_header *h, uint64_t out, uint64_t pos);
void ring_note_shown(struct layout_header *h, uint64_t out);
void ring_note_mark(struct layout_header *h, const struct layout_mark *mark);
void ring_note_lost(struct layout_header *h, const struct layout_mark *mark);

/* Note a record that counts and has no place in the ring.  Under the lock.
 * Callers: the bridge. */
void ring_note_alone(struct layout_header *h, const struct layout_mark *mark);

/* Finish that after a death in it.  Under the lock.  Callers: the repair. */
void ring_marks_repair(struct segment *seg);

/* Read the mark of a record; rec says that it has one.  May be torn. */
void ring_read_mark(const struct segment *seg, uint64_t pos,
    const struct layout_record *rec, struct layout_mark *mark);

/* Note in which message of the stream an origin has been heard last, and up to
 * which number its records count.  Under the lock. */
void ring_note_origin(
    struct layout_cluster *c, uint64_t origin, uint64_t last, uint64_t message);

#endif
