/* SPDX-License-Identifier: MIT */
/*
 * peers.h - several floors at one port (--processes).
 *
 * Each process has a listening socket of its own (SO_REUSEPORT) and its own
 * members.  What one takes in, it tells the others by a number in an eventfd(2),
 * and each sends so many messages to all of its members, whatever their rooms.
 */

#ifndef TESTS_FLOOR_PEERS_H
#define TESTS_FLOOR_PEERS_H

#include <stdint.h>

#define PEERS_MAX 64u

/* Fork all but the first, which end with it.  Returns which of them this is. */
unsigned peers_fork(unsigned processes);

/* The descriptor by which others tell this one; -1 if there are none. */
int peers_fd(void);

/* Tell the others that so many messages were taken in. */
void peers_tell(uint64_t messages);

/* How many messages others have taken in since the last call. */
uint64_t peers_take(void);

#endif
