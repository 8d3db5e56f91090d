/* SPDX-License-Identifier: MIT */
/* beneath.c - see beneath.h. */

#include "worker/http/beneath.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK and O_NOCTTY: a FIFO must not hang us, nor a terminal become ours,
 * before we know that it is not a file. */
#define BENEATH_READ (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* What the sandbox of a walking worker lets openat(2) do: O_NOFOLLOW always. */
#define BENEATH_STEP (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* openat2(2), for which the C library has no name. */
static int
beneath_openat2(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

bool
beneath_probe(int root, bool *walks)
{
	int fd = beneath_openat2(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int refused = errno;

	*walks = fd == -1;
	if (*walks)
		fd = openat(root, ".", BENEATH_STEP);
	if (fd == -1)
		return false;
	close(fd);
	if (*walks)
		log_warnx("openat2(2) is refused (%s): no symbolic link under "
			  "--root is followed",
		    strerror(refused));
	return true;
}

/* Open the directory that a segment of len bytes names; -1 with errno. */
static int
beneath_step(int directory, const char *segment, size_t len)
{
	char name[NAME_MAX + 1];

	if (len >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, segment, len);
	name[len] = '\0';
	return openat(directory, name, BENEATH_STEP);
}

/* Close a directory on the way, but not root; errno stays. */
static void
beneath_leave(int directory, int root)
{
	int saved = errno;

	if (directory != root && directory != -1)
		close(directory);
	errno = saved;
}

static int
beneath_walk(int root, const char *path)
{
	int directory = root, next;
	const char *slash;

	while (directory != -1 && (slash = strchr(path, '/')) != NULL) {
		next = beneath_step(directory, path, (size_t)(slash - path));
		beneath_leave(directory, root);
		directory = next;
		path = slash + 1;
	}
	if (directory == -1)
		return -1;
	next = openat(directory, path, BENEATH_READ | O_NOFOLLOW);
	beneath_leave(directory, root);
	return next;
}

int
beneath_open(int root, const char *path, bool walks)
{
	return walks ? beneath_walk(root, path)
	             : beneath_openat2(root, path, BENEATH_READ);
}
