/* SPDX-License-Identifier: MIT */
/* conn_restore.h - a connection out of its record (conn_record.h). */

#ifndef WORKER_HANDOVER_CONN_RESTORE_H
#define WORKER_HANDOVER_CONN_RESTORE_H

#include "worker/delivery/hub.h"

#include <stdbool.h>

struct conn_record;

/*
 * Go on with the connection of this descriptor.  Nothing is read or written, and
 * the segment is not changed.  Its topics have been adopted (delivery/adopt.h), and
 * its identity (access/access.h).
 *
 * anew: this process has another ring than the one before.  Then its subscriptions
 * begin in this one, under the ring's lock; conn_restore_tell() has to follow.
 *
 * Owns:    the descriptor, in any case.
 * Returns: false if it cannot be served here: another protocol, a topic or an
 *          identity that is not here, or a directory without room.
 */
bool conn_restore(
    struct hub *hub, int fd, struct conn_record *record, bool anew);

/* They have come to another ring, and the process before this one has ended: tell
 * all who can be told. */
void conn_restore_tell(struct hub *hub);

/* The process before this one has ended: use the input that came with the
 * connections, and write what waits. */
void conn_restore_go_on(struct net *net);

#endif
