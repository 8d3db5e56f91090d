/* SPDX-License-Identifier: MIT */
/*
 * descriptors.h - close all that a process has inherited, but for a few.
 *
 * close_range(2) does that at once, but a kernel before 5.9 does not know it, and
 * filters of old container managers refuse it.  It must not fail in silence: a
 * worker that keeps the supervisor's pipe never sees that the supervisor is dead,
 * and a server in the background that keeps the pipe of the report lets `start'
 * wait for ever.
 */

#ifndef BROKER_HOST_DESCRIPTORS_H
#define BROKER_HOST_DESCRIPTORS_H

#include <stddef.h>

/* Close every descriptor but these, which are sorted on the way. */
void descriptors_keep_only(int *fds, size_t count);

#endif
