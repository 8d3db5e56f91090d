/* SPDX-License-Identifier: MIT */
/*
 * adopt.h - subscriptions that another process had until now.
 *
 * The topics are as they were there: slot of the directory, and how far that
 * process had tailed.  The tail goes on at its cursor, so what was published
 * meanwhile comes as any message does.  A subscription that was behind its topic
 * was being replayed, and is so again.
 *
 *	adopt_topic, adopt_sub		while the other still has the slot; the
 *	...				segment is only read
 *	adopt_unused			no more of them come
 *	adopt_slot			the slot is ours: counts, replays
 */

#ifndef WORKER_DELIVERY_ADOPT_H
#define WORKER_DELIVERY_ADOPT_H

#include "worker/delivery/hub.h"

#include <stdbool.h>
#include <stdint.h>

/* How a topic stood in the other process. */
struct adopt_topic {
	const char *name; /* borrowed */
	uint8_t name_len;
	uint32_t slot; /* of the directory */
	uint64_t seq;  /* as in struct sub_topic, like the next */
	uint64_t pos;
};

/* Returns false if the directory has no such topic in that slot with a
 * subscriber of this worker, or if it is here already. */
bool adopt_topic(struct hub *hub, const struct adopt_topic *topic);

/*
 * Subscribe the client to a topic that was adopted, behind number told.  There is
 * no limit, because the subscription is not new.
 * Returns: the topic; NULL if it is none of those, or the client has it already.
 */
struct sub_topic *adopt_sub(struct hub *hub, struct client *client,
    const char *name, uint8_t len, bool no_echo, uint64_t told);

/* Forget the adopted topics that nobody here subscribes to. */
void adopt_unused(struct hub *hub);

/*
 * The other process has ended, and its slot is ours: its counts become ours, and
 * replays begin again.
 * Under the ring's lock.
 */
void adopt_slot(struct hub *hub);

#endif
