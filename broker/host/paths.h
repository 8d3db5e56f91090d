/* SPDX-License-Identifier: MIT */
/*
 * paths.h - where files are when nobody says: static files, lock, pidfile, log.
 *
 * All returned strings are absolute paths, owned by the caller.
 */

#ifndef BROKER_HOST_PATHS_H
#define BROKER_HOST_PATHS_H

#include <stdbool.h>

#define PATHS_ERROR_MAX 256 /* bytes of a reason */

/* The running program's own file, as it was named when it started. */
char *paths_program(void);

/* public/ in the directory of the program, or next to it; share/pubsubd/public
 * next to it; or where `make install' puts it: the first that exists, the last
 * if none does. */
char *paths_default_root(void);

/*
 * The file whose locks say who runs an instance (lockfile.h).  By the name
 * alone, so that every command finds it, and in a directory that outlasts the
 * server and its user's session: as root /var/log/pubsubd, otherwise
 * $XDG_STATE_HOME/pubsubd, by default ~/.local/state/pubsubd.  Where nothing can
 * be written there: /run/pubsubd, otherwise /tmp/pubsubd-UID.
 */
char *paths_lockfile(const char *name);

/* NAME.log in the same directory. */
char *paths_default_log(const char *name);

/* As root /run/pubsubd/NAME.pid, otherwise in the same directory. */
char *paths_default_pidfile(const char *name);

/* A path as seen from the working directory, made absolute. */
char *paths_absolute(const char *path);

/*
 * Make the directory of a file, with those above it, for this user alone (for
 * root: writable by root alone).  One that exists must be a directory of this
 * user where nobody else can write, or be refused.
 * Returns false with a reason that names it.
 */
bool paths_make_directory(const char *file, char error[PATHS_ERROR_MAX]);

/* Returns false with a reason that names it if this is not a directory that
 * can be entered. */
bool paths_check_directory(const char *path, char error[PATHS_ERROR_MAX]);

#endif
