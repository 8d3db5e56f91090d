/* SPDX-License-Identifier: MIT */
/* open.h - set up what one worker holds (state.h), and give it back. */

#ifndef WORKER_OPEN_H
#define WORKER_OPEN_H

#include <stdbool.h>

struct service;
struct worker;
struct worker_args;

/*
 * Take over the slot of the segment, make the loop, and listen.  args and
 * service are borrowed until worker_close().
 * Callers: once in a process, after the fork.
 * Blocks:  for the ring's lock, 20 ms at most.
 * Returns: false if that cannot be done, and has been logged.
 */
bool worker_open(struct worker *w, const struct worker_args *args,
    const struct service *service);

/* Abort what is left of the connections and free everything, so that a leak
 * checker has nothing to say.  The listeners stay open. */
void worker_close(struct worker *w);

#endif
