/* SPDX-License-Identifier: MIT */
/* pidfile.c - see pidfile.h. */

#include "broker/host/pidfile.h"

#include "broker/host/process.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIDFILE_SUPERVISOR = 0, PIDFILE_WORKERS = 1 };

_Static_assert(PIDFILE_FREE_FROM > PIDFILE_WORKERS, "the bytes differ");

static struct flock
pidfile_flock(short type, off_t byte)
{
	return (struct flock){
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};
}

/* Who keeps us from having this byte alone; 0: nobody, PIDFILE_UNSEEN:
 * somebody in another pid namespace. */
static pid_t
pidfile_holder(int fd, off_t byte)
{
	struct flock lock = pidfile_flock(F_WRLCK, byte);

	if (fcntl(fd, F_GETLK, &lock) == -1 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : PIDFILE_UNSEEN;
}

/* Whether the name still means the file that is open: a server that stops
 * removes it, perhaps between our open(2) and our lock. */
static bool
pidfile_is_current(const struct pidfile *pidfile)
{
	struct stat open_one, named;

	return fstat(pidfile->fd, &open_one) == 0 &&
	       stat(pidfile->path, &named) == 0 &&
	       open_one.st_dev == named.st_dev &&
	       open_one.st_ino == named.st_ino;
}

/* Open the file, or make it; nobody else's, and through no link. */
static bool
pidfile_open(struct pidfile *pidfile, char error[PIDFILE_ERROR_MAX])
{
	const char *why = NULL;
	struct stat st;

	pidfile->fd = open(pidfile->path,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (pidfile->fd == -1) {
		snprintf(error, PIDFILE_ERROR_MAX, "pidfile %s: %s",
		    pidfile->path, strerror(errno));
		return false;
	}
	if (fstat(pidfile->fd, &st) == -1 || !S_ISREG(st.st_mode))
		why = "is not a plain file";
	else if (st.st_uid != geteuid())
		why = "belongs to another user";
	if (why == NULL)
		return true;
	snprintf(error, PIDFILE_ERROR_MAX, "pidfile %s %s", pidfile->path, why);
	close(pidfile->fd);
	return false;
}

/* Write the own number into the file. */
static bool
pidfile_write(const struct pidfile *pidfile, char error[PIDFILE_ERROR_MAX])
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(pidfile->fd, 0) == 0 &&
	    pwrite(pidfile->fd, text, (size_t)len, 0) == len)
		return true;
	snprintf(error, PIDFILE_ERROR_MAX, "pidfile %s: %s", pidfile->path,
	    strerror(errno));
	return false;
}

/* The lock was not to be had: by whom, or why. */
static enum pidfile_status
pidfile_give_up(
    struct pidfile *pidfile, pid_t *holder, char error[PIDFILE_ERROR_MAX])
{
	bool held = errno == EAGAIN || errno == EACCES;

	snprintf(error, PIDFILE_ERROR_MAX, "pidfile %s: cannot be locked: %s",
	    pidfile->path, strerror(errno));
	*holder = pidfile_holder(pidfile->fd, PIDFILE_SUPERVISOR);
	close(pidfile->fd);
	pidfile->fd = -1;
	return held ? PIDFILE_HELD : PIDFILE_FAILED;
}

enum pidfile_status
pidfile_lock(struct pidfile *pidfile, const char *path, pid_t *holder,
    char error[PIDFILE_ERROR_MAX])
{
	struct flock lock = pidfile_flock(F_WRLCK, PIDFILE_SUPERVISOR);

	pidfile->path = path;
	for (;;) {
		if (!pidfile_open(pidfile, error))
			return PIDFILE_FAILED;
		if (fcntl(pidfile->fd, F_SETLK, &lock) == -1)
			return pidfile_give_up(pidfile, holder, error);
		if (pidfile_is_current(pidfile))
			break;
		close(pidfile->fd);
	}
	if (pidfile_write(pidfile, error))
		return PIDFILE_OK;
	pidfile_remove(pidfile);
	return PIDFILE_FAILED;
}

void
pidfile_adopt(struct pidfile *pidfile, const char *path, int fd)
{
	pidfile->path = path;
	pidfile->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

bool
pidfile_wait_workers(
    const struct pidfile *pidfile, int unless, uint64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_ms() + timeout_ms;
	pid_t pid;

	while ((pid = pidfile_holder(pidfile->fd, PIDFILE_WORKERS)) != 0) {
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
pidfile_kill_worker(
    const struct pidfile *pidfile, pid_t pid, uint64_t timeout_ms)
{
	int pidfd = process_open(pid);
	bool gone;

	if (pidfd == -1)
		return errno == ESRCH;
	/* It held the lock after the handle was made: it is the one. */
	gone =
	    pidfile_holder(pidfile->fd, PIDFILE_WORKERS) != pid ||
	    (process_signal(pidfd, SIGKILL) && process_wait(pidfd, timeout_ms));
	close(pidfd);
	return gone;
}

bool
pidfile_kill_workers(const struct pidfile *pidfile, uint64_t timeout_ms)
{
	uint64_t deadline = clock_monotonic_ms() + timeout_ms;
	pid_t pid;

	while ((pid = pidfile_holder(pidfile->fd, PIDFILE_WORKERS)) != 0) {
		uint64_t now = clock_monotonic_ms();

		if (now >= deadline ||
		    !pidfile_kill_worker(pidfile, pid, deadline - now))
			return false;
	}
	return true;
}

/* Have a descriptor of the same number that can only read.  By what it is, not
 * by its path: the file may have been removed meanwhile. */
static void
pidfile_only_read(int fd)
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
pidfile_join(const struct pidfile *pidfile, off_t own_byte)
{
	/* Shared ones: an exclusive one wants a descriptor that writes. */
	struct flock all = pidfile_flock(F_RDLCK, PIDFILE_WORKERS);
	struct flock own = pidfile_flock(F_RDLCK, own_byte);

	/* First, while there is no lock: any close would drop it. */
	pidfile_only_read(pidfile->fd);
	return fcntl(pidfile->fd, F_SETLK, &all) == 0 &&
	       fcntl(pidfile->fd, F_SETLK, &own) == 0;
}

void
pidfile_remove(struct pidfile *pidfile)
{
	/* Without the file the next server would not see them. */
	if (pidfile_holder(pidfile->fd, PIDFILE_WORKERS) == 0 &&
	    pidfile_is_current(pidfile))
		unlink(pidfile->path);
	close(pidfile->fd);
	pidfile->fd = -1;
}

/* Whether a file holds a number and a newline, or nothing yet. */
static bool
pidfile_looks_like_one(int fd)
{
	char text[16];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	size_t digits;

	if (len <= 0 || len == sizeof(text))
		return len == 0;
	text[len] = '\0';
	digits = strspn(text, "0123456789");
	return strcmp(text + digits, "\n") == 0;
}

bool
pidfile_clear_away(const char *path)
{
	struct flock lock = pidfile_flock(F_WRLCK, PIDFILE_SUPERVISOR);
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct pidfile pidfile = { .path = path, .fd = fd };

	if (fd == -1)
		return errno == ENOENT;
	if (!pidfile_looks_like_one(fd)) {
		close(fd);
		return true;
	}
	if (fcntl(fd, F_SETLK, &lock) == -1 ||
	    pidfile_holder(fd, PIDFILE_WORKERS) != 0) {
		close(fd);
		return false;
	}
	pidfile_remove(&pidfile);
	return true;
}

struct pidfile_holders
pidfile_look(const char *path)
{
	struct pidfile_holders holders = { 0, 0 };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1)
		return holders;
	holders.supervisor = pidfile_holder(fd, PIDFILE_SUPERVISOR);
	holders.worker = pidfile_holder(fd, PIDFILE_WORKERS);
	close(fd);
	return holders;
}

int
pidfile_open_holder(const char *path, struct pidfile_holders *holders)
{
	for (;;) {
		struct pidfile_holders again;
		pid_t pid;
		int pidfd;

		*holders = pidfile_look(path);
		pid = holders->supervisor != 0 ? holders->supervisor
		                               : holders->worker;
		if (pid == 0 || pid == PIDFILE_UNSEEN)
			return -1;
		pidfd = process_open(pid);
		if (pidfd == -1 && errno == ESRCH)
			continue;
		if (pidfd == -1)
			return -1;
		/* It held the lock after the handle was made: it is the one. */
		again = pidfile_look(path);
		if (pid == again.supervisor || pid == again.worker)
			return pidfd;
		close(pidfd);
	}
}
