/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one client's connection, from accept to grave.
 *
 *	CONN_OPEN --> CONN_CLOSING --> CONN_LINGER --> CONN_DEAD
 *	    |               |                              ^
 *	    +---------------+------------------------------+
 *
 * OPEN: its handler (handler.h) says what it speaks.  CLOSING has a last thing
 * to write (a close frame, a response); when that is out, the socket is shut
 * for writing and the connection LINGERs: its input is read and thrown away
 * until the peer closes.  Closing a socket with unread input would reset it,
 * and the peer would lose bytes that it has not read yet.
 *
 * Closing and freeing are two moments.  Any code may close any connection at any
 * time, also from within a callback of that very connection: it becomes DEAD and
 * its watcher stops.  Its memory and descriptor go when conns_sweep() runs, once
 * per turn, when no frame of it is on the stack.
 *
 * An idle connection is this struct and the service's part behind it; buffers,
 * parser and queue exist only while something is half-read or half-written.
 */

#ifndef WORKER_NET_CONN_H
#define WORKER_NET_CONN_H

#include "worker/net/handler.h"
#include "worker/net/net.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The connection is gone (reset, end of file): dead at once. */
void conn_abort(struct conn *c);

/* Write what is queued, then shut down, linger, die.  No more input is used. */
void conn_close_when_written(struct conn *c);

/* Whether nothing may be written yet: see `held'. */
static inline bool
conn_is_held(const struct conn *c)
{
	return c->requests_pending != 0 && (c->held || c->state != CONN_OPEN);
}

/* Whether another process can go on with it as it is. */
static inline bool
conn_is_at_rest(const struct conn *c)
{
	if (c->encrypted || c->admin || c->requests_pending != 0)
		return false;
	return c->state != CONN_OPEN ||
	       (c->handler->at_rest != NULL && c->handler->at_rest(c));
}

/* From now on it speaks this; data is what the new handler keeps. */
void conn_speak(struct conn *c, const struct conn_handler *handler, void *data);

/* Queue bytes that are never dropped; written at the end of the turn. */
void conn_answer(struct conn *c, const void *data, size_t len);

/* The same with what is kept: no copy, the queue takes a reference. */
void conn_answer_kept(struct conn *c, struct kept *kept);

/* The same, with len > 0 bytes that the caller fills in before anything else
 * is asked of the connection.  Returns NULL if it is dead. */
void *conn_answer_room(struct conn *c, size_t len);

/* Stop reading, for this reason, until conn_resume() (feed.h) takes it back. */
void conn_pause(struct conn *c, enum conn_pause why);

/* Listen for what the connection's state needs: call after changing it. */
void conn_update_events(struct conn *c);

/* All that was queued is written: do the next step that waited for that. */
void conn_written(struct conn *c);

/* Keep bytes that cannot be used yet (appended to what is kept). */
void conn_keep_input(struct conn *c, const void *data, size_t len);

/* Take the kept bytes away from it.  Owns: the caller, free(3). */
struct conn_input *conn_take_input(struct conn *c);

/* A number below `below' that differs between connections which came together. */
uint32_t conn_spread(const struct conn *c, uint32_t below);

/* Set the deadline of the present state: milliseconds from now. */
void conn_deadline(struct conn *c, uint64_t ms);

/* The same, anywhere in the second half of these milliseconds, so that
 * connections that came together are not all due together. */
void conn_deadline_spread(struct conn *c, uint32_t ms);

/* Abort, and have the kernel forget the bytes that it still has for the peer: a
 * FIN would wait behind them, for a peer that does not take them. */
void conn_cut(struct conn *c);

/* The deadline is over, and the peer has not done what it had to do: count a
 * time-out, and cut the connection. */
void conn_time_out(struct conn *c);

#endif
