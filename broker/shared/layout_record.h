/* SPDX-License-Identifier: MIT */
/* layout_record.h - the bytes of a record of the ring; who may write them: see
 * layout.h. */

#ifndef BROKER_SHARED_LAYOUT_RECORD_H
#define BROKER_SHARED_LAYOUT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A record.  It never wraps: if it does not fit before the end of the ring's
 * bytes, a padding record fills them up, which may be as short as its first
 * eight bytes.  Lengths are multiples of eight, so that much room is always
 * left.
 *
 *	+--------+-------+--------+---------+
 *	| length | flags | name   | worker  |    8 bytes, all that padding has
 *	|  u32   |  u8   | len u8 |  u16    |
 *	+--------+-------+--------+---------+
 *	| topic slot u32 | body length u32  |
 *	| seq u64        | prev u64         |
 *	| time_ms u64    | conn u64         |
 *	+----------------+------------------+
 *	| name | body | zeros to a multiple of 8
 *	+-----------------------------------+
 *	| struct layout_extra (layout_values.h), if its publisher asked for more
 *	+-----------------------------------+
 *	| struct layout_mark, if the record is one of a cluster (layout_cluster.h)
 *	+-----------------------------------+
 *
 * A record that waits to be sent, and is no message, has its number among those
 * that wait as `seq', and in `prev' the position of the one before it.
 */
struct layout_record {
	uint32_t length; /* bytes of the whole record, a multiple of 8 */
	uint8_t flags;   /* RECORD_* */
	uint8_t name_len;
	uint16_t worker; /* slot of the publishing worker */
	uint32_t topic;  /* directory slot */
	uint32_t body_len;
	uint64_t seq;     /* dense per topic within its life; see below */
	uint64_t prev;    /* position of the topic's previous record, 0: none */
	uint64_t time_ms; /* wall clock */
	uint64_t conn;    /* number of the publishing connection, 0: none */
};

#define RECORD_PADDING   0x01u
#define RECORD_EPHEMERAL 0x02u /* a message for those who are there now */
#define RECORD_JOIN      0x04u /* a member has come: members.h */
#define RECORD_LEAVE     0x08u /* a member has left */
#define RECORD_UNCOUNTED 0x10u /* somebody is there who is no member */
#define RECORD_EXTRA     0x20u /* has a struct layout_extra, before the mark */
/* In a cluster; what they say together: layout_cluster.h. */
#define RECORD_OUTBOX 0x40u /* waits to be sent to the log */
#define RECORD_MARKED 0x80u /* has a mark behind its body */

/* About members, for those who watch; the publishing connection is the member's
 * index. */
#define RECORD_MEMBERS (RECORD_JOIN | RECORD_LEAVE | RECORD_UNCOUNTED)

/*
 * A record with one of these flags has no number: its seq is the last that its
 * topic had given before, no later record leads to it by `prev', and the
 * directory does not know it.  So nobody who reads a topic's past meets it.
 */
#define RECORD_UNNUMBERED (RECORD_EPHEMERAL | RECORD_MEMBERS)

/* Whether a record with these flags is a message, numbered or not. */
static inline bool
layout_is_message(uint8_t flags)
{
	return (flags & RECORD_PADDING) == 0 &&
	       (flags & (RECORD_OUTBOX | RECORD_MARKED)) != RECORD_OUTBOX;
}

/* Whether it waits to be sent to the log of a cluster. */
static inline bool
layout_waits(uint8_t flags)
{
	return (flags & (RECORD_PADDING | RECORD_OUTBOX)) == RECORD_OUTBOX;
}

#endif
