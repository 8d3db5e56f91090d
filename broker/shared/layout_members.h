/* SPDX-License-Identifier: MIT */
/*
 * layout_members.h - the bytes of the table of members: who is in which topic.
 *
 *	+--------------------------------------------------------------+
 *	| struct layout_attendance  x topics_max   who is in a topic   |
 *	| struct layout_member      x members_max                      |
 *	| uint16_t                  x members_max x LAYOUT_WORKERS     |
 *	|                           connections, by member, by worker  |
 *	| uint32_t                  x member_buckets   hash: index + 1 |
 *	| struct layout_piece       x pieces_max   names and infos     |
 *	| uint32_t    x LAYOUT_HOLDER_ROWS x LAYOUT_HOLDERS            |
 *	|             what addresses hold: ring/member_share.h         |
 *	+--------------------------------------------------------------+
 *
 * A member is a user in a topic, however many connections that user has there.
 * The table lives as long as the ring's epoch: over restarts, and over the death
 * of any process.  Its counts of connections belong to one run.
 *
 * Links are an index + 1; 0 is none.  Everything is written by the holder of the
 * ring's lock and read under it, but for the atomic words, which are read at any
 * time.  What a holder that died has left half-done: member_table.h.
 */

#ifndef BROKER_SHARED_LAYOUT_MEMBERS_H
#define BROKER_SHARED_LAYOUT_MEMBERS_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define LAYOUT_USER_MAX 64u  /* bytes of a user's name */
#define LAYOUT_INFO_MAX 512u /* bytes of what is told of a user, JSON */

#define LAYOUT_PIECE      60u /* bytes of text in a piece */
#define LAYOUT_PIECES_PER 2u  /* pieces in the table for each member */

#define LAYOUT_HOLDER_BITS 12u
#define LAYOUT_HOLDERS     (1u << LAYOUT_HOLDER_BITS) /* cells of a row */
#define LAYOUT_HOLDER_ROWS 2u

enum member_state {
	MEMBER_FREE = 0,
	MEMBER_MADE,    /* filled, but there only with its record */
	MEMBER_PRESENT, /* is there */
};

struct layout_member {
	alignas(64) uint64_t serial; /* 1, 2, ... in the order of coming */
	uint64_t leave_ms; /* with no connection: when it leaves, monotonic */
	uint32_t topic;    /* directory slot */
	uint32_t hash;     /* of topic and user */
	uint32_t next;     /* in its bucket, or of the free ones */
	uint32_t before, behind;               /* of its topic */
	uint32_t leaves_before, leaves_behind; /* of those without connection */
	uint32_t text; /* the first piece: the name, then the info */
	uint16_t info_len;
	uint8_t user_len;
	uint8_t state;       /* enum member_state */
	uint8_t is_verified; /* the name is by a token */
	uint8_t is_leaving;  /* among those without a connection */
	uint32_t holder;     /* whose address has it; 0: none counts */
	uint32_t key;        /* of the user; the same on all hosts; never 0 */
};

/* A part of a member's text. */
struct layout_piece {
	uint32_t next; /* of the same text, or of the free ones */
	char bytes[LAYOUT_PIECE];
};

/* The members of a topic, in the order of coming. */
struct layout_attendance {
	uint32_t first, last;
	_Atomic uint64_t watched; /* bit w: a client of worker w is told */
};

struct layout_members {
	uint32_t changing; /* 1: something is half-done */
	uint32_t used;     /* members from here on were never used */
	uint32_t free;     /* the first of those that are free again */
	uint32_t pieces_used;
	uint32_t pieces_free;
	uint32_t pieces_left; /* that can be had */
	uint32_t leaves_first, leaves_last;
	uint64_t serial;           /* last given */
	_Atomic uint32_t present;  /* members that are there */
	_Atomic uint64_t leave_ms; /* when the first leaves; 0: none does */
};

#endif
