/* SPDX-License-Identifier: MIT */
/*
 * member_table.h - the table of members: find, make, free, repair.
 *
 *	topic's attendance --> member <--> member <--> member	by coming
 *	bucket of a hash   --> member  --> member
 *	those who leave    --> member <--> member		by leave_ms
 *	                       |
 *	                       piece --> piece			name and info
 *
 * A member is there when its state says so (MEMBER_PRESENT), which is one store;
 * all lists lead only to members, and can be made anew from the states, topics,
 * serials and texts alone.  So `changing' is set before anything is changed that
 * a death in the middle would leave undone, and whoever takes the lock next and
 * finds it set makes all lists anew (member_table_repair()):
 *
 *	state MADE		nobody was told of it: it is freed
 *	state PRESENT		it is there, with or without a connection; without
 *				one it leaves, when leave_ms says
 *	counts			of live workers they are right: a worker changes
 *				its own alone, and they end with it
 *
 * That somebody comes or leaves is told to those who watch the topic by a record
 * of the ring.  With such a record the state changes exactly when the record is
 * applied: by who published it, or, if that one died, by who replays it
 * (member_apply()).  So a record that is in the ring and the table never differ,
 * and nobody joins or leaves twice.
 *
 * "Under the lock" is the ring's lock (ring.h).
 */

#ifndef BROKER_RING_MEMBER_TABLE_H
#define BROKER_RING_MEMBER_TABLE_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMBER_NONE UINT32_MAX

/* Who somebody is.  A name by a token and the same name that a client has just
 * said are two users. */
struct member_user {
	const char *name;
	const char *info;  /* JSON, on one line; NULL: nothing is told */
	uint16_t info_len; /* at most LAYOUT_INFO_MAX */
	uint8_t name_len;  /* 1 to LAYOUT_USER_MAX */
	uint32_t holder;   /* of a new member: member_share.h */
	bool is_verified;
};

/* Whether a topic has members, so that its slot cannot become another's.  Under
 * the lock. */
static inline bool
member_has_any(const struct segment *seg, uint32_t topic)
{
	return seg->attendance[topic].first != 0;
}

/* The key of a user, by which the hosts of a cluster list members in one order;
 * never 0.  Pure. */
uint32_t member_key(const struct member_user *user);

/*
 * A record that says that a member has come, or left, is in the ring: so it is
 * now.  An index that is none was written by nobody.  Under the lock.
 * Callers: publish-4, repair-1.
 */
void member_apply(const struct segment *seg, uint8_t flags, uint64_t index);

/* The member, or MEMBER_NONE.  Under the lock, like all that follow. */
uint32_t member_find(
    const struct segment *seg, uint32_t topic, const struct member_user *user);

/* What is done from here on cannot be left half-done; and it is whole again. */
void member_begin(struct segment *seg);
void member_end(struct segment *seg);

/*
 * Make a member, in state MADE, with one connection of this worker, and in no
 * list.  Between member_begin() and member_end(), like member_free() to
 * member_stay().
 * Returns: MEMBER_NONE if the table is full.
 */
uint32_t member_make(struct segment *seg, uint32_t topic,
    const struct member_user *user, unsigned worker);

/* Let the place of a member that is in no list be another's. */
void member_free(struct segment *seg, uint32_t index);

/* It is there: put it into all lists. */
void member_link(struct segment *seg, uint32_t index);

/* It has left: take it out of all lists, and free it. */
void member_unlink(struct segment *seg, uint32_t index);

/* It has no connection any more, and leaves when its leave_ms says; or it has one
 * again. */
void member_begin_leaving(struct segment *seg, uint32_t index);
void member_stay(struct segment *seg, uint32_t index);

/* Of a member's connections, those of a worker.  Its last one is not taken but
 * between member_begin() and member_end(), with leave_ms set before. */
uint16_t *member_count(
    const struct segment *seg, uint32_t index, unsigned worker);

/* Its connections on all workers but those that are gone or only starting. */
uint32_t member_connections(const struct segment *seg, uint32_t index);

/* Whether no worker, dead or alive, has a connection of it. */
bool member_is_gone(const struct segment *seg, uint32_t index);

/* Whether another member would find a place.  A moment's value: any time. */
bool member_has_room(const struct segment *seg);

/* Copy its text: the name, and behind it the info. */
void member_text(const struct segment *seg, uint32_t index,
    char out[LAYOUT_USER_MAX + LAYOUT_INFO_MAX]);

/* The same as a user, which points into `text'. */
void member_user_of(const struct segment *seg, uint32_t index,
    char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX], struct member_user *user);

/* Forget who watches topics from this worker.  No lock needed.  Callers: the
 * successor of a dead one; a new run, of all. */
void member_forget_watching(struct segment *seg, uint64_t workers);

/* Finish or undo what a dead holder of the lock had begun. */
void member_table_repair(struct segment *seg);

/*
 * Whether the table of a dead server can be believed: each member has a topic,
 * a name and a text, and no text is another's.  The lists are not looked at,
 * because they are made anew.
 * Callers: ring_recover(), before a repair.  Returns false with a reason.
 */
bool member_table_check(
    const struct segment *seg, char error[SEGMENT_ERROR_MAX]);

/*
 * A new run begins, without connections: each member leaves then, if it does not
 * come back before.
 * Callers: store_begin_run(), alone.
 */
void member_table_begin_run(struct segment *seg, uint64_t leave_ms);

#endif
