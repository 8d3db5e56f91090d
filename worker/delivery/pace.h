/* SPDX-License-Identifier: MIT */
/*
 * pace.h - subscriptions that get at most one message in a time.
 *
 *	told     sent next       newest
 *	 |  gap (conflated)        |
 *	-+--------------------------+---> numbers of the topic
 *
 * Such a subscription is not live: the tail only notes the topic's newest number
 * for it, and where that lies in the ring.  When its time has come, it is told
 * the numbers between as a gap, and sent the newest message, read from the ring.
 * So it always has the newest in the end, and nothing is buffered for it however
 * much is published.  If the ring would lose the newest before its time has come,
 * it is sent at once.
 *
 * Those whose time comes within one tick get it in the same turn, and a message
 * is encoded once for all of them.  Who does not use this pays one branch per
 * turn of the loop, and one per topic and batch.
 */

#ifndef WORKER_DELIVERY_PACE_H
#define WORKER_DELIVERY_PACE_H

#include "worker/delivery/hub.h"
#include "worker/delivery/tail_run.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* What a client may ask for, milliseconds. */
#define PACE_MIN_MS 100u
#define PACE_MAX_MS (3600u * 1000)

/* How exactly a time is kept: a message comes up to this much later. */
#define PACE_TICK_MS 50u

/* Frames of a turn that are found again. */
#define PACE_FRAMES 64u

struct pace {
	TAILQ_ENTRY(pace) link; /* while newest != 0 */
	struct sub *sub;        /* borrowed */
	uint64_t told;   /* last number it was sent, or told of in a gap */
	uint64_t newest; /* number that waits, 0: none */
	uint64_t pos;    /* of its record */
	uint64_t due_ms; /* not before; monotonic clock */
	uint32_t every_ms;
	bool is_ready; /* in the list of those whose time has come */
};

TAILQ_HEAD(pace_list, pace);

/* A message that was encoded in this turn. */
struct pace_frame {
	uint64_t turn;
	uint64_t seq;
	uint32_t slot;
	uint32_t form;
	uint32_t frame; /* index in the arena */
};

struct paces {
	struct pace_list ready;   /* to be served in this turn */
	struct pace_list waiting; /* for their time */
	uint64_t look_ms;         /* when to look at those again */
	uint64_t turn;
	struct pace_frame frames[PACE_FRAMES];
	unsigned char
	    *bytes; /* owned: room for one record; NULL: not needed yet */
	size_t size;
	ev_timer tick; /* while some wait: so that there is a turn */
};

/* record_max: bytes of the longest record that the ring can hold. */
void paces_init(struct paces *paces, uint64_t record_max);
void paces_fini(struct paces *paces);

/*
 * From now on the subscription, which is live behind number `told', gets at most
 * one message in so many milliseconds, the next one not before wait_ms are over.
 */
void pace_begin(struct hub *hub, struct sub *sub, uint64_t told,
    uint32_t every_ms, uint32_t wait_ms);

/* The subscription ends. */
void pace_end(struct hub *hub, struct sub *sub);

/* There is a newer message for it.  seq, pos: number and place, an exact pair. */
void pace_note(struct hub *hub, struct sub *sub, uint64_t seq, uint64_t pos);

/* The tail has read messages of the topic, from topic->first on: note the newest
 * for those of its subscriptions that are paced. */
void paces_note(struct hub *hub, const struct sub_topic *topic,
    struct tail_records records);

/* This worker was lapped, and goes on behind number seq; so does the
 * subscription, which is told its gap.  Returns how many messages it missed. */
uint64_t pace_lapped(struct hub *hub, struct sub *sub, uint64_t seq);

/* Milliseconds until its time has come. */
uint32_t pace_wait_ms(const struct pace *pace);

/* Send what is due.  After the tail, before the output is written. */
void paces_turn(struct hub *hub);

#endif
