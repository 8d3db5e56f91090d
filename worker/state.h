/* SPDX-License-Identifier: MIT */
/*
 * state.h - all that one worker holds, and the life of its event loop turn.
 *
 *	  sockets readable         doorbell, timers
 *	        |                        |
 *	        v                        v
 *	acceptor, conn  ----->  intake: the requests of this turn
 *	        ^                        |  one lock: subscribe, publish, wake
 *	        |                        v
 *	  outbox: one write  <---  tail: ring -> frames -> subscribers
 *	  per connection
 *
 * Callbacks of the loop only collect; turn_end() (turn.h) does the rest, in this
 * order, right before the loop waits again.  All of it is one thread, so nothing
 * here is locked.
 *
 * Only the files of worker/ itself include this.  The code in its folders is
 * given the struct net or the struct hub that it works on.
 */

#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "broker/shared/ask.h"
#include "broker/shared/live.h"
#include "broker/shared/stats.h"
#include "common/container.h"
#include "worker/access/access.h"
#include "worker/api/list.h"
#include "worker/api/reply.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/latency.h"
#include "worker/delivery/pace.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/tail.h"
#include "worker/delivery/watch.h"
#include "worker/http/static.h"
#include "worker/net/acceptor.h"
#include "worker/net/net.h"
#include "worker/protocol/protocols.h"
#include "worker/requests/intake.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

struct busiest;
struct upgrade_page;
struct operator_ask;
struct worker_args;

/* How far the worker has come with leaving: drain.h. */
enum drain_phase {
	DRAIN_NOT = 0,
	DRAIN_STOP,
	DRAIN_SETTLE,
	DRAIN_CLOSE,
	DRAIN_OUT,
};

struct drain {
	enum drain_phase phase;
	uint64_t began_ms;   /* monotonic clock, like the next */
	uint64_t until_ms;   /* the deadline */
	uint64_t closing_ms; /* when CLOSE began */
	uint64_t paced_ms;   /* for which close frames have been sent */
	uint64_t final_head;
	uint64_t commits; /* of the intake, before it began */
	unsigned code;    /* to close with */
	bool orphaned;    /* the supervisor is dead */
	bool sealed;      /* by us or with our knowledge: final_head is final */
	bool at_once;     /* RUN_QUIT: do not wait for anybody */
	ev_timer tick;
};

/* How far the worker has come with giving its connections away: hand_over.h. */
enum hand_over_phase {
	HAND_OVER_IDLE = 0,
	HAND_OVER_GATHER,
	HAND_OVER_LATE, /* who is not at rest has been told to go */
};

struct hand_over {
	enum hand_over_phase phase;
	ev_io asked;       /* the socket to the supervisor */
	ev_io gone;        /* that to the successor: owned */
	ev_timer tick;     /* while gathering */
	uint64_t until_ms; /* the phase ends, monotonic clock */
	/* Of a move to another segment (moving.h): */
	struct upgrade_page *page; /* mapped; NULL: it is none */
	uint64_t move;             /* its number */
	uint64_t quiet_until_ms; /* it has said that it is quiet, and waits for
	                          * the others so long; 0: not yet */
};

struct take_over {
	int ours, theirs; /* a pair of sockets; -1: closed */
	uint64_t move;    /* number of that to another segment */
	_Atomic uint64_t counters[STATS_COUNT]; /* until the slot is ours */
};

/* What operator_ask.c asks other workers. */
struct operator_asks {
	TAILQ_HEAD(operator_line, operator_ask) line; /* the first is asked */
	ev_timer patience;
	uint64_t id;   /* of the question that is out; 0: none */
	uint64_t left; /* who has to answer it; bits */
	uint64_t below[LAYOUT_WORKERS]; /* where each goes on; 0: nowhere */
	int pids[LAYOUT_WORKERS];       /* of those that were asked */
	uint64_t until_ms;              /* of the question; monotonic clock */
	uint64_t hung;                  /* who has not answered; bits */
};

struct worker {
	const struct worker_args *args;    /* borrowed */
	struct config config;              /* the options in force */
	uint32_t descriptors;              /* that may be the clients' */
	uint32_t options_version;          /* of these, live.h */
	char option_names[LIVE_NAMES_MAX]; /* what its lists point into */
	ev_prepare before_wait;
	ev_check after_wait;
	ev_io doorbell;
	ev_io supervisor;
	ev_timer beat;
	ev_timer tick; /* turns the wheel */

	struct net net;
	struct hub hub;
	struct access access;
	struct acceptors acceptors;
	struct tail tail;
	struct attend attend;
	struct watches watches;
	struct replays replays;
	struct paces paces;
	struct latency latency;
	struct intake intake;
	struct protocols protocols;
	struct api api;
	struct api_lists lists;
	struct static_files files;
	struct drain drain;
	struct hand_over hand_over; /* to a successor */
	struct take_over take_over; /* from a predecessor */
	struct asked asked;         /* answering.h, like the next */
	struct buf answer;
	struct operator_asks operator_asks;
	struct busiest *busiest; /* admin.c's; NULL: nobody has asked */
};

/* The worker whose connection this is. */
static inline struct worker *
worker_of(const struct conn *c)
{
	return container_of(c->net, struct worker, net);
}

#endif
