/* SPDX-License-Identifier: MIT */
/* topics_floor.h - the number below which no topic of a ring to come begins. */

#ifndef BROKER_RING_TOPICS_FLOOR_H
#define BROKER_RING_TOPICS_FLOOR_H

#include "broker/shared/segment.h"

#include <stdint.h>

/* The highest number that any topic has had.  Without the lock only while nobody
 * publishes. */
uint64_t topics_highest(const struct segment *seg);

/* Have topics that are made from now on begin behind this number.  Under the
 * lock. */
void topics_raise_floor(struct segment *seg, uint64_t floor);

#endif
