/* SPDX-License-Identifier: MIT */
/*
 * tail_mixed.h - a topic's records of one turn, where some have no number.
 *
 * Without numbers there is no run that each subscriber takes a part of, so each
 * record goes to each subscriber by itself.  Topics that nobody publishes such
 * records to never come here.
 */

#ifndef WORKER_DELIVERY_TAIL_MIXED_H
#define WORKER_DELIVERY_TAIL_MIXED_H

#include <stdbool.h>

struct hub;
struct ring_record;
struct sub_topic;

/*
 * Whether a record without a number, which is in the topic's slot of the
 * directory, is the topic's: the slot may have been another's when it was
 * published, and its number does not tell.
 */
bool tail_mixed_is_of(
    const struct sub_topic *topic, const struct ring_record *rec);

/*
 * Give one of the topic's records to its subscribers.  One without a number is for
 * those who had been sent, or told of, everything before it; who is being sent the
 * past does not get it.
 */
void tail_mixed_send(struct hub *hub, const struct sub_topic *topic,
    const struct ring_record *rec);

#endif
