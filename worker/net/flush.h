/* SPDX-License-Identifier: MIT */
/*
 * flush.h - the one write that a connection gets in a turn.
 *
 * It writes first the connection's queue (outq.h), then the frames of this turn
 * (outbox.h), straight from the arena.  Bytes that the kernel does not take are
 * copied into the connection's own bounded queue, so only slow connections cost
 * a copy.
 */

#ifndef WORKER_NET_FLUSH_H
#define WORKER_NET_FLUSH_H

struct conn;
struct net;

/* Pieces of one write; more than this take another. */
#define FLUSH_IOV_MAX 64

/*
 * Write what was collected, then forget it and the turn's frames.  May close
 * connections, whose memory stays until they are swept.
 */
void flush_turn(struct net *net);

/* Write a connection's queue now: its socket has room again. */
void flush_conn(struct conn *c);

#endif
