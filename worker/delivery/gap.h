/* SPDX-License-Identifier: MIT */
/*
 * gap.h - tell a client exactly what it missed.
 *
 *	{"type":"gap","topic":"room","from":49,"to":131,"reason":"slow"}
 *
 * as a frame (pubsubd.v1) or as an event (server-sent events).  In the plain
 * contract there is no way to tell: the operator's counters have it.
 */

#ifndef WORKER_DELIVERY_GAP_H
#define WORKER_DELIVERY_GAP_H

#include "common/buf.h"
#include "worker/net/arena.h"

#include <stdint.h>

struct conn;
struct sub;
struct sub_topic;

enum gap_reason {
	GAP_SLOW = 0, /* the client did not read fast enough */
	GAP_LAPPED,   /* this worker fell behind by a whole ring */
	GAP_EXPIRED,  /* the ring does not have it any more */
	GAP_UNKNOWN,  /* the number asked for is not one of this topic's */
	GAP_EPOCH,    /* it is of another ring */
};

/*
 * Append to buf, in the given form, a gap from number `from' to number `to'
 * (from 0: without numbers).  Returns the offset, from where buf's end was, of
 * the OUTQ_GAP_DIGITS bytes that the second number has; without numbers it
 * means nothing.
 */
uint32_t gap_put(struct buf *buf, enum frames_form form,
    const struct sub_topic *topic, uint64_t from, uint64_t to,
    enum gap_reason reason);

/* Tell a subscription's connection, behind what it is being sent. */
void gap_tell(
    struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason);

#endif
