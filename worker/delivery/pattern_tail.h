/* SPDX-License-Identifier: MIT */
/*
 * pattern_tail.h - a turn of the tail, as those see it who follow patterns.
 *
 *	pattern_tail_begin	what is to be read
 *	pattern_tail_add	each record that was
 *	pattern_tail_deliver	all, to those whose patterns match
 *	pattern_tail_run	what was encoded for them, for the topic's own
 *				subscribers
 *	pattern_tail_end
 *
 * They come before the topic's own subscribers: what is from before somebody's
 * own subscription to the topic, patterns bring, and that is first.
 *
 * Callers: the tail, and only while hub->patterns is there.
 */

#ifndef WORKER_DELIVERY_PATTERN_TAIL_H
#define WORKER_DELIVERY_PATTERN_TAIL_H

#include "worker/delivery/tail_run.h"

#include <stdbool.h>
#include <stdint.h>

struct pattern_topic;

/* Of one turn; the tail's. */
struct pattern_tail {
	uint32_t *next;                 /* owned, as in struct tail_records */
	struct pattern_topic **touched; /* owned */
	struct tail_run (*runs)[FORMS]; /* owned, of each touched */
	uint32_t count;                 /* touched */
};

/* Make room for so many records; only the first time. */
void pattern_tail_begin(struct pattern_tail *turn, uint32_t records_max);
void pattern_tail_fini(struct pattern_tail *turn);

/* Note a record, by its index.  Returns whether a pattern here matches it. */
bool pattern_tail_add(struct hub *hub, struct pattern_tail *turn,
    const struct ring_record *rec, uint32_t index);

/* Give each client what its patterns match. */
void pattern_tail_deliver(
    struct hub *hub, struct pattern_tail *turn, const struct ring_record *at);

/* What was encoded of a topic in a form, if that is exactly what its own
 * subscribers need, too.  Returns false if it is not. */
bool pattern_tail_run(struct hub *hub, const struct pattern_tail *turn,
    const struct sub_topic *topic, enum form_id form, struct tail_run *run);

/* The turn's records are forgotten. */
void pattern_tail_end(struct hub *hub, struct pattern_tail *turn);

/* This worker was lapped: tell who follows patterns that nobody knows what they
 * missed. */
void pattern_tail_lapped(struct hub *hub);

/* Tell everybody that nobody knows what their patterns missed. */
void pattern_tail_tell(struct hub *hub, enum gap_reason reason);

#endif
