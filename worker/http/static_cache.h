/* SPDX-License-Identifier: MIT */
/*
 * static_cache.h - small files in memory, for as long as they do not change.
 *
 * To open, look at, read and close a small file are four system calls of the six
 * that a request for it takes.  A file that was opened once, the safe way
 * (static.h), is kept with what fstat(2) said of it; the next request for the
 * same name looks by one fstatat(2) whether that is still the same file with the
 * same content: same device, inode, size, and times of modification and of
 * change, to the nanosecond.  Any write, rename or chmod sets the last of these.
 *
 * The kernel's clock for these times ticks only every few milliseconds, so a
 * file that was changed just now may change again without a trace: it is not
 * kept before it has been left alone for STATIC_CACHE_SETTLED seconds.
 */

#ifndef WORKER_HTTP_STATIC_CACHE_H
#define WORKER_HTTP_STATIC_CACHE_H

#include "worker/http/static_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define STATIC_CACHE_FILE    65536u         /* bytes of a file that is kept */
#define STATIC_CACHE_BYTES   (1024u * 1024) /* of all that are */
#define STATIC_CACHE_FILES   32u
#define STATIC_CACHE_SETTLED 2 /* seconds */

struct static_cache; /* of one worker */

/* Make an empty one.  Owns: the caller, until static_cache_free(). */
struct static_cache *static_cache_new(void);

/* Free it and what it keeps; leaves NULL. */
void static_cache_free(struct static_cache **cache);

/*
 * Find a file that is kept under this name, relative to the directory root.
 * One that is no longer what it was is forgotten.
 *
 * Blocks:  while the file system looks the name up, if it is kept.
 * Returns: true with file filled in, which has no descriptor.
 */
bool static_cache_find(struct static_cache *cache, int root, const char *name,
    struct static_file *file);

/*
 * Keep a file that has just been opened and of which fstat(2) said st, if it may
 * be kept; others make room for it.  now: seconds since 1970.
 *
 * Blocks:  while it is read.
 * Returns: true: it is kept, file has its body, and no descriptor any more.
 */
bool static_cache_add(struct static_cache *cache, const char *name,
    const struct stat *st, time_t now, struct static_file *file);

#endif
