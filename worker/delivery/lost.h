/* SPDX-License-Identifier: MIT */
/*
 * lost.h - tell subscribers that messages of another host of a cluster will never
 * come (broker/shared/layout_cluster.h).
 *
 * Nobody knows of which topics they were, so each subscription here is told a gap.
 * The word of the ring is looked at behind the read of records and before these are
 * handed over: no message from behind the loss is sent before the gap.
 */

#ifndef WORKER_DELIVERY_LOST_H
#define WORKER_DELIVERY_LOST_H

#include <stdint.h>

struct hub;
struct segment;

/* The place of the last loss; 0: there was none. */
uint64_t lost_place(const struct segment *seg);

/* Tell all who subscribe, if there was a loss since the last call; hub->lost is what
 * was told.  Callers: the
 * tail, and commit.c before subscriptions begin. */
void lost_look(struct hub *hub);

#endif
