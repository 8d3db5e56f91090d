/* SPDX-License-Identifier: MIT */
/*
 * follow.h - read a ring from outside: every message, or what was missed of it.
 *
 * A worker tails the ring for its clients; this does it for whoever has mapped
 * the segment read-only, and asks no worker for anything.  It cannot subscribe,
 * so it reads the records of all topics, and nobody wakes it: it must look by
 * itself, and a reader that looks too seldom is lapped.  Then it tells for each
 * topic which numbers were overwritten before they were read.
 */

#ifndef BROKER_STATUS_FOLLOW_H
#define BROKER_STATUS_FOLLOW_H

#include "broker/ring/ring.h"

#include <stdbool.h>
#include <stdint.h>

/* What was found; borrowed for the call. */
struct follow_events {
	void (*message)(void *owner, const struct ring_record *record);
	/* Numbers from..to of a topic are lost.  Called before any message
	 * behind them. */
	void (*missed)(void *owner, const char *topic, uint8_t topic_len,
	    uint64_t from, uint64_t to);
	void *owner;
};

struct follow {
	struct segment *seg; /* borrowed; may be read-only */
	struct ring ring;
	struct ring_cursor cursor;
	struct ring_batch batch; /* owned */
	uint64_t *wanted;        /* all bits set; owned */
	uint64_t *seen;          /* number reached, by slot; owned */
	bool has_lapped;
};

/*
 * Begin with what is published next or, is_new, with the first record that this
 * ring ever had: the ring has just been made.
 * Owns: the caller, until follow_end().  The segment must outlive it.
 */
void follow_begin(struct follow *follow, struct segment *seg, bool is_new);
void follow_end(struct follow *follow);

enum follow_status {
	FOLLOW_OK = 0,
	FOLLOW_EMPTY,   /* nothing new: look again in a moment */
	FOLLOW_CORRUPT, /* there is no record where one should be; ends it */
};

/* Read on, a batch at most, and tell it.  Never blocks. */
enum follow_status follow_read(
    struct follow *follow, const struct follow_events *events);

#endif
