/* SPDX-License-Identifier: MIT */
/* lockfile.c - see lockfile.h. */

#include "broker/host/lockfile.h"

#include "broker/host/process.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCKFILE_SUPERVISOR = 0, LOCKFILE_WORKERS = 1 };

_Static_assert(LOCKFILE_FREE_FROM > LOCKFILE_WORKERS, "the bytes differ");

static struct flock
lockfile_flock(short type, off_t byte)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};
}

/* The process that keeps us from having this byte alone; 0: none,
 * LOCKFILE_UNSEEN: one in another pid namespace. */
static pid_t
lockfile_holder(int fd, off_t byte)
{
	struct flock lock = lockfile_flock(F_WRLCK, byte);

	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : LOCKFILE_UNSEEN;
}

bool
lockfile_is_named(const struct lockfile *lockfile)
{
	struct stat open_one, named;

	return fstat(lockfile->fd, &open_one) == 0 &&
	       lstat(lockfile->path, &named) == 0 &&
	       open_one.st_dev == named.st_dev &&
	       open_one.st_ino == named.st_ino;
}

/* Why a file that is open is not to be believed; NULL: it is. */
static const char *
lockfile_wrong(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return "is not a plain file";
	if (st.st_uid != geteuid())
		return "belongs to another user";
	if ((st.st_mode & 077) != 0)
		return "can be opened by other users; its mode must be 0600";
	return NULL;
}

/*
 * Open the file, or with O_CREAT make it.
 * Returns: -1 with a reason; errno is 0 if the file is not to be believed.
 */
static int
lockfile_open(const char *path, int flags, char error[LOCKFILE_ERROR_MAX])
{
	int fd = open(
	    path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	const char *wrong;

	if (fd == -1) {
		int err = errno;

		snprintf(error, LOCKFILE_ERROR_MAX, "lock file %s: %s", path,
		    strerror(err));
		errno = err;
		return -1;
	}
	wrong = lockfile_wrong(fd);
	if (wrong == NULL)
		return fd;
	snprintf(error, LOCKFILE_ERROR_MAX, "lock file %s %s", path, wrong);
	close(fd);
	errno = 0;
	return -1;
}

/* The lock cannot be had: note its holder, or why. */
static enum lockfile_status
lockfile_give_up(
    struct lockfile *lockfile, pid_t *holder, char error[LOCKFILE_ERROR_MAX])
{
	bool held = errno == EAGAIN || errno == EACCES;

	snprintf(error, LOCKFILE_ERROR_MAX,
	    "lock file %s: cannot be locked: %s", lockfile->path,
	    strerror(errno));
	*holder = lockfile_holder(lockfile->fd, LOCKFILE_SUPERVISOR);
	close(lockfile->fd);
	lockfile->fd = -1;
	return held ? LOCKFILE_HELD : LOCKFILE_FAILED;
}

/* Open and lock it, until its name still means what was locked: a server that
 * stops removes it, perhaps between our open(2) and our lock. */
static enum lockfile_status
lockfile_open_and_lock(struct lockfile *lockfile, const char *path, int flags,
    pid_t *holder, char error[LOCKFILE_ERROR_MAX])
{
	struct flock lock = lockfile_flock(F_WRLCK, LOCKFILE_SUPERVISOR);

	lockfile->path = path;
	for (;;) {
		lockfile->fd = lockfile_open(path, flags, error);
		if (lockfile->fd == -1)
			return LOCKFILE_FAILED;
		if (fcntl(lockfile->fd, F_SETLK, &lock) == -1)
			return lockfile_give_up(lockfile, holder, error);
		if (lockfile_is_named(lockfile)) {
			lockfile->workers_fd = lockfile->fd;
			return LOCKFILE_OK;
		}
		close(lockfile->fd);
	}
}

enum lockfile_status
lockfile_take(struct lockfile *lockfile, const char *path, pid_t *holder,
    char error[LOCKFILE_ERROR_MAX])
{
	return lockfile_open_and_lock(
	    lockfile, path, O_RDWR | O_CREAT, holder, error);
}

bool
lockfile_take_left(struct lockfile *lockfile, const char *path)
{
	char error[LOCKFILE_ERROR_MAX];
	pid_t holder;

	if (lockfile_open_and_lock(lockfile, path, O_RDWR, &holder, error) !=
	    LOCKFILE_OK)
		return false;
	if (lockfile_holder(lockfile->fd, LOCKFILE_WORKERS) == 0)
		return true;
	close(lockfile->fd);
	lockfile->fd = -1;
	return false;
}

void
lockfile_adopt(struct lockfile *lockfile, const char *path, int fd)
{
	lockfile->path = path;
	lockfile->fd = fd;
	lockfile->workers_fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool
lockfile_renew(struct lockfile *lockfile, char error[LOCKFILE_ERROR_MAX])
{
	struct lockfile fresh;
	pid_t holder;

	if (lockfile_take(&fresh, lockfile->path, &holder, error) !=
	    LOCKFILE_OK)
		return false;
	if (lockfile->fd != lockfile->workers_fd)
		close(lockfile->fd);
	lockfile->fd = fresh.fd;
	return true;
}

void
lockfile_begin_run(struct lockfile *lockfile)
{
	if (lockfile->fd != lockfile->workers_fd)
		close(lockfile->workers_fd);
	lockfile->workers_fd = lockfile->fd;
}

bool
lockfile_wait_workers(
    const struct lockfile *lockfile, int unless, uint64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_ms() + timeout_ms;
	pid_t pid;

	while ((pid = lockfile_holder(lockfile->fd, LOCKFILE_WORKERS)) != 0) {
		uint64_t now = clock_monotonic_ms();
		uint64_t left = deadline > now ? deadline - now : 0;
		int pidfd = process_open(pid);
		bool ended = pidfd == -1 && errno == ESRCH;

		if (pidfd != -1) {
			ended = process_wait_unless(pidfd, unless, left);
			close(pidfd);
		}
		if (!ended)
			return false;
	}
	return true;
}

/* Kill a worker, unless it has gone meanwhile and the number is another's.
 * Returns false if it may not be killed, or does not die in time. */
static bool
lockfile_kill_worker(
    const struct lockfile *lockfile, pid_t pid, uint64_t timeout_ms)
{
	int pidfd = process_open(pid);
	bool gone;

	if (pidfd == -1)
		return errno == ESRCH;
	/* It held the lock after the handle was made: it is the one. */
	gone =
	    lockfile_holder(lockfile->fd, LOCKFILE_WORKERS) != pid ||
	    (process_signal(pidfd, SIGKILL) && process_wait(pidfd, timeout_ms));
	close(pidfd);
	return gone;
}

bool
lockfile_kill_workers(const struct lockfile *lockfile, uint64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_ms() + timeout_ms;
	pid_t pid;

	while ((pid = lockfile_holder(lockfile->fd, LOCKFILE_WORKERS)) != 0) {
		uint64_t now = clock_monotonic_ms();

		if (now >= deadline ||
		    !lockfile_kill_worker(lockfile, pid, deadline - now))
			return false;
	}
	return true;
}

/* Have a descriptor of the same number that can only read.  By what it is, not
 * by its path: the file may have been removed meanwhile. */
static void
lockfile_only_read(int fd)
{
	char path[32];
	int reader;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	if (reader == -1)
		return;
	dup3(reader, fd, O_CLOEXEC);
	close(reader);
}

bool
lockfile_join(const struct lockfile *lockfile, off_t own_byte)
{
	/* Shared ones: an exclusive one wants a descriptor that writes. */
	struct flock all = lockfile_flock(F_RDLCK, LOCKFILE_WORKERS);
	struct flock own = lockfile_flock(F_RDLCK, own_byte);

	/* First, while there is no lock: any close would drop it. */
	lockfile_only_read(lockfile->workers_fd);
	return fcntl(lockfile->workers_fd, F_SETLK, &all) == 0 &&
	       fcntl(lockfile->workers_fd, F_SETLK, &own) == 0;
}

void
lockfile_release(struct lockfile *lockfile)
{
	/* Without the file the next server would not see them. */
	if (lockfile_holder(lockfile->workers_fd, LOCKFILE_WORKERS) == 0 &&
	    lockfile_is_named(lockfile))
		unlink(lockfile->path);
	lockfile_begin_run(lockfile);
	close(lockfile->fd);
	lockfile->fd = -1;
}

bool
lockfile_look(const char *path, struct lockfile_holders *holders,
    char error[LOCKFILE_ERROR_MAX])
{
	int fd = lockfile_open(path, O_RDONLY, error);

	*holders = (struct lockfile_holders){ 0, 0 };
	if (fd == -1)
		return errno == ENOENT;
	holders->supervisor = lockfile_holder(fd, LOCKFILE_SUPERVISOR);
	holders->worker = lockfile_holder(fd, LOCKFILE_WORKERS);
	close(fd);
	return true;
}

/* Whom a command has to do with: the supervisor, or if it is dead a worker. */
static pid_t
lockfile_first(const struct lockfile_holders *holders)
{
	return holders->supervisor != 0 ? holders->supervisor : holders->worker;
}

/* Whether a process still holds a lock. */
static bool
lockfile_is_held_by(const char *path, pid_t pid)
{
	char error[LOCKFILE_ERROR_MAX];
	struct lockfile_holders holders;

	return lockfile_look(path, &holders, error) &&
	       (pid == holders.supervisor || pid == holders.worker);
}

int
lockfile_open_holder(const char *path, struct lockfile_holders *holders,
    char error[LOCKFILE_ERROR_MAX])
{
	int pidfd = -1;
	pid_t pid;

	for (;;) {
		if (!lockfile_look(path, holders, error))
			return -1;
		error[0] = '\0';
		pid = lockfile_first(holders);
		if (pid == 0)
			return -1;
		errno = ESRCH;
		if (pid != LOCKFILE_UNSEEN)
			pidfd = process_open(pid);
		/* It held the lock after the handle was made: it is the one. */
		if (pidfd != -1 && lockfile_is_held_by(path, pid))
			return pidfd;
		if (pidfd == -1 && (pid == LOCKFILE_UNSEEN || errno != ESRCH))
			break;
		if (pidfd != -1)
			close(pidfd);
		pidfd = -1;
	}
	if (pid == LOCKFILE_UNSEEN)
		snprintf(error, LOCKFILE_ERROR_MAX,
		    "it lives in another pid namespace");
	else
		snprintf(error, LOCKFILE_ERROR_MAX, "process %d: %s", (int)pid,
		    strerror(errno));
	return -1;
}
