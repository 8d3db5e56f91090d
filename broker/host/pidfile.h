/* SPDX-License-Identifier: MIT */
/*
 * pidfile.h - the supervisor's number in a file, for people and for scripts.
 *
 * This program never reads it to learn who runs: lockfile.h tells.
 */

#ifndef BROKER_HOST_PIDFILE_H
#define BROKER_HOST_PIDFILE_H

#include <stdbool.h>

#define PIDFILE_ERROR_MAX 256 /* bytes of a reason */

/*
 * Write the own number into the file, which is made if it is missing.  One that
 * is not a plain file of this user is refused, and no link is followed.
 * Returns: false with a reason that names it.
 */
bool pidfile_write(const char *path, char error[PIDFILE_ERROR_MAX]);

/* Remove the file if it holds the own number, and no other file. */
void pidfile_remove(const char *path);

/* Remove the file if it holds nothing but the number of a process that is dead.
 * Callers: code that removes the remains of a killed server. */
void pidfile_remove_left(const char *path);

#endif
