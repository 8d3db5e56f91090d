/* SPDX-License-Identifier: MIT */
/* history.h - a topic's past messages as a JSON array. */

#ifndef WORKER_REQUESTS_HISTORY_H
#define WORKER_REQUESTS_HISTORY_H

#include "common/buf.h"
#include "worker/requests/intake.h"

#include <stdbool.h>

/* Bytes of messages in one answer; what is left makes "more". */
#define HISTORY_BYTES_MAX (1024u * 1024)

/*
 * Append [{"seq","time","message"}, ...], oldest first, of what a request asked
 * for and found.  Returns whether older ones are left that it did not bring.
 */
bool history_put(struct hub *hub, const struct intake_op *op, struct buf *out);

#endif
