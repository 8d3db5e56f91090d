/* SPDX-License-Identifier: MIT */
/*
 * outbox.h - which frames this turn has for which connection.
 *
 * During a turn runs of frames are collected per connection, as numbers; the
 * bytes stay in the turn's arena (arena.h).  At its end flush.h writes them.
 */

#ifndef WORKER_NET_OUTBOX_H
#define WORKER_NET_OUTBOX_H

#include "worker/net/net.h"

#include <stdbool.h>
#include <stdint.h>

void outbox_init(struct outbox *box);
void outbox_fini(struct outbox *box);

/* Have this connection's queue written at the end of the turn. */
void outbox_touch(struct outbox *box, struct conn *c);

/* The same, and give it these frames. */
void outbox_frames(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count);

/* The same for frames that a replay brings. */
void outbox_replay(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count);

/* Whether a replay has given it something in this turn. */
bool outbox_is_replayed(const struct outbox *box, const struct conn *c);

#endif
