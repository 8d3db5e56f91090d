/* SPDX-License-Identifier: MIT */
/* conn_save.h - a connection at rest, written into a record (conn_record.h). */

#ifndef WORKER_HANDOVER_CONN_SAVE_H
#define WORKER_HANDOVER_CONN_SAVE_H

#include "common/buf.h"
#include "worker/delivery/hub.h"

#include <stdbool.h>

/*
 * Append the record of a connection that is at rest (conn_is_at_rest()) and not
 * dead.  Nothing of the connection changes.
 * Returns: false if it cannot be written: a part is too long, or no successor
 *          could go on with its handler.  What was appended is of no use then.
 */
bool conn_save(struct buf *out, struct conn *c);

#endif
