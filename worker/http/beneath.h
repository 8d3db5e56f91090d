/* SPDX-License-Identifier: MIT */
/*
 * beneath.h - open what a path names beneath a directory, and nothing else.
 *
 * openat2(2) with RESOLVE_BENEATH has the kernel itself refuse to leave the
 * directory, whether by "..", by a symbolic link or by a rename in the middle of
 * the look-up.  Links that stay inside are followed; absolute ones never stay
 * inside.
 *
 * A kernel before 5.6 does not know openat2(2), and filters of containers and of
 * service managers refuse it (systemd's RestrictSUIDSGID=).  There the path is
 * walked: each segment is opened by openat(2) with O_NOFOLLOW, from the
 * directory before it.  A walk follows no symbolic link at all, and as a path
 * has no "..", it only ever goes down.
 */

#ifndef WORKER_HTTP_BENEATH_H
#define WORKER_HTTP_BENEATH_H

#include <stdbool.h>

/*
 * Find out how paths beneath this directory (O_PATH) can be looked up; logs one
 * warning if they have to be walked.
 * Returns: false with errno if this process may not look into the directory.
 */
bool beneath_probe(int root, bool *walks);

/*
 * Open for reading what has this path, relative to root: not empty, no empty
 * segment, none that is "." or "..".
 * walks:   what beneath_probe() found out.
 * Blocks:  while the file system looks the name up; not on FIFOs or devices.
 * Owns:    the caller, the descriptor: O_NONBLOCK, O_CLOEXEC.
 * Returns: the descriptor, or -1 with errno: EXDEV or, of a walk, ELOOP or
 *          ENOTDIR for a link that is not followed.
 */
int beneath_open(int root, const char *path, bool walks);

#endif
