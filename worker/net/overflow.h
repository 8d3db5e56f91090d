/* SPDX-License-Identifier: MIT */
/*
 * overflow.h - what a connection's socket did not take: into its queue
 * (outq.h), as far as its own limit and the worker's go.  What goes beyond is
 * dropped, told as a gap, or ends the connection, as its client chose.
 *
 * Only for outbox.c, which says what was not taken.
 */

#ifndef WORKER_NET_OVERFLOW_H
#define WORKER_NET_OVERFLOW_H

#include "worker/state.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Queue all frames from this run on (index + 1; 0: none).  Of its first frame
 * `begun' bytes have been sent.  May close the connection.
 */
void outbox_queue_runs(
    struct worker *w, struct conn *c, uint32_t run, size_t begun);

/* Keep the gauge of buffered bytes in step with one queue's change. */
static inline void
outbox_account(struct worker *w, size_t before, size_t after)
{
	w->conns.buffered += after - before;
	stats_set(&w->stats, STATS_BUFFERED_BYTES, w->conns.buffered);
}

#endif
