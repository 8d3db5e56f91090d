/* SPDX-License-Identifier: MIT */
/*
 * hand_over.h - an upgrade, in the worker whose connections go to another
 * process.
 *
 *	IDLE ----> GATHER ----> (frozen) ----> _exit
 *	  ^           |             |
 *	  +-----------+-------------+   the successor is gone: go on
 *
 * IDLE: the supervisor has the other end of a socket, by which a successor
 * asks.  GATHER: who is at rest (conn_is_at_rest()) is not read any more; the
 * others have --handover-time to come to rest, and are closed then, as at a restart.
 * Messages are delivered meanwhile as ever.  Nobody is accepted; newcomers wait
 * in the queues of the listening sockets.
 *
 * When all are at rest the worker freezes: it sends everything, keeps its own
 * copies of all descriptors, and does nothing else until it is known who goes on
 * (succession.h).  To give away one connection after another would cost more:
 * after close(2) of a descriptor that lives on elsewhere epoll(7) still reports
 * it, and libev makes its whole set anew for each.
 *
 * A successor of another segment asks in another way; then all workers freeze at
 * about the same time (moving.h).
 *
 *	step                    descriptors are of
 *	GATHER                  the predecessor
 *	frozen                  both; neither reads nor writes
 *	COMMITTED               both; the predecessor only ends
 *	GRANTED                 the successor
 *	the successor is gone   the predecessor
 */

#ifndef WORKER_HAND_OVER_H
#define WORKER_HAND_OVER_H

struct worker;

/* Be ready to be asked, if the supervisor has given us a socket for that. */
void hand_over_init(struct worker *w);

/* Stop that. */
void hand_over_fini(struct worker *w);

/*
 * Go on with what was asked for.
 * Callers: turn_end(), when everything else of the turn is done.
 * Blocks:  while it is frozen: until the successor has all, or is gone.
 * Returns: if the worker goes on; else the process ends.
 */
void hand_over_step(struct worker *w);

#endif
