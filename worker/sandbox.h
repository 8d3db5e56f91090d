/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - give up, for good, what a worker never needs.
 *
 * A worker parses what strangers send.  Should one of them ever get it to run
 * code of theirs, that code finds a process that can do little more than serve:
 *
 *	no_new_privs	no program that it might run gives it rights
 *	Landlock	of all files it can open those under --root, to read
 *	seccomp		a list of system calls that workers make: those that
 *			only an intruder makes kill the process, all others
 *			fail with ENOSYS, as in a kernel that is older
 *
 * A kernel may lack Landlock or seccomp; then the rest is done and the caller
 * is told.  The supervisor has decided before as which user the worker runs
 * (--user), and which descriptors it has.
 */

#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Confine this process.  Before, it must have opened every file outside of root
 * that it will need, and libraries must have read theirs.
 *
 * root:     descriptor of the directory whose files may be read (O_PATH).
 * walks:    files are opened by openat(2), as beneath.h says: it is allowed, to
 *           read and with O_NOFOLLOW, and fails otherwise.
 * confined: gets what is in force, bits of enum layout_confined.
 * Callers:  a worker, once, with a single thread.
 * Returns:  false if the kernel knows what was asked for and yet refused it:
 *           logged; the process may be half confined, and should end.
 */
bool sandbox_enter(int root, bool walks, uint32_t *confined);

#endif
