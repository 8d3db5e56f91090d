/* SPDX-License-Identifier: MIT */
/*
 * state.h - what the bridge's own files share; nobody else includes this.
 *
 *	serve.c    open, the loop, its turn
 *	receive.c  from the log into the ring
 *	join.c     begin with a log, or go on with it
 *
 * Questions between hosts are asking.h's and telling.h's, rings that were given up
 * aside.h's, which know nothing of this.
 */

#ifndef BROKER_BRIDGE_STATE_H
#define BROKER_BRIDGE_STATE_H

#include "broker/bridge/aside.h"
#include "broker/bridge/asking.h"
#include "broker/bridge/link.h"
#include "broker/bridge/telling.h"
#include "broker/cluster/ingest.h"
#include "broker/cluster/sender.h"
#include "broker/shared/wakeup.h"

struct serve_options;

struct bridge {
	const struct serve_options *options; /* serve.c's */
	const char *client;                  /* how the others call this host */
	struct segment seg;
	struct ring ring;
	struct wakeup wakeup;
	struct link link;
	struct link_stream stream; /* as it was when we asked */
	struct ingest in;
	struct sender sender;
	struct asides asides;
	struct buf text;        /* of a checkpoint */
	uint64_t reconnects;    /* that we know of */
	uint64_t progress_ms;   /* own records came back, or none waits */
	uint64_t went_back_ms;  /* or that */
	uint64_t heard_ms;      /* anything of the log */
	uint64_t checkpoint_ms; /* the next is due */
	uint64_t taken_bytes;   /* of batches of others, since the last */
	uint64_t
	    freed_to; /* the outbox began here when workers were told last */
	uint64_t verify_ms; /* ask for the stream then, and do nothing before;
	                     * 0: it is the one that we joined */
	uint64_t leave_ms;  /* the supervisor is gone; 0: it lives */
	struct asking asking;
	struct telling telling;
	bool tells_late; /* the ring's lock was not to be had for it */
	/* messages that have come and wait for the lock */
	natsMsg *messages[LOG_RECORDS_MAX];
	uint64_t numbers[LOG_RECORDS_MAX];
	unsigned first, count;
};

static inline struct layout_cluster *
bridge_words(struct bridge *b)
{
	return &b->seg.header->cluster;
}

static inline void
bridge_count(struct bridge *b, enum layout_cluster_counter which)
{
	atomic_fetch_add_explicit(
	    &bridge_words(b)->counters[which], 1, memory_order_relaxed);
}

static inline void
bridge_set(struct bridge *b, enum layout_cluster_counter which, uint64_t value)
{
	atomic_store_explicit(
	    &bridge_words(b)->counters[which], value, memory_order_relaxed);
}

/* Put what has come of the log into the ring.  Returns BRIDGE_DONE, or the exit
 * status. */
int bridge_receive(struct bridge *b, uint64_t now);

/*
 * Have the ring joined to the log, and the log read from where the ring is.
 * Returns BRIDGE_DONE, or the exit status.
 */
int bridge_join(struct bridge *b);

/* Whether b->stream still goes on where the ring, which has joined, is.  Returns
 * BRIDGE_DONE, or the exit status.  Blocks: LINK_WAIT_MS, if it seems not to. */
int bridge_verify(struct bridge *b);

#endif
