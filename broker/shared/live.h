/* SPDX-License-Identifier: MIT */
/*
 * live.h - the options that a reload changes, from the supervisor to the
 * workers that run.
 *
 * One piece of memory without a name, made before the first fork and shared by
 * the supervisor and all its workers.  The supervisor alone writes it; a worker
 * copies it between two turns, so all options change together.
 *
 *	field      written by    an unlocked read is safe because
 *	version    supervisor    atomic; odd while the rest is being written
 *	the rest   supervisor    copied, then version is looked at again
 *
 * A worker that starts after a reload has inherited the new options by fork(2).
 */

#ifndef BROKER_SHARED_LIVE_H
#define BROKER_SHARED_LIVE_H

#include "common/config.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of all names of --allow-origin and --allow-host, a NUL for each. */
#define LIVE_NAMES_MAX (32u * 1024)

struct live;

/* An empty one, version 0; or that of a descriptor (shared_memory.h), if fd is not
 * -1.  Returns NULL, with errno, if there is no memory. */
struct live *live_open(int fd);
void live_close(struct live *live);

/* Whether there is room for the names of this configuration. */
bool live_has_room(const struct config *config);

/* Publish the options that a reload changes; live_has_room() is true for them.
 * Callers: the supervisor, which then rings the doorbells. */
void live_put(struct live *live, const struct config *config);

/* Have this process read it only.  Callers: a worker, after the fork. */
void live_protect(struct live *live);

/* Another number, other options.  live may be NULL: 0. */
uint32_t live_version(const struct live *live);

/*
 * Copy the options that a reload changes into config, whose lists then point
 * into names.
 * Returns: their version; 0, with nothing changed, if the supervisor is just
 *          writing them.
 */
uint32_t live_get(
    const struct live *live, struct config *config, char names[LIVE_NAMES_MAX]);

#endif
