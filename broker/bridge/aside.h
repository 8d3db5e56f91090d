/* SPDX-License-Identifier: MIT */
/*
 * aside.h - rings that this host has given up, and what of theirs the log does not
 * have yet.
 *
 *	ring set aside --> sender --> log --> this host's ring, and all others
 *
 * The supervisor keeps the segment of such a ring (segment_set_aside()) and hands it
 * to each bridge.  Its records go on under the numbers, and from the origin, that
 * they have: hosts that have some of them skip those.  When all are in the log and
 * another host has them, or there is none, the bridge says so in its own segment, and
 * the supervisor removes the other.
 *
 * A bridge that dies has nothing that its successor does not find: what the log has
 * is in this host's ring, and what was confirmed in the ring set aside.
 *
 * Callers: the bridge's loop.
 */

#ifndef BROKER_BRIDGE_ASIDE_H
#define BROKER_BRIDGE_ASIDE_H

#include "broker/cluster/sender.h"

#include <stdbool.h>
#include <stdint.h>

struct link;

struct aside {
	struct segment seg; /* no header: there is none, or it is done */
	struct sender sender;
	bool has_begun;       /* there is a sender */
	uint64_t progress_ms; /* some came back, or was sent again */
};

struct asides {
	const struct segment *seg; /* of this host's ring; borrowed, as link */
	struct link *link;
	struct aside at[SEGMENT_ASIDE_MAX]; /* by place */
};

/*
 * Map those that there are.  fds: by place, -1: none; they are closed.  One that is no
 * such segment, of another version perhaps or damaged, is done: what it has nobody can
 * read.  name: of the instance.
 */
void asides_open(struct asides *asides, const struct segment *seg,
    struct link *link, const int fds[SEGMENT_ASIDE_MAX], const char *name);

/*
 * Send what is to be sent.  is_new: this ring has not read the log to the end that it
 * had, so nobody knows yet what of theirs is in it.  may_send: there is a server.
 */
void asides_turn(
    struct asides *asides, bool is_new, bool may_send, uint64_t now);

/* What was on its way may be lost: send again what is not back. */
void asides_go_back(struct asides *asides);

/* A batch of this head was skipped. */
void asides_skipped(struct asides *asides, const struct log_head *head);

/* Another host is in this state, or there is none: NULL. */
void asides_confirm(struct asides *asides, const struct ring_log_state *state);

/* Whether one of them is this origin. */
bool asides_have(const struct asides *asides, uint64_t origin);

#endif
