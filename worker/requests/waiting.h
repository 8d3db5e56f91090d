/* SPDX-License-Identifier: MIT */
/*
 * waiting.h - requests that wait for the log of a cluster.
 *
 *	publish:    intake --> outbox --> (bridge, log, bridge) --> ring
 *	                          \                                   |
 *	                           waiting here <---------------------+ tail
 *	                              \--> intake: to be answered
 *
 * Under the lock a publish is only put into the outbox (ring_marks.h).  It
 * waits here until the tail meets its record, which has come back from the log;
 * then it is put back into the intake, to be answered in its place.
 *
 * A client's requests take effect and are answered one after another, so what
 * comes behind such a publish and is none itself is put off, whole, until that
 * has been answered.  So is a publish for which the outbox has no room, and a
 * subscription that continues behind a place of the log at which this host has
 * not arrived.  Nothing is read of a client that waits.
 *
 * A question about all hosts waits here likewise until they have told, or are
 * silent (inquiry.h); then it is done.
 *
 * When nothing was heard of the log for --cluster-wait, requests of these kinds
 * are refused: they have done nothing.  A publish that is in the outbox may be
 * in the log as well; it waits on.
 *
 * In local mode (log_mode.h) a publish is a message at once, and is answered at once.  What waits
 * in the outbox when that begins becomes messages first, in its order, and is
 * answered when the tail meets it, like what has come back; what comes back later
 * is skipped by the bridge.  A client that still waits for one of these gets its
 * later answers behind that.
 */

#ifndef WORKER_REQUESTS_WAITING_H
#define WORKER_REQUESTS_WAITING_H

#include "worker/requests/intake.h"

#include <stdbool.h>

struct ring_record;
struct waiting;

/* Have this worker be of a host of a cluster.  Owns: the hub. */
void waiting_open(struct hub *hub);
void waiting_close(struct hub *hub);

/*
 * Whether a request has to be put off.  Under the lock, before anything is done
 * about it.
 */
bool waiting_puts_off(struct hub *hub, const struct intake_op *op);

/* How far the log is in the ring.  Under the lock; 0: it has not begun. */
uint64_t waiting_place(const struct hub *hub);

/* A publish is gathered.  If it goes to the outbox alone, or its client waits for an
 * earlier one, note that its client waits.  Returns whether it does.  Under the
 * lock, before the first of them is published. */
bool waiting_begin(struct hub *hub, struct intake_op *op);

/* A request asks the other hosts: note that its client waits.  Returns
 * INTAKE_WAITING.  Under the lock. */
enum intake_result waiting_begin_to_ask(struct intake_op *op);

/* Keep the requests whose result is INTAKE_WAITING (in the outbox, by the number
 * in op->out, or for the other hosts, who are asked now) or INTAKE_PUT_OFF.
 * Without the lock, before the intake is
 * released. */
void waiting_take_from_intake(struct hub *hub);

/* How a request went that was put back into the intake.  Under the lock. */
enum intake_result waiting_result(struct hub *hub, struct intake_op *op);

/* Put back into the intake what has waited long enough.  Callers: the turn, at
 * its beginning. */
void waiting_turn(struct hub *hub);

/* Whether waiting_turn() would put something back. */
bool waiting_is_ready(const struct hub *hub);

/* Whether nobody waits. */
bool waiting_is_empty(const struct hub *hub);

#endif
