/* SPDX-License-Identifier: MIT */
/*
 * pidfile.h - who runs this instance: locks, not the number in a file.
 *
 *	byte 0	exclusive lock: the supervisor
 *	byte 1	shared lock: each worker
 *	byte 2	and all behind it: a shared lock of one worker each, at a
 *		byte that the supervisor chooses
 *
 * A lock ends with its process, however that dies, and survives execve(2), so
 * a stale pidfile says nothing and never needs a hand.  The number that the
 * file holds is for people and for scripts; this program never reads it.
 *
 * These are fcntl(2)'s classic locks, because only they tell who holds them.
 * Their trap: closing *any* descriptor of the file drops all locks that the
 * process has on it.  Whoever holds a lock opens the file once.
 */

#ifndef BROKER_HOST_PIDFILE_H
#define BROKER_HOST_PIDFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PIDFILE_ERROR_MAX 256 /* bytes of a reason */

/* The first byte that a worker may have for itself. */
#define PIDFILE_FREE_FROM 2

struct pidfile {
	const char *path; /* borrowed */
	int fd;
};

/* Held, but by a process of another pid namespace. */
#define PIDFILE_UNSEEN ((pid_t)-1)

/* Who holds the locks; 0: nobody. */
struct pidfile_holders {
	pid_t supervisor;
	pid_t worker; /* one of them */
};

enum pidfile_status {
	PIDFILE_OK = 0,
	PIDFILE_HELD,   /* another supervisor has it; see holder */
	PIDFILE_FAILED, /* the system said no; see error */
};

/*
 * Become the supervisor of this pidfile: make it if it is missing, take byte
 * 0, write the own number.  A file that is not a plain file of this user is
 * refused.
 * Owns: the caller, until pidfile_remove().
 */
enum pidfile_status pidfile_lock(struct pidfile *pidfile, const char *path,
    pid_t *holder, char error[PIDFILE_ERROR_MAX]);

/* Go on with a descriptor whose lock was kept over execve(2). */
void pidfile_adopt(struct pidfile *pidfile, const char *path, int fd);

/*
 * Wait until no worker of a supervisor that is dead lives any more.
 * Callers: the holder of byte 0.
 * Blocks:  at most this long, and no longer than until the descriptor `unless'
 *          (-1: none) can be read.
 * Returns: false if one is still there.
 */
bool pidfile_wait_workers(
    const struct pidfile *pidfile, int unless, uint64_t timeout_ms);

/*
 * Kill the workers of a supervisor that is dead, and wait until all are gone.
 * Callers: the holder of byte 0.
 * Blocks:  at most this long.
 * Returns: false if one is still there: it may not be killed from here, or is
 *          of another pid namespace.
 */
bool pidfile_kill_workers(const struct pidfile *pidfile, uint64_t timeout_ms);

/*
 * Take the shared lock on byte 1, which a later start waits for, and one on a
 * byte of the worker's own, which the other workers look at.
 * The descriptor is of the same number afterwards, but can only read, where
 * /proc is mounted: scripts believe the number in the file.
 * Callers: a worker, with the descriptor it inherited, before it gives up its
 *          rights.
 * Returns: false with errno set.
 */
bool pidfile_join(const struct pidfile *pidfile, off_t own_byte);

/* Remove the file, unless its name means another by now, or a worker that a
 * killed supervisor left still has its lock there; and give up our lock.
 * Callers: the supervisor, at its end. */
void pidfile_remove(struct pidfile *pidfile);

/*
 * Remove the pidfile of a server that is dead, if there is one: a file that no
 * process has locked, and that holds nothing but a number.
 * Returns: whether there is no file any more, or none that is a pidfile's.
 */
bool pidfile_clear_away(const char *path);

/* Who holds the locks of this pidfile now.  Takes none.
 * Callers: processes that hold none of its locks. */
struct pidfile_holders pidfile_look(const char *path);

/*
 * A handle (process.h) on the process that holds byte 0, or if nobody does on
 * one that holds byte 1; made so that it cannot be somebody else.
 * Returns: -1 if both are free (holders says so) or no handle could be had.
 * Owns: the caller, close(2).
 */
int pidfile_open_holder(const char *path, struct pidfile_holders *holders);

#endif
