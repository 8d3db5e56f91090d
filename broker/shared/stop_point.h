/* SPDX-License-Identifier: MIT */
/*
 * stop_point.h - named places where a test can stop a process, to kill it there.
 *
 * Only in builds with -DTESTING.  A test arms one place in the segment, for one
 * process or for the first that reaches it.  That process disarms the place,
 * signs with its pid, and stops itself with SIGSTOP.  The test sees that by
 * waitpid(2) with WUNTRACED, or in /proc, and then kills or continues the
 * process.  In the production build stop_point_here() is empty, and nothing
 * looks at the armed place.
 */

#ifndef BROKER_SHARED_STOP_POINT_H
#define BROKER_SHARED_STOP_POINT_H

#include "broker/shared/layout.h"

/* clang-format off */
/* X(NAME, name, where it is) */
#define STOP_LIST(X)                                                           \
	/* the lock */                                                         \
	X(LOCKED, "locked", "lock had, not signed as owner")                   \
	X(UNLOCKING, "unlocking", "signed off, lock still held")               \
	/* publish: the lock is held */                                        \
	X(BEFORE_RESERVE, "before-reserve", "nothing done")                    \
	X(RESERVED, "reserved", "reserve moved")                               \
	X(HALF_COPIED, "half-copied", "the batch's first record is in")        \
	X(COPIED, "copied", "all are in, head not moved")                      \
	X(COMMITTED, "committed", "head moved, directory not told")            \
	X(HALF_APPLIED, "half-applied", "directory knows the first record")    \
	X(APPLIED, "applied", "applied = head")                                \
	/* the topic directory: the lock is held */                            \
	X(TOPIC_HALF_MADE, "topic-half-made", "named in `making', not linked") \
	X(TOPIC_RETIRED, "topic-retired", "recycling: unlinked, not free yet") \
	X(SUBSCRIBE_COUNTED, "subscribe-counted", "count is 1, interest not set") \
	X(SUBSCRIBE_INTERESTED, "subscribe-interested", "set, not marked busy") \
	/* unsubscribe: without the lock where a client has gone */            \
	X(UNSUBSCRIBE_COUNTED, "unsubscribe-counted", "count is 0, interest set") \
	X(UNSUBSCRIBE_LOST, "unsubscribe-lost", "interest gone, marked busy")  \
	/* members come and go: the lock is held */                            \
	X(MEMBER_FILLED, "member-filled", "filled, not said to be so")         \
	X(MEMBER_MADE, "member-made", "filled, no record in the ring")         \
	X(MEMBER_JOINED, "member-joined", "its record is in the ring, no list") \
	X(MEMBER_LINKED, "member-linked", "in all lists, not said to be done") \
	X(MEMBER_DEPARTED, "member-departed", "its last connection is taken")  \
	X(MEMBER_LEFT, "member-left", "its record is in the ring, in all lists") \
	X(MEMBER_UNLINKED, "member-unlinked", "in no list, not free")          \
	X(MEMBERS_HALF_CLEARED, "members-half-cleared", "one has lost its connections") \
	X(MEMBERS_CLEARED, "members-cleared", "all lists are empty, for a repair") \
	/* repair, by who takes the lock over: it is held */                   \
	X(HALF_REPLAYED, "half-replayed", "directory knows the first record")  \
	X(INDEX_EMPTY, "index-empty", "the hash index is being built anew")    \
	X(REPAIRED, "repaired", "all is done, the mutex not marked so")        \
	/* a cluster's log: the lock is held */                                \
	X(LOG_HALF_NOTED, "log-half-noted", "origin and hash noted, pos not")  \
	X(LOG_HALF_SKIPPED, "log-half-skipped", "origin noted, pos not")       \
	X(LOG_HALF_JOINED, "log-half-joined", "state copied, not joined yet")  \
	/* questions to the other hosts of a cluster */                        \
	X(QUESTION_CLAIMED, "question-claimed", "the slot is its own, nothing in it") \
	X(QUESTION_HALF_PUT, "question-half-put", "written, not said to be whole") \
	X(QUESTION_HALF_TOLD, "question-half-told", "answered, not said to be whole") \
	/* the keys of publishes: the lock is held */                           \
	X(KEY_DROPPED, "key-dropped", "the oldest is forgotten")               \
	X(KEY_HALF_PUT, "key-half-put", "written, not counted")                \
	X(KEY_COUNTED, "key-counted", "counted, not in the index")             \
	X(KEY_INDEX_EMPTY, "key-index-empty", "their index is built anew")     \
	/* the last values: the lock is held */                                \
	X(VALUE_GONE, "value-gone", "the old one is none, still linked")       \
	X(VALUE_FREED, "value-freed", "the old one is free, no new one")       \
	X(VALUE_HALF_MADE, "value-half-made", "the new one has a name, no text") \
	X(VALUE_MADE, "value-made", "it is one, not linked")                   \
	X(VALUES_UNCLAIMED, "values-unclaimed", "only heads are anybody's")    \
	X(VALUES_UNLINKED, "values-unlinked", "found, no link is made yet")    \
	/* wake-up, and falling asleep */                                      \
	X(BEFORE_WAKE, "before-wake", "unlocked, nobody woken yet")            \
	X(HALF_WOKEN, "half-woken", "the first doorbell is rung")              \
	X(ASLEEP, "asleep", "marked asleep, not waiting yet")                  \
	X(SILENCED, "silenced", "doorbell answered, nothing read yet")         \
	X(TAILED, "tailed", "read from the ring, nothing written to sockets")  \
	/* drain, in a worker */                                               \
	X(DRAIN_BEGUN, "drain-begun", "clients told, input not finished")      \
	X(DRAIN_STOPPED, "drain-stopped", "said so, others not rung")          \
	X(SEALED, "sealed", "ring sealed, lock held")                          \
	X(DRAIN_SETTLED, "drain-settled", "all delivered, nobody closed")      \
	/* a successor on its slot */                                          \
	X(SLOT_HALF_CLEARED, "slot-half-cleared", "the dead one's counts are going") \
	X(SLOT_TAKEN, "slot-taken", "cleared and repaired, not ready yet")     \
	/* an upgrade: the worker whose connections go */                      \
	X(FREEZING, "freezing", "all are at rest, nothing is frozen yet")      \
	X(FROZEN, "frozen", "frozen, nothing is sent")                         \
	X(HALF_SENT, "half-sent", "the first connections are sent")            \
	X(ALL_SENT, "all-sent", "all are sent, nobody has said anything")      \
	X(LEAVING, "leaving", "committed, about to leave")                     \
	/* and the one to which they go: not known by its slot yet */          \
	X(SUCCEEDING, "succeeding", "about to ask for them")                   \
	X(HALF_TAKEN, "half-taken", "the first connections have come")         \
	X(ALL_TAKEN, "all-taken", "rebuilt, nobody is told")                   \
	X(REBUILT, "rebuilt", "and told")                                      \
	X(GRANTED, "granted", "the slot is its own, nothing is done")          \
	X(SLOT_COUNTED, "slot-counted", "counts are its own, not serving")     \
	/* the supervisor */                                                   \
	X(REAPED, "reaped", "a dead worker is reaped, nothing noted")          \
	X(BURYING, "burying", "between the two looks whether it held the lock") \
	X(FORKING, "forking", "slot marked as starting, nobody forked")        \
	X(FORKED, "forked", "forked, its pid not noted")                       \
	X(ORDERED, "ordered", "an order is given, nobody rung")                \
	X(HANDING_OVER, "handing-over", "all workers gone, about to execute")  \
	X(UPGRADING, "upgrading", "workers serve, about to execute")           \
	X(UPGRADED, "upgraded", "the new program has all, nobody is forked")   \
	X(SUCCESSION_COMMITTED, "succession-committed", "nobody is told yet")  \
	X(MOVE_COMMITTED, "move-committed", "all go to another segment, none is told") \
	X(MOVE_NAMED, "move-named", "it has the name, and nobody serves")      \
	X(NURSING, "nursing", "the nursery has made a segment, and forked nobody") \
	X(NURSED, "nursed", "all successors have everything, the nursery ends") \
	X(ADOPTED, "adopted", "a segment is found and believed, not used yet") \
	X(RUN_HALF_BEGUN, "run-half-begun", "counts cleared, still sealed")
/* clang-format on */

enum stop_place {
	STOP_NOWHERE = 0,
#define STOP_ENUM(upper, name, where) STOP_##upper,
	STOP_LIST(STOP_ENUM)
#undef STOP_ENUM
	    STOP_PLACES
};

/* The process that a place is armed for: a worker by its slot, or one of
 * these. */
#define STOP_ANYBODY      0u
#define STOP_SUPERVISOR   0xffu
#define STOP_WORKER(slot) ((slot) + 1)

/* What layout_header.stop_point_arm holds while a place is armed. */
#define STOP_AT(place, who) ((uint32_t)(place) | (uint32_t)(who) << 16)

#ifdef TESTING

/* Look at these words, and not at the segment's: nobody can find that yet.  NULL:
 * at those of the segment again.  A forked child looks where its parent does. */
void stop_point_use(_Atomic uint32_t *arm, _Atomic int32_t *stopped);

/* Say which process this is; before that, only places armed for anybody stop
 * it.  A forked child counts as its parent until it says otherwise. */
void stop_point_set_self(uint32_t who);

/* Stop here if this place is armed for this process or for anybody.  Returns
 * when continued.  Callers: anybody who has the segment mapped to write. */
void stop_point_here(struct layout_header *header, enum stop_place place);

/* A place's name, and the place of a name; STOP_NOWHERE: none. */
const char *stop_point_name(enum stop_place place);
enum stop_place stop_point_named(const char *name);

#else

static inline void
stop_point_set_self(uint32_t who)
{
	(void)who;
}

static inline void
stop_point_use(_Atomic uint32_t *arm, _Atomic int32_t *stopped)
{
	(void)arm;
	(void)stopped;
}

static inline void
stop_point_here(struct layout_header *header, enum stop_place place)
{
	(void)header;
	(void)place;
}

#endif
#endif
