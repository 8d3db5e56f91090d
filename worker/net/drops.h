/* SPDX-License-Identifier: MIT */
/*
 * drops.h - how many messages of each connection were dropped.
 *
 * A connection that keeps up has nothing here, so this costs only the slow.
 */

#ifndef WORKER_NET_DROPS_H
#define WORKER_NET_DROPS_H

#include "worker/net/net.h"

#include <stdint.h>

/* Count one message of this connection as dropped, in the worker's counter
 * too. */
void drops_add(struct conn *c, enum stats_id why);

/* How many there were. */
uint64_t drops_of(const struct conn *c);

/* The connection is freed. */
void drops_forget(struct conn *c);

#endif
