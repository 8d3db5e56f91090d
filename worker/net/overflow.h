/* SPDX-License-Identifier: MIT */
/*
 * overflow.h - frames that a connection's socket did not take go into its queue
 * (outq.h), up to the limit of the connection and that of the worker.  Beyond
 * them, messages are dropped and told as a gap, or the connection is closed, as
 * its client chose, or the operator for the topic (service.overflow).
 *
 * Callers: flush.c, which knows what the socket did not take.
 */

#ifndef WORKER_NET_OVERFLOW_H
#define WORKER_NET_OVERFLOW_H

#include <stddef.h>
#include <stdint.h>

struct conn;
struct net;

/* What one connection may have waiting, whatever ?buffer= says, bytes. */
#define OVERFLOW_BYTES_MAX (1024u * 1024)

/*
 * Queue all frames from this run on (index + 1; 0: none).  Of its first frame
 * `begun' bytes have been sent.  May close the connection.
 */
void overflow_queue_runs(
    struct net *net, struct conn *c, uint32_t run, size_t begun);

#endif
