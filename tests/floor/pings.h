/* SPDX-License-Identifier: MIT */
/*
 * pings.h - ping every member now and then, as little as that can be (--ping).
 *
 * The time between two pings has PINGS_TICK_MS as its unit.  The members are
 * spread over its ticks by their descriptors, and each gets a ready-made frame by
 * one send().  Nobody is cut who does not answer.
 */

#ifndef TESTS_FLOOR_PINGS_H
#define TESTS_FLOOR_PINGS_H

#define PINGS_TICK_MS 250

/* Before the first tick.  seconds: between two pings of a member; 0: none. */
void pings_init(unsigned seconds);

/* Ping whoever's tick has come.  Returns how long it is until the next tick,
 * milliseconds; -1: there is none. */
int pings_turn(void);

#endif
