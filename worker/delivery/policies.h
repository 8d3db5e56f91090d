/* SPDX-License-Identifier: MIT */
/*
 * policies.h - what an operator has said about a topic (common/policy.h), found
 * once for each slot of the directory.
 *
 * An entry holds for one life of its slot, which a new topic ends, and for one
 * reading of the sections, which a reload ends.  A server without sections has
 * no table, and whoever asks pays one branch.
 */

#ifndef WORKER_DELIVERY_POLICIES_H
#define WORKER_DELIVERY_POLICIES_H

#include "common/policy.h"
#include "worker/delivery/hub.h"

#include <stdint.h>

/* Begin with the sections of the configuration; or with others, after a reload. */
void policies_renew(struct hub *hub);

/* Forget them. */
void policies_close(struct hub *hub);

/* Callers: policy_of(). */
const struct policy *policies_find(struct hub *hub, uint32_t slot);

/*
 * What holds for the topic in that slot.  Valid until the next call.
 * Callers: who holds the ring's lock, or has a subscriber in the slot; or else
 *          the topic may just become another.
 */
static inline const struct policy *
policy_of(struct hub *hub, uint32_t slot)
{
	return hub->policies == NULL ? &policy_default
	                             : policies_find(hub, slot);
}

#endif
