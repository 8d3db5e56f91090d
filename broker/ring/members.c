/* SPDX-License-Identifier: MIT */
/*
 * members.c - see members.h.
 *
 *	arrive-1    `changing'
 *	arrive-2    the member, in state MADE
 *	publish-3   its record is in the ring: so is the member in the table
 *	arrive-3    into the lists
 *	arrive-4    `changing' ends
 *
 *	leave-1     `changing'
 *	leave-2     when it leaves, then its last connection
 *	leave-3     now, or later, when leave-6 has found it
 *	publish-3   its record is in the ring: so the member is free
 *	leave-4     out of the lists
 *	leave-5     `changing' ends
 *
 * A death before publish-3 undoes an arrival, and leaves of a departure a member
 * without a connection, which leaves later.  clear is what the successor of a
 * dead worker does, rebuild (member_repair.c) the next holder of the lock.  The
 * model of all of it is tests/model/members.pml.
 */

#include "broker/ring/members.h"

#include "broker/shared/stop_point.h"
#include "common/buf.h"
#include "common/bug.h"

#include <string.h>

/* Bytes of a record's body beside its name, which may be escaped, and info. */
#define MEMBERS_BODY_EXTRA 64u

void
members_put_user(struct buf *out, const struct member_user *user)
{
	buf_puts(out, "{\"user\":");
	buf_json_string(out, user->name, user->name_len);
	if (!user->is_verified)
		buf_puts(out, ",\"verified\":false");
	if (user->info_len > 0) {
		buf_puts(out, ",\"info\":");
		buf_add(out, user->info, user->info_len);
	}
}

static void
members_put(struct buf *out, const struct segment *seg, uint32_t index)
{
	char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX];
	struct member_user user;

	member_user_of(seg, index, text, &user);
	members_put_user(out, &user);
}

static uint64_t
members_watched(const struct segment *seg, uint32_t topic)
{
	return atomic_load(&seg->attendance[topic].watched);
}

/* Put a record about members of a topic into the ring. */
static enum members_status
members_publish(struct members_at *at, uint32_t topic, uint8_t flag,
    uint32_t index, const struct buf *body)
{
	struct ring_msg msg = { .topic = topic,
		.body = body->at,
		.body_len = (uint32_t)body->len,
		.time_ms = at->time_ms,
		.conn = index,
		.flags = flag };

	if (ring_publish(at->ring, &msg, 1) == RING_SEALED)
		return MEMBERS_SEALED;
	at->wake |= members_watched(at->ring->seg, topic);
	return MEMBERS_OK;
}

/* Have a member come or leave, with a record if somebody watches. */
static enum members_status
members_change(struct members_at *at, uint32_t index, uint8_t flag)
{
	struct segment *seg = at->ring->seg;
	uint32_t topic = seg->members[index].topic;
	enum members_status status;
	struct buf body;

	if (atomic_load(&seg->header->sealed))
		return MEMBERS_SEALED;
	if (members_watched(seg, topic) == 0) {
		member_apply(seg, flag, index);
		return MEMBERS_OK;
	}
	buf_init(&body);
	members_put(&body, seg, index);
	buf_puts(&body, "}");
	status = members_publish(at, topic, flag, index, &body);
	buf_fini(&body);
	return status;
}

/* Tell who watches that not all members are known any more. */
static enum members_status
members_refuse(struct members_at *at, uint32_t topic)
{
	struct buf body;

	if (members_watched(at->ring->seg, topic) == 0)
		return MEMBERS_FULL;
	buf_init(&body);
	buf_puts(&body, "{}");
	members_publish(at, topic, RECORD_UNCOUNTED, 0, &body);
	buf_fini(&body);
	return MEMBERS_FULL;
}

/* Whether the ring could take a record about such a user. */
static bool
members_fits(const struct segment *seg, const struct member_user *user)
{
	return ring_record_max(
		   MEMBERS_BODY_EXTRA + 6u * user->name_len + user->info_len) <=
	       seg->ring_size / RING_RECORDS_MIN;
}

static enum members_status
members_make(
    struct members_at *at, uint32_t topic, const struct member_user *user)
{
	struct segment *seg = at->ring->seg;
	enum members_status status;
	uint32_t index;

	if (!members_fits(seg, user))
		return members_refuse(at, topic);
	/* arrive-1: before anything changes */
	member_begin(seg);
	index = member_make(seg, topic, user, at->ring->self);
	if (index == MEMBER_NONE) {
		member_end(seg);
		return members_refuse(at, topic);
	}
	stop_point_here(seg->header, STOP_MEMBER_MADE);
	/* It has come exactly if its record is in the ring. */
	status = members_change(at, index, RECORD_JOIN);
	stop_point_here(seg->header, STOP_MEMBER_JOINED);
	/* arrive-3: now others find it */
	if (status == MEMBERS_OK)
		member_link(seg, index);
	else
		member_free(seg, index);
	/* arrive-4: last, or a death before would leave it half in the lists */
	member_end(seg);
	return status;
}

/* Somebody who is there has one connection more. */
static enum members_status
members_add(struct members_at *at, uint32_t topic, uint32_t index)
{
	struct segment *seg = at->ring->seg;
	uint16_t *count = member_count(seg, index, at->ring->self);

	if (*count == UINT16_MAX)
		return members_refuse(at, topic);
	/* arrive-5: counted first, so that whoever looks lets it stay */
	++*count;
	if (seg->members[index].is_leaving) {
		member_begin(seg);
		member_stay(seg, index);
		member_end(seg);
	}
	return MEMBERS_OK;
}

enum members_status
members_arrive(
    struct members_at *at, uint32_t topic, const struct member_user *user)
{
	uint32_t index = member_find(at->ring->seg, topic, user);

	return index == MEMBER_NONE ? members_make(at, topic, user)
	                            : members_add(at, topic, index);
}

/* A member without a connection: its time has come.  Between member_begin() and
 * member_end().  If nothing can be told any more it stays as it is. */
static void
members_leave(struct members_at *at, uint32_t index)
{
	struct segment *seg = at->ring->seg;

	/* It has left exactly if its record is in the ring. */
	if (members_change(at, index, RECORD_LEAVE) != MEMBERS_OK) {
		member_begin_leaving(seg, index);
		return;
	}
	stop_point_here(seg->header, STOP_MEMBER_LEFT);
	/* leave-4: nothing leads to it any more */
	member_unlink(seg, index);
}

void
members_depart(struct members_at *at, uint32_t topic,
    const struct member_user *user, uint32_t delay_ms)
{
	struct segment *seg = at->ring->seg;
	uint32_t index = member_find(seg, topic, user);
	uint16_t *count;

	CHECK(index != MEMBER_NONE);
	count = member_count(seg, index, at->ring->self);
	CHECK(*count > 0);
	/* leave-1: or a death behind leave-2 would leave one who never leaves */
	member_begin(seg);
	/* leave-2: in this order, since the repair reads both */
	if (*count == 1)
		seg->members[index].leave_ms = at->now_ms + delay_ms;
	--*count;
	stop_point_here(seg->header, STOP_MEMBER_DEPARTED);
	/* leave-3: of all workers, dead ones that nobody has cleared included */
	if (member_is_gone(seg, index)) {
		if (delay_ms == 0)
			members_leave(at, index);
		else
			member_begin_leaving(seg, index);
	}
	/* leave-5: when all is done or undone */
	member_end(seg);
}

uint64_t
members_due_at(const struct segment *seg)
{
	return atomic_load_explicit(
	    &seg->header->members.leave_ms, memory_order_relaxed);
}

void
members_leave_due(struct members_at *at)
{
	struct segment *seg = at->ring->seg;
	const struct layout_members *all = &seg->header->members;

	for (unsigned n = 0; n < MEMBERS_LEAVE_MAX && all->leaves_first != 0 &&
			     !atomic_load(&seg->header->sealed);
	     n++) {
		uint32_t index = all->leaves_first - 1;

		if (seg->members[index].leave_ms > at->now_ms)
			break;
		/* leave-6: by whichever worker is there */
		member_begin(seg);
		if (member_is_gone(seg, index))
			members_leave(at, index);
		else
			member_stay(seg, index); /* it has come back */
		member_end(seg);
	}
}

/* Take what a member has on a worker. */
static void
members_clear_one(
    struct members_at *at, uint32_t index, unsigned worker, uint64_t leave_ms)
{
	struct segment *seg = at->ring->seg;
	uint16_t *count = member_count(seg, index, worker);

	if (seg->members[index].state != MEMBER_PRESENT || *count == 0)
		return;
	seg->members[index].leave_ms = leave_ms;
	/* clear-2: behind when it leaves */
	*count = 0;
	stop_point_here(seg->header, STOP_MEMBERS_HALF_CLEARED);
	/* clear-3: unless it has connections elsewhere */
	if (member_is_gone(seg, index))
		member_begin_leaving(seg, index);
}

void
members_clear_worker(struct members_at *at, unsigned worker, uint32_t delay_ms)
{
	struct segment *seg = at->ring->seg;
	uint64_t leave_ms = at->now_ms + delay_ms;

	/* clear-1: a death in the middle is repaired, and all of it done again */
	member_begin(seg);
	for (uint32_t i = 0; i < seg->header->members.used; i++)
		members_clear_one(at, i, worker, leave_ms);
	/* clear-4: nothing of the dead worker is left */
	member_end(seg);
}

void
members_recount_begin(struct members_at *at, unsigned worker, uint32_t delay_ms)
{
	struct segment *seg = at->ring->seg;

	member_begin(seg);
	for (uint32_t i = 0; i < seg->header->members.used; i++) {
		uint16_t *count = member_count(seg, i, worker);

		if (*count > 0 && !seg->members[i].is_leaving)
			seg->members[i].leave_ms = at->now_ms + delay_ms;
		*count = 0;
	}
}

bool
members_recount(struct members_at *at, uint32_t topic,
    const struct member_user *user, unsigned worker)
{
	struct segment *seg = at->ring->seg;
	uint32_t index = member_find(seg, topic, user);
	uint16_t *count;

	if (index == MEMBER_NONE)
		return false;
	count = member_count(seg, index, worker);
	if (*count == UINT16_MAX)
		return false;
	++*count;
	member_stay(seg, index);
	return true;
}

void
members_recount_end(struct members_at *at, uint32_t delay_ms)
{
	struct segment *seg = at->ring->seg;

	for (uint32_t i = 0; i < seg->header->members.used; i++) {
		struct layout_member *m = &seg->members[i];

		if (m->state != MEMBER_PRESENT || m->is_leaving ||
		    !member_is_gone(seg, i))
			continue;
		m->leave_ms = at->now_ms + delay_ms;
		member_begin_leaving(seg, i);
	}
	member_end(seg);
}

void
members_page(const struct segment *seg, uint32_t topic, uint64_t after,
    uint32_t limit, struct buf *out, struct members_page *page)
{
	uint32_t at = seg->attendance[topic].first;
	size_t start = out->len;

	memset(page, 0, sizeof(*page));
	while (at != 0 && seg->members[at - 1].serial <= after)
		at = seg->members[at - 1].behind;
	for (; at != 0; at = seg->members[at - 1].behind) {
		if (page->count == limit ||
		    out->len - start >= MEMBERS_PAGE_BYTES_MAX) {
			page->has_more = true;
			return;
		}
		if (page->count++ > 0)
			buf_puts(out, ",");
		members_put(out, seg, at - 1);
		buf_puts(out, ",\"connections\":");
		buf_number(out, member_connections(seg, at - 1));
		buf_puts(out, "}");
		page->last = seg->members[at - 1].serial;
	}
}

uint32_t
members_count(const struct segment *seg, uint32_t topic)
{
	uint32_t count = 0;

	for (uint32_t at = seg->attendance[topic].first; at != 0;
	     at = seg->members[at - 1].behind)
		count++;
	return count;
}

bool
members_are_all_known(const struct segment *seg)
{
	unsigned n = segment_workers(seg);
	uint64_t uncounted = 0;

	for (unsigned w = 0; w < n; w++)
		uncounted += stats_get(
		    seg->workers[w].counters, STATS_MEMBERS_UNCOUNTED);
	return uncounted == 0;
}
