/* SPDX-License-Identifier: MIT */
/*
 * rate.h - how much per second one connection may ask for.
 *
 * Two token buckets: one for messages, fragments and requests over HTTP
 * (--rate), one for control frames (--control-rate), each of which costs a
 * pong.  A connection beyond its rate gets no error: it is not read until it is
 * within the rate again, so TCP pushes back and nothing is lost.
 */

#ifndef WORKER_NET_RATE_H
#define WORKER_NET_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* The connection has not asked for anything yet. */
void rate_init(struct conn *c);

/* It has come too early: it is read in so many milliseconds. */
void rate_wait(struct conn *c, uint32_t ms);

/*
 * A WebSocket's message has come, or a part of one; or a control frame.  One
 * too many pauses it (PAUSE_RATE), and its deadline is the time to look again.
 */
void rate_count(struct conn *c);
void rate_count_control(struct conn *c);

/*
 * A WebSocket's message has become so many bytes longer by inflating.  They cost
 * their sender nothing, so they count as messages that would have brought them.
 */
void rate_count_inflated(struct conn *c, uint64_t bytes);

/* The request being served brought so many messages: for those beyond the one
 * that rate_count_request() counts. */
void rate_count_messages(struct conn *c, uint32_t messages);

/* A request over HTTP has been served; rate_hold() is for the next. */
void rate_count_request(struct conn *c);

/* Pause the connection, as above, if it is over its rate.  Returns whether it
 * is. */
bool rate_hold(struct conn *c);

/* A request of the connection looked at so many records of the ring.  That
 * counts as if it had published a part of them. */
void rate_charge(struct conn *c, uint64_t records);

/*
 * The connection's deadline has come.  If it is paused for its rate and within
 * it again, resume it with a deadline of then_ms, unless input that it has sent
 * meanwhile sets another; if it is not within it, set the time of the next
 * look.
 * Returns: whether it was paused for its rate; if so, the caller has nothing
 *          more to do now.
 */
bool rate_due(struct conn *c, uint32_t then_ms);

#endif
