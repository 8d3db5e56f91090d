/* SPDX-License-Identifier: MIT */
/*
 * resume.h - where a new subscription begins, whatever protocol asked for it.
 *
 *	nothing asked for          live from the present on
 *	since, history             a replay of what the ring still has, then
 *	                           live; what it has no more is one gap (expired),
 *	                           and so is each stretch whose time (ttl) is over
 *	since another ring's life  a gap without numbers (epoch), then live
 *	since before a loss        the same, and a gap without numbers (cluster)
 *	 (delivery/lost.h)          first; of another host, that is the one gap
 *	                           (expired)
 *	since no number of its     a gap without numbers (unknown), then live
 *	since, without a grant     all that was missed as one gap (forbidden), then
 *	for the past               live
 *
 * A topic's last value (last.h), if it was asked for, comes where its number
 * belongs: by the replay, in the middle of a gap, or, if it is older than what
 * was asked for, in front of all.  Who has it, by `since', is not sent it again.
 *
 * With every_ms there is no replay: what was missed is conflated like what comes,
 * also behind a place of the log.
 *
 * First it is planned, so that the client can be told; then it begins.
 */

#ifndef WORKER_REQUESTS_RESUME_H
#define WORKER_REQUESTS_RESUME_H

#include "broker/ring/chain.h"
#include "worker/delivery/form.h"

#include <stdbool.h>
#include <stdint.h>

struct intake_op;
struct sub;
struct hub;

enum resume_how {
	RESUME_LIVE = 0, /* with what comes */
	RESUME_REPLAY,   /* with what was */
	RESUME_GAP,      /* with what comes: nobody knows what was missed */
	RESUME_WITHHELD, /* with what comes: what was missed is one gap */
	RESUME_NEWEST,   /* with the newest of what was (delivery/pace.h) */
};

struct resume {
	enum resume_how how;
	struct sub *sub;        /* borrowed; NULL: it has ended already */
	enum gap_reason reason; /* RESUME_GAP: why */
	struct chain chain;     /* RESUME_REPLAY: what there is, owned */
	uint64_t wanted;        /* RESUME_REPLAY: the first number asked for */
	uint64_t replayed;      /* numbers that will follow, as messages or,
	                         * if their time (ttl) is over, in gaps */
	bool recovered;         /* these are all that was asked for */
	bool is_short; /* by a place of the log: some that came behind it are
	                * gone, and have no numbers */
	bool has_lost; /* in the same ring: other hosts' messages never came */
};

/*
 * Plan how a subscription that was just made begins.  Not under the lock.
 * Owns: the plan, until resume_begin(), which must follow.
 */
void resume_plan(
    struct hub *hub, const struct intake_op *op, struct resume *resume);

/* Tell the gap, begin the replay.  What the client is told first has been
 * queued. */
void resume_begin(
    struct hub *hub, const struct intake_op *op, struct resume *resume);

/* The same after a replay was planned, of which the client was sent the numbers
 * below `next' beside the answer. */
void resume_begin_at(struct hub *hub, const struct intake_op *op,
    struct resume *resume, uint64_t next);

/* Begin with what comes, whatever was planned; the client has been told. */
void resume_begin_live(struct resume *resume);

#endif
