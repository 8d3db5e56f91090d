/* SPDX-License-Identifier: MIT */
/*
 * overflow.h - what a connection's socket did not take: into its queue
 * (outq.h), as far as its own limit and the worker's go.  What goes beyond is
 * dropped, told as a gap, or ends the connection, as its client chose.
 *
 * Callers: flush.c, which says what was not taken.
 */

#ifndef WORKER_NET_OVERFLOW_H
#define WORKER_NET_OVERFLOW_H

#include "worker/net/conn.h"

#include <stddef.h>
#include <stdint.h>

/* What one connection may have waiting, whatever ?buffer= says, bytes. */
#define OVERFLOW_BYTES_MAX (1024u * 1024)

/*
 * Queue all frames from this run on (index + 1; 0: none).  Of its first frame
 * `begun' bytes have been sent.  May close the connection.
 */
void overflow_queue_runs(
    struct net *net, struct conn *c, uint32_t run, size_t begun);

#endif
