/* SPDX-License-Identifier: MIT */
/*
 * random.h - bytes that nobody can guess.
 */

#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>

/*
 * Fill len bytes, at most 256.  From getrandom(2), or where that is refused from
 * /dev/urandom; a host that has neither ends the process (BUG()), for secrets
 * that are none are worse.
 */
void random_fill(void *out, size_t len);

#endif
