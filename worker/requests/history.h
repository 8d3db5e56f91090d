/* SPDX-License-Identifier: MIT */
/* history.h - a topic's past messages as a JSON array. */

#ifndef WORKER_REQUESTS_HISTORY_H
#define WORKER_REQUESTS_HISTORY_H

#include "common/buf.h"
#include "worker/requests/intake.h"

#include <stdbool.h>

/* Bytes of messages in one answer; if some do not fit, it says "more". */
#define HISTORY_BYTES_MAX (1024u * 1024)

/*
 * Append [{"seq","time","message"}, ...], oldest first, the messages that a
 * request asked for.  Returns whether it left out older ones.
 */
bool history_put(struct hub *hub, const struct intake_op *op, struct buf *out);

#endif
