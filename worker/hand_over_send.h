/* SPDX-License-Identifier: MIT */
/* hand_over_send.h - all that a worker has, over a socket to its successor
 * (handover/hub_record.h). */

#ifndef WORKER_HAND_OVER_SEND_H
#define WORKER_HAND_OVER_SEND_H

#include <stdbool.h>

struct worker;

/*
 * Send it.  Nothing of the worker changes; connections that are not at rest are
 * left out.
 * Callers: a worker that is frozen.
 * Blocks:  until the successor has taken all but what the socket holds.
 * Returns: false if the successor is gone, or the kernel does not carry so many
 *          descriptors.
 */
bool hand_over_send(struct worker *w, int successor);

#endif
