/* SPDX-License-Identifier: MIT */
/*
 * members.h - members come and go, and whoever watches is told by the ring.
 *
 *	connection of ann comes ---> arrive ---> the first: JOIN record
 *	connection of ann goes  ---> depart ---> the last:  LEAVE record, at once
 *	                                         or when --leave-delay is over
 *	worker is killed        ---> clear_worker, by its successor: each member
 *	                             loses its connections there, as by depart
 *
 * The records come in their place among the topic's messages, because all of
 * this happens under the ring's lock.  There is one only if somebody watches the
 * topic at that moment; the table (member_table.h) is kept in any case.
 *
 * When a member leaves is in the table itself, and any worker does it when it is
 * time.  So it makes no difference which worker had the last connection, or
 * whether that worker still lives.
 *
 * All functions but members_due_at() and members_are_all_known(): under the
 * ring's lock, by a worker.
 */

#ifndef BROKER_RING_MEMBERS_H
#define BROKER_RING_MEMBERS_H

#include "broker/ring/member_table.h"
#include "broker/ring/ring.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* After a restart members who do not come back leave so much later. */
#define MEMBERS_RETURN_MS 15000u

/* Members that leave in one holding of the lock, at most. */
#define MEMBERS_LEAVE_MAX 256u

/* A page of members: at most so many, and about so many bytes. */
#define MEMBERS_PAGE_MAX       1000u
#define MEMBERS_PAGE_BYTES_MAX (1024u * 1024)

enum members_status {
	MEMBERS_OK = 0,
	MEMBERS_FULL,   /* no room: nothing was done but that watchers know */
	MEMBERS_SEALED, /* the ring is: nothing was done */
};

/* What a change needs beside the member. */
struct members_at {
	struct ring *ring;
	uint64_t now_ms;  /* monotonic clock */
	uint64_t time_ms; /* wall clock, for the record */
	uint64_t wake;    /* out: workers that must be woken are added; bits */
};

/* A user has one connection more in a topic, on this worker. */
enum members_status members_arrive(
    struct members_at *at, uint32_t topic, const struct member_user *user);

/* And one less, of those that have arrived.  Without any the member leaves, in
 * delay_ms. */
void members_depart(struct members_at *at, uint32_t topic,
    const struct member_user *user, uint32_t delay_ms);

/* When members_leave_due() has something to do, monotonic clock; 0: never.  Any
 * time. */
uint64_t members_due_at(const struct segment *seg);

/* Have those leave whose time has come, MEMBERS_LEAVE_MAX at most. */
void members_leave_due(struct members_at *at);

/*
 * A worker's connections are gone: whose they were leaves in delay_ms, unless
 * there are others.  Done again after a death in the middle it comes to the same.
 * Callers: the worker's successor.
 */
void members_clear_worker(
    struct members_at *at, unsigned worker, uint32_t delay_ms);

/*
 * A process has taken over the connections of a worker: between these two
 * calls it says of each whose it is, by members_recount().
 * Returns: false if there is no such member, and the connection has to arrive.
 */
void members_recount_begin(
    struct members_at *at, unsigned worker, uint32_t delay_ms);
bool members_recount(struct members_at *at, uint32_t topic,
    const struct member_user *user, unsigned worker);
void members_recount_end(struct members_at *at, uint32_t delay_ms);

/* What members_page() has found. */
struct members_page {
	uint32_t count;
	uint64_t last; /* serial of the last one: the next page is after it */
	bool has_more;
};

/*
 * Append the members of a topic that came after that serial (0: all), separated
 * by commas, in the order of coming: {"user":...,"info":...,"connections":N}.
 * A member that is there while all pages are asked for is in one of them.
 */
void members_page(const struct segment *seg, uint32_t topic, uint64_t after,
    uint32_t limit, struct buf *out, struct members_page *page);

/* Append a user as there, without the brace that ends it. */
void members_put_user(struct buf *out, const struct member_user *user);

/* How many members a topic has.  Costs a look at each. */
uint32_t members_count(const struct segment *seg, uint32_t topic);

/* Whether all members are known, on all workers.  A moment's value: any time. */
bool members_are_all_known(const struct segment *seg);

#endif
