/* SPDX-License-Identifier: MIT */
/*
 * extras.h - what a single publish may ask for beyond being delivered.
 *
 *	ttl	nobody who comes later than so many seconds is sent it
 *	key	published again with it, the first answer comes again
 *	retain	it is its topic's last value: who comes later and asks for
 *		that is sent it (last.h), however much has been published
 *		elsewhere since; an empty text clears it
 *
 * What an operator has said of a topic (policed.h) stands for what a publish
 * leaves open.  A publish that asks for nothing costs a look at three members here, and no byte
 * in the ring.
 */

#ifndef WORKER_REQUESTS_EXTRAS_H
#define WORKER_REQUESTS_EXTRAS_H

#include "common/policy.h"
#include "worker/requests/intake.h"

/* Why a publish cannot be what it asks for, a static sentence; or NULL.  A message
 * that is kept nowhere has none of it. */
static inline const char *
extras_contradict(const struct intake_request *want)
{
	return want->is_ephemeral &&
	               (want->ttl_s != 0 || want->key_len > 0 || want->retain)
	           ? "an ephemeral message has no ttl, key or retain"
	           : NULL;
}

/* Most that a publish may ask for. */
#define EXTRAS_TTL_MAX POLICY_TTL_MAX /* seconds */
#define EXTRAS_KEY_MAX 255u           /* bytes */

/* Whether extras_admit() has to be asked. */
static inline bool
extras_must_look(const struct hub *hub, const struct intake_request *want)
{
	return want->key_len > 0 || want->retain ||
	       (want->ttl_s != 0 && hub->waiting != NULL);
}

/*
 * What the record of a publish ends with, or NULL.  For the message that is
 * gathered next.
 * Borrowed: good until the turn's requests are done.
 */
const struct layout_extra *extras_of(
    struct hub *hub, const struct intake_op *op);

/*
 * Look whether a publish with a key or with retain may be: if its key is known
 * op->duplicate is set, and op->start.seq is the number that the first one got.
 * What was gathered before has been published.  extra: what extras_of() says.
 *
 * A key is the user's and the topic's: what another user says counts for
 * nothing.
 *
 * Under the ring's lock.
 * Returns: INTAKE_DONE; INTAKE_KEYS_FULL or INTAKE_RETAIN_FULL, which are
 *          counted; or INTAKE_NOT_IN_CLUSTER: its log has none of these.
 */
enum intake_result extras_admit(
    struct hub *hub, struct intake_op *op, const struct layout_extra *extra);

#endif
