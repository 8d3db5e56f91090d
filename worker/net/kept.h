/* SPDX-License-Identifier: MIT */
/*
 * kept.h - bytes that outlive their turn: one copy for all who wait for them.
 *
 * A turn's frames lie in the arena and are gone when the turn ends.  A frame
 * that some connections have not taken by then is copied once, however many
 * they are; each of their queues holds a reference, and the last one frees it.
 * A small file that is kept in memory (worker/http/static_cache.h) is sent so,
 * too.
 */

#ifndef WORKER_NET_KEPT_H
#define WORKER_NET_KEPT_H

#include <stdint.h>

struct kept {
	uint32_t references;
	uint32_t len; /* bytes */
	unsigned char bytes[];
};

/* Room for len > 0 bytes, which the caller fills before anybody has a reference.
 * Owns: the caller, who has the first reference. */
struct kept *kept_room(uint32_t len);

/* A copy of len > 0 bytes.  Owns: the caller, who has the first reference. */
struct kept *kept_new(const void *data, uint32_t len);

/* One more reference.  Returns it. */
struct kept *kept_take(struct kept *kept);

/* One reference less: *kept becomes NULL, and the last one frees it. */
void kept_drop(struct kept **kept);

#endif
