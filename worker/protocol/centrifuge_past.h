/* SPDX-License-Identifier: MIT */
/*
 * centrifuge_past.h - messages of the past in replies to Centrifuge's clients.
 *
 *	"publications":[{"data":"hello","offset":46},...]
 */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_PAST_H
#define WORKER_PROTOCOL_CENTRIFUGE_PAST_H

#include "common/buf.h"
#include "worker/protocol/centrifuge_code.h"
#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stdint.h>

struct resume;

/* The most of a recovery that a reply has, messages and about bytes; the rest
 * follows as pushes, as the client takes them. */
#define CENTRIFUGE_RECOVERY_MAX       1000u
#define CENTRIFUGE_RECOVERY_BYTES_MAX (64u * 1024)

/*
 * Append the first of what a subscription recovers, a list; room: false: an empty
 * one, because other replies wait already.
 * Returns: the number behind the last one of them.  0: they are gone meanwhile,
 *          and nothing was appended.
 */
uint64_t centrifuge_put_recovery(
    struct hub *hub, struct resume *resume, bool room, struct buf *out);

/* Which of a topic's messages a history is of. */
enum centrifuge_history {
	CENTRIFUGE_SINCE,        /* those behind a place */
	CENTRIFUGE_FROM_OLDEST,  /* from the first one that is left */
	CENTRIFUGE_NEWEST_FIRST, /* backwards, from a place or the end */
};

/*
 * Append the messages that a request asked for, a list; of one whose time (ttl) is
 * over there is nothing.
 * Returns: CENTRIFUGE_OK; or CENTRIFUGE_UNRECOVERABLE, with out as it was: the
 *          first one behind that place is not to be had, or the place is none of
 *          this topic's.
 */
enum centrifuge_error centrifuge_put_history(struct hub *hub,
    const struct intake_op *op, enum centrifuge_history which, struct buf *out);

#endif
