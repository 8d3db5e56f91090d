/* SPDX-License-Identifier: MIT */
/*
 * lock.h - the one mutex of a segment: robust, shared by all processes.
 *
 * It lies in the header as plain bytes (layout.h), so that the layout needs no
 * <pthread.h>.  ring_lock() (ring.h) takes it, and repairs the ring after a
 * dead holder.
 */

#ifndef BROKER_SHARED_LOCK_H
#define BROKER_SHARED_LOCK_H

#include "broker/shared/layout.h"

#include <pthread.h>

/*
 * Make the lock, free.
 * Callers: store.c, while nobody else has the segment.
 */
void lock_make(struct layout_header *header);

/* The lock.  Callers: ring_lock.c. */
pthread_mutex_t *lock_mutex(struct layout_header *header);

#endif
