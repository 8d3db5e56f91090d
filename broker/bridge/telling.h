/* SPDX-License-Identifier: MIT */
/*
 * telling.h - the other hosts' questions, answered from the segment: no worker has
 * to do with it.
 *
 * Each turn does a bounded part of the work: some questions about a topic, or
 * slices of a list of them, each under the ring's lock.  What is asked while
 * TELLING_MAX questions wait is dropped; this host is silent to it.
 *
 * Callers: the bridge's loop.
 */

#ifndef BROKER_BRIDGE_TELLING_H
#define BROKER_BRIDGE_TELLING_H

#include "broker/cluster/host_message.h"
#include "broker/cluster/part.h"
#include "broker/cluster/question.h"
#include "broker/ring/ring.h"
#include "broker/ring/topic_page.h"

#include <nats/nats.h>
#include <stdbool.h>
#include <stdint.h>

#define TELLING_MAX 256u /* questions that wait */

struct link;

struct telling {
	struct ring *ring; /* borrowed, like the next */
	struct link *link;
	natsMsg *waiting[TELLING_MAX]; /* a queue, owned: */
	unsigned first, count;
	/* The first of these, if it asks for topics and is begun. */
	struct topic_page page;
	bool is_paging;
	struct part part;
	struct buf text;
};

void telling_init(
    struct telling *telling, struct ring *ring, struct link *link);

/* A question has come.  Owns: telling, the message. */
void telling_take(struct telling *telling, natsMsg *msg);

/* Answer some.  Returns whether the lock could be had, if it was needed. */
bool telling_turn(struct telling *telling);

/* Whether anything waits. */
static inline bool
telling_has_work(const struct telling *telling)
{
	return telling->count > 0;
}

#endif
