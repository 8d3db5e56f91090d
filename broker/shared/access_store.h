/* SPDX-License-Identifier: MIT */
/*
 * access_store.h - who may what, from the supervisor to the workers.
 *
 * One piece of memory without a name, made before the first fork and shared by
 * the supervisor and all its workers.  The supervisor alone writes it; workers
 * may not open the key files that it read.
 *
 *	field      written by    an unlocked read is safe because
 *	version    supervisor    atomic; odd while the rest is being written
 *	the rest   supervisor    copied, then version is looked at again
 */

#ifndef BROKER_SHARED_ACCESS_STORE_H
#define BROKER_SHARED_ACCESS_STORE_H

#include "common/access_rules.h"

#include <stdbool.h>
#include <stdint.h>

struct access_store;

/* One without a text; or that of a descriptor (shared_memory.h), if fd is not -1.
 * Returns NULL, with errno, if there is no memory. */
struct access_store *access_store_open(int fd);
void access_store_close(struct access_store *store);

/* Have this process read it only; NULL is nothing.  Callers: a worker, after the
 * fork. */
void access_store_protect(struct access_store *store);

/* Publish these texts instead of those before.  Callers: the supervisor, which
 * then rings the doorbells. */
void access_store_put(
    struct access_store *store, const struct access_texts *texts);

/* Another number, other texts. */
uint32_t access_store_version(const struct access_store *store);

/*
 * Copy the texts, and their version.
 * Owns:    the caller, access_texts_wipe().
 * Returns: false, with no texts, if the supervisor is just writing them, or died
 *          at it.
 */
bool access_store_get(const struct access_store *store,
    struct access_texts *texts, uint32_t *version);

#endif
