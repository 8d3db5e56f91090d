/* SPDX-License-Identifier: MIT */
/*
 * rate.h - how many messages per second one connection may publish (--rate).
 *
 * Beyond that there is no error: the connection is not read until it is within
 * the rate again, so TCP pushes back and nothing is lost.  A second's worth may
 * come at once.
 */

#ifndef WORKER_RATE_H
#define WORKER_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* The connection has not published anything yet. */
void rate_init(struct conn *c);

/* It has published a message.  One too many pauses it (PAUSE_RATE), and its
 * deadline is the time to look again. */
void rate_count(struct conn *c);

/* What it asked for took a look at so many records of the ring: that counts as
 * if it had published a part of them. */
void rate_charge(struct conn *c, uint64_t records);

/*
 * Its deadline has come.  If it is paused for its rate, resume it as soon as it
 * is within it, else set the next deadline.
 * Returns: whether it is still paused for its rate: then there is nothing more
 *          to do now.
 */
bool rate_due(struct conn *c);

#endif
