/* SPDX-License-Identifier: MIT */
/*
 * shared_memory.h - memory without a name, for what the supervisor tells its
 * workers (live.h, access_store.h, tls_store.h).
 *
 * It is made before the first fork.  Where a supervisor has to find it again that
 * has not made it, because another process has begun its workers (an upgrade to
 * another segment), it is that of a descriptor (memfd_create(2)).
 */

#ifndef BROKER_SHARED_SHARED_MEMORY_H
#define BROKER_SHARED_SHARED_MEMORY_H

#include <stddef.h>

/* Map so many bytes: zeros, or (fd not -1) those of the descriptor, which is made
 * so long.  Returns NULL with errno.  Owns: the caller, munmap(2). */
void *shared_memory_map(int fd, size_t size);

#endif
