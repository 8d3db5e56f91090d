/* SPDX-License-Identifier: MIT */
/* history.h - a topic's past messages as a JSON array. */

#ifndef WORKER_REQUESTS_HISTORY_H
#define WORKER_REQUESTS_HISTORY_H

#include "broker/ring/chain.h"
#include "common/buf.h"
#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of messages in one answer; if some do not fit, it says "more". */
#define HISTORY_BYTES_MAX (1024u * 1024)

/*
 * Append [{"seq","time","message"}, ...], oldest first, the messages that a
 * request asked for, as far as the ring has them; of one whose time (ttl) is over
 * there is {"seq","expired":true} in its place.  Their numbers follow one
 * another and end with the newest that was asked for; if that is overwritten
 * before it could be copied, there are none.
 *
 * Returns: "more", which means the same wherever messages are asked for: had the
 *          client, when its answer was put together, asked for those before the
 *          first one of it, it would have got at least one.  So false if there
 *          are none.  Writers go on meanwhile: the ring may have lost that one
 *          by the time the client asks.
 */
bool history_put(struct hub *hub, const struct intake_op *op, struct buf *out);

/* Copy the record of a number into the intake's room for one.  Returns false if
 * it has been overwritten, and every lower one with it. */
bool history_read(struct hub *hub, struct chain *chain, uint64_t number,
    struct ring_record *rec);

/*
 * The same for the numbers first to last of a chain that was walked to first - 1,
 * or as far as it went; history_put() is this behind the walk.
 */
bool history_put_chain(struct hub *hub, struct chain *chain, uint64_t first,
    uint64_t last, struct buf *out);

#endif
