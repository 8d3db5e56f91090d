/* SPDX-License-Identifier: MIT */
/* nofile.h - how many descriptors this process may have (RLIMIT_NOFILE). */

#ifndef COMMON_NOFILE_H
#define COMMON_NOFILE_H

#include <stdint.h>

/* The limit where the kernel does not tell it: what processes have had by
 * default for decades. */
#define NOFILE_UNKNOWN 1024u

/*
 * The soft limit, UINT32_MAX if it is that or more.
 *
 * getrlimit(3) of glibc calls prlimit64(2), which filters of containers refuse
 * now and then; the kernel's own getrlimit(2) is tried then.
 * Returns: NOFILE_UNKNOWN if both are refused.
 */
uint32_t nofile_limit(void);

#endif
