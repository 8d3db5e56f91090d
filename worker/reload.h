/* SPDX-License-Identifier: MIT */
/* reload.h - a worker takes over the options that a reload has changed. */

#ifndef WORKER_RELOAD_H
#define WORKER_RELOAD_H

#include <stdint.h>

struct worker;

/* How many connections these options, or the descriptors, allow. */
uint32_t reload_max_conns(const struct worker *w);

/* Have the options that the supervisor had at the fork. */
void reload_init(struct worker *w);

/* Say in the slot which options this worker has. */
void reload_tell(struct worker *w);

/*
 * Take over other options, if there are any.  Connections go on: a limit that is
 * lower now is held to what comes from now on.
 * Callers: before anything else of a turn.
 */
void reload_turn(struct worker *w);

#endif
