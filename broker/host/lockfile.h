/* SPDX-License-Identifier: MIT */
/*
 * lockfile.h - who runs an instance: the locks on one file, and nothing else.
 *
 *	byte 0	exclusive lock: the supervisor
 *	byte 1	shared lock: each worker
 *	byte 2	and all behind it: a shared lock of one worker each, at a
 *		byte that the supervisor chooses
 *
 * A lock ends with its process, however that dies, and survives execve(2).  So
 * a file that a killed server left has no locks, and nobody has to remove it.
 * The file is empty.  Its mode is 0600: a user who cannot open it cannot lock
 * it either, so a lock on it is always this user's.  A file that belongs to
 * another user, or that others may open, is refused before any lock on it is
 * believed.
 *
 * These are fcntl(2)'s classic locks, because only they tell who holds them.
 * Their trap: closing *any* descriptor of the file drops all locks that the
 * process has on it.  So a process that holds a lock opens the file only once.
 */

#ifndef BROKER_HOST_LOCKFILE_H
#define BROKER_HOST_LOCKFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define LOCKFILE_ERROR_MAX 256 /* bytes of a reason */

/* The first byte that a worker may have for itself. */
#define LOCKFILE_FREE_FROM 2

struct lockfile {
	const char *path; /* borrowed */
	int fd;           /* -1: not taken */
	int workers_fd;   /* what the workers of this run have locked: the same,
	                     unless the file was removed meanwhile */
};

/* Held, but by a process of another pid namespace. */
#define LOCKFILE_UNSEEN ((pid_t)-1)

/* Who holds the locks; 0: nobody. */
struct lockfile_holders {
	pid_t supervisor;
	pid_t worker; /* one of them */
};

enum lockfile_status {
	LOCKFILE_OK = 0,
	LOCKFILE_HELD,   /* another supervisor has it; see holder */
	LOCKFILE_FAILED, /* the system said no, or the file is not to be
	                    believed; see error */
};

/*
 * Become the supervisor of this instance: make the file if it is missing, and
 * take byte 0.
 * Owns: the caller, until lockfile_release().
 */
enum lockfile_status lockfile_take(struct lockfile *lockfile, const char *path,
    pid_t *holder, char error[LOCKFILE_ERROR_MAX]);

/*
 * The same with the file of a server that was killed, to clear away what that
 * left.
 * Returns: whether there was such a file, and all of that server is dead.
 * Owns:    the caller if true, until lockfile_release().
 */
bool lockfile_take_left(struct lockfile *lockfile, const char *path);

/* Go on with a descriptor whose lock was kept over execve(2). */
void lockfile_adopt(struct lockfile *lockfile, const char *path, int fd);

/* Whether the path still means the file that is locked. */
bool lockfile_is_named(const struct lockfile *lockfile);

/*
 * The file was removed while we run: make and lock another, so that commands
 * find us again.  The workers that live keep their locks on the old one, which
 * is let go of by lockfile_begin_run().
 * Returns: false with a reason.
 */
bool lockfile_renew(struct lockfile *lockfile, char error[LOCKFILE_ERROR_MAX]);

/* No worker lives: those that come will lock the file that has the name. */
void lockfile_begin_run(struct lockfile *lockfile);

/*
 * Wait until no worker of a supervisor that is dead lives any more.
 * Callers: the holder of byte 0.
 * Blocks:  at most this long, and no longer than until the descriptor `unless'
 *          (-1: none) can be read.
 * Returns: false if one is still there.
 */
bool lockfile_wait_workers(
    const struct lockfile *lockfile, int unless, uint64_t timeout_ms);

/*
 * Kill the workers of a supervisor that is dead, and wait until all are gone.
 * Callers: the holder of byte 0.
 * Blocks:  at most this long.
 * Returns: false if one is still there: it may not be killed from here, or is
 *          of another pid namespace.
 */
bool lockfile_kill_workers(
    const struct lockfile *lockfile, uint64_t timeout_ms);

/*
 * Take the shared lock on byte 1, which a later start waits for, and one on a
 * byte of the worker's own, which the other workers look at.
 * The descriptor is of the same number afterwards, but can only read, where
 * /proc is mounted.
 * Callers: a worker, with the descriptor it inherited, before it gives up its
 *          rights.
 * Returns: false with errno set.
 */
bool lockfile_join(const struct lockfile *lockfile, off_t own_byte);

/* Remove the file, unless its name means another by now, or a worker that a
 * killed supervisor left still has its lock there; and give up our lock.
 * Callers: the supervisor that took it, at its end. */
void lockfile_release(struct lockfile *lockfile);

/*
 * Who holds the locks of this file now.  Takes none.
 * Callers: processes that hold none of its locks.
 * Returns: false with a reason if the file cannot be read or is not to be
 *          believed; holders are nobody then.
 */
bool lockfile_look(const char *path, struct lockfile_holders *holders,
    char error[LOCKFILE_ERROR_MAX]);

/*
 * A handle (process.h) on the process that holds byte 0, or if nobody does on
 * one that holds byte 1; made so that it cannot be somebody else.
 * Returns: -1 if both are free (holders says so, and error is "") or no handle
 *          could be had (with a reason).
 * Owns:    the caller, close(2).
 */
int lockfile_open_holder(const char *path, struct lockfile_holders *holders,
    char error[LOCKFILE_ERROR_MAX]);

#endif
