/* SPDX-License-Identifier: MIT */
/*
 * watch.h - subscriptions that are told who comes and who leaves.
 *
 * The records of that (broker/ring/members.h) are tailed like all others of the
 * topic, and go to those here who watch.  Watching begins under the ring's lock,
 * at a position: who has got the list of members in that moment is told exactly
 * what happens behind it.
 *
 * A client that has missed something of that, or may have, cannot be told what:
 * it is told that it does not watch any more, and begins anew with a new list.
 */

#ifndef WORKER_DELIVERY_WATCH_H
#define WORKER_DELIVERY_WATCH_H

#include "worker/delivery/form.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct hub;
struct ring_record;
struct sub;
struct sub_topic;
struct watched;

struct watches {
	struct watched *by_slot; /* uthash: topics that somebody watches */
	uint32_t count;          /* subscriptions that do */
};

void watches_fini(struct hub *hub);

/* Watch from now on, or anew.  Under the lock. */
void watch_begin(struct hub *hub, struct sub *sub);

/* From this position on: another process has had it till now. */
void watch_adopt(struct hub *hub, struct sub *sub, uint64_t from);

/* No more of them come, and the slot is ours: topics that nobody here watches any
 * more are not marked so. */
void watches_adopted(struct hub *hub);

/* Where it has begun to watch. */
uint64_t watch_from(const struct hub *hub, const struct sub *sub);

/* Do not watch any more.  Any time. */
void watch_end(struct hub *hub, struct sub *sub);

/* The same by the server's will: tell the client. */
void watch_expel(struct hub *hub, struct sub *sub, enum watch_end why);

/* Give a record of members to all who watch the topic. */
void watch_deliver(struct hub *hub, const struct sub_topic *topic,
    const struct ring_record *rec);

/* This worker was lapped. */
void watch_lapped(struct hub *hub);

/* A connection was not given one of those: net/handler.h. */
void watch_dropped(struct conn *c, uint32_t slot);

#endif
