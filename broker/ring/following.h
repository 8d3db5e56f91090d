/* SPDX-License-Identifier: MIT */
/* following.h - which workers follow patterns of topics, and so are to be woken
 * whatever is published; ring_interest() looks. */

#ifndef BROKER_RING_FOLLOWING_H
#define BROKER_RING_FOLLOWING_H

#include "broker/shared/segment.h"

#include <stdbool.h>

/*
 * Say that this worker follows patterns, or does not any more.  The former under
 * the ring's lock, the latter at any time.
 * Callers: that worker; its successor, before anything else.
 */
void following_set(struct segment *seg, unsigned worker, bool follows);

#endif
