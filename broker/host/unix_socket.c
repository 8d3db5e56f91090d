/* SPDX-License-Identifier: MIT */
/* unix_socket.c - see unix_socket.h. */

#include "broker/host/unix_socket.h"

#include "common/address.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How often the lock on a directory is tried, 10 ms apart. */
#define UNIX_SOCKET_TRIES 100

/* Lock the directory that the path is in.  Returns its descriptor, or -1 with
 * errno. */
static int
unix_socket_lock(const char *path)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	char copy[ADDRESS_TEXT_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd != -1 && i < UNIX_SOCKET_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&pause, NULL);
	}
	if (fd != -1) {
		close(fd);
		errno = EBUSY;
	}
	return -1;
}

/* Whether somebody listens there.  When in doubt, yes. */
static bool
unix_socket_is_alive(const struct config_address *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool refused;

	if (fd == -1)
		return true;
	refused = connect(fd, (const struct sockaddr *)&address->addr,
		      address->len) == -1 &&
	          (errno == ECONNREFUSED || errno == ENOENT);
	close(fd);
	return !refused;
}

/* Have no file at the path.  Returns false with errno set if there is one to
 * stay. */
static bool
unix_socket_clear(const struct config_address *address)
{
	const char *path = address_path(address);
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return false;
	}
	if (unix_socket_is_alive(address)) {
		errno = EADDRINUSE;
		return false;
	}
	return unlink(path) == 0 || errno == ENOENT;
}

/* Make the file with its mode: nobody may connect in between. */
static bool
unix_socket_bind(int fd, const struct config_address *address)
{
	mode_t before = umask((mode_t)(~address->mode & 0777));
	bool bound = bind(fd, (const struct sockaddr *)&address->addr,
			 address->len) == 0;

	umask(before);
	return bound;
}

/* Make it the owner's, and listen.  The file goes if that fails. */
static bool
unix_socket_listen(int fd, const struct config_address *address)
{
	const char *path = address_path(address);
	int saved;

	if (!unix_socket_bind(fd, address))
		return false;
	if (((address->owner == (uid_t)-1 && address->group == (gid_t)-1) ||
		lchown(path, address->owner, address->group) == 0) &&
	    listen(fd, SOMAXCONN) == 0)
		return true;
	saved = errno;
	unlink(path);
	errno = saved;
	return false;
}

int
unix_socket_open(const struct config_address *address)
{
	int lock = unix_socket_lock(address_path(address));
	int fd = -1, saved;

	if (lock == -1)
		return -1;
	if (unix_socket_clear(address))
		fd = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	saved = errno;
	if (fd != -1 && !unix_socket_listen(fd, address)) {
		saved = errno;
		close(fd);
		fd = -1;
	}
	close(lock);
	errno = saved;
	return fd;
}

struct unix_socket_file
unix_socket_look(const struct config_address *address)
{
	struct unix_socket_file file = { .inode = 0 };
	struct stat st;

	if (lstat(address_path(address), &st) == 0 && S_ISSOCK(st.st_mode)) {
		file.device = st.st_dev;
		file.inode = st.st_ino;
	}
	return file;
}

void
unix_socket_remove(
    const struct config_address *address, const struct unix_socket_file *file)
{
	struct unix_socket_file now = unix_socket_look(address);

	if (file->inode != 0 && now.inode == file->inode &&
	    now.device == file->device)
		unlink(address_path(address));
}
