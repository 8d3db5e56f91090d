/* SPDX-License-Identifier: MIT */
/*
 * attend.h - this worker's subscriptions as connections of members.
 *
 * A subscription of somebody whose name is known counts for the member of that
 * name in its topic (broker/ring/members.h).  It begins under the ring's lock,
 * and so the member comes then.  It ends at any time, so that is noted here, and
 * done in the next turn that has the lock; if the worker dies before, its
 * successor clears all that it had.
 *
 * A subscription that finds the table full goes on, without being counted, and
 * is counted as soon as there is room.  One of an address that has more than its
 * share (broker/ring/member_share.h) does not begin at all.  As long as there is any such one, nobody
 * is told who is where: a list that is not whole would be wrong.
 */

#ifndef WORKER_DELIVERY_ATTEND_H
#define WORKER_DELIVERY_ATTEND_H

#include <stdbool.h>
#include <stdint.h>

struct attend_gone;
struct client;
struct hub;
struct sub;

struct attend {
	struct attend_gone *gone; /* owned: subscriptions that have ended */
	uint32_t gone_count, gone_max;
	uint32_t uncounted; /* subscriptions */
	uint64_t wake;      /* workers to be woken after the lock; bits */
	bool must_clear;    /* what a dead predecessor had is still there */
	bool is_due;        /* members leave, or uncounted ones may come */
};

void attend_fini(struct hub *hub);

/* Whether a subscription to the topic in that slot may begin: its client is no
 * member by its name, or is one already, or its address may have another.  Under
 * the lock. */
bool attend_allows(struct hub *hub, const struct client *client, uint32_t slot);

/* A subscription has begun, or its client is known now.  Under the lock. */
void attend_begin(struct hub *hub, struct sub *sub);

/* It ends, or its client becomes another. */
void attend_end(struct hub *hub, struct sub *sub);

/* Both, for all subscriptions of a client that becomes another: before, and after
 * that, under the lock.  Those that may not begin any more are marked
 * (sub->is_excess), for caller_narrow() to end. */
void attend_end_all(struct hub *hub, struct client *client);
void attend_begin_all(struct hub *hub, struct client *client);

/* Whether there is something to do that needs the lock. */
static inline bool
attend_has_work(const struct attend *attend)
{
	return attend->gone_count > 0 || attend->must_clear || attend->is_due;
}

/* Do it.  Under the lock.  Callers: commit.c, when the turn's requests are
 * done. */
void attend_turn(struct hub *hub);

/* Clear what a dead predecessor in this slot has left.  Under the lock, before
 * anything else. */
void attend_take_slot(struct hub *hub);

/* Another process had the connections until now: count all of them anew.  Under
 * the lock. */
void attend_adopt(struct hub *hub);

/* See whether it is time for members to leave.  Callers: the worker's tick. */
void attend_tick(struct hub *hub);

/* Whether all members are known, on all workers.  A moment's value. */
bool attend_knows_all(const struct hub *hub);

#endif
