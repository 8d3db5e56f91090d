/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - a socket that takes as many bytes as the test says.
 *
 * send(2) and sendmsg(2) of the tests' programs: for one connection they play
 * the kernel's part, for all others they pass on.
 */

#ifndef UNIT_KERNEL_H
#define UNIT_KERNEL_H

#include "tests/unit/support/crew.h"

#include <stddef.h>

/* crew_setup(), with no part for the kernel to play. */
int kernel_setup(void **state);

/* From now on the worker's end of this connection takes so many bytes. */
void kernel_has_room(struct peer *client, size_t bytes);

/* It takes what the real kernel takes. */
void kernel_plays_no_part(void);

/* The same, and whatever waited for that is done. */
void kernel_has_room_again(struct crew *crew);

#endif
