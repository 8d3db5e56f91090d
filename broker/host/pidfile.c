/* SPDX-License-Identifier: MIT */
/* pidfile.c - see pidfile.h. */

#include "broker/host/pidfile.h"

#include "broker/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Open the file.  Returns -1 with errno and *why set. */
static int
pidfile_open(const char *path, int flags, const char **why)
{
	int fd = open(
	    path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	struct stat st;

	if (fd == -1) {
		*why = strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		*why = "is not a plain file";
	else if (st.st_uid != geteuid())
		*why = "belongs to another user";
	else
		return fd;
	close(fd);
	return -1;
}

bool
pidfile_write(const char *path, char error[PIDFILE_ERROR_MAX])
{
	const char *why = NULL;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	int fd = pidfile_open(path, O_WRONLY | O_CREAT, &why);

	if (fd != -1 &&
	    (ftruncate(fd, 0) == -1 || write(fd, text, (size_t)len) != len)) {
		why = strerror(errno);
		unlink(path);
	}
	if (fd != -1)
		close(fd);
	if (why == NULL)
		return true;
	snprintf(error, PIDFILE_ERROR_MAX, "pidfile %s: %s", path, why);
	return false;
}

/* The number that a file holds, alone with a newline; 0: it does not. */
static pid_t
pidfile_read(const char *path)
{
	const char *why;
	int fd = pidfile_open(path, O_RDONLY, &why);
	char text[16] = "", *end;
	long number;

	if (fd == -1)
		return 0;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	number = strtol(text, &end, 10);
	return number > 0 && strcmp(end, "\n") == 0 ? (pid_t)number : 0;
}

void
pidfile_remove(const char *path)
{
	if (pidfile_read(path) == getpid())
		unlink(path);
}

/* Whether a process has ended, though perhaps nobody has waited for it. */
static bool
pidfile_is_dead(pid_t pid)
{
	int pidfd = process_open(pid);
	bool dead;

	if (pidfd == -1)
		return errno == ESRCH;
	dead = process_wait(pidfd, 0);
	close(pidfd);
	return dead;
}

void
pidfile_remove_left(const char *path)
{
	pid_t pid = pidfile_read(path);

	if (pid != 0 && pidfile_is_dead(pid))
		unlink(path);
}
