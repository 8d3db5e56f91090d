/* SPDX-License-Identifier: MIT */
/*
 * ending.h - subscriptions that do not outlive a gap.
 *
 * Clients of some forms (form.h) cannot go on behind a gap: being told of one is
 * the end of their subscription, and they subscribe anew from where they were.
 * The gap is found while the topic's subscribers, or a connection's frames, are
 * being gone through, so the subscription is only noted then, gets nothing any
 * more, and ends when the turn has written all there is.
 *
 *	gap, in tail, replay or flush --> ending_begin
 *	end of the turn               --> subscribe_end_noted (subscribe.h)
 */

#ifndef WORKER_DELIVERY_ENDING_H
#define WORKER_DELIVERY_ENDING_H

#include "worker/delivery/subs.h"

#include <stdbool.h>
#include <stdint.h>

struct hub;

void endings_fini(struct endings *endings);

/* A subscription's client was told of a gap, if its form cannot go on behind
 * one: nothing of the topic follows. */
void ending_begin(struct hub *hub, struct sub *sub);

/* It ends before that, with its connection. */
void ending_forget(struct endings *endings, const struct sub *sub);

/* Whether a client's subscription to the topic in that slot is one of those. */
bool ending_has(
    const struct endings *endings, const struct client *client, uint32_t slot);

#endif
