/* SPDX-License-Identifier: MIT */
/* segment_of.c - see segment_of.h. */

#include "broker/shared/segment_of.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether a link in /proc/PID/fd leads to the segment of this name, or to one
 * that has lost it. */
static bool
segment_link_is(const char *target, const char *name)
{
	static const char prefix[] = "/pubsubd.", deleted[] = " (deleted)";
	const char *base = strrchr(target, '/');
	size_t len = strlen(name);

	if (base == NULL || strncmp(base, prefix, strlen(prefix)) != 0)
		return false;
	base += strlen(prefix);
	return strncmp(base, name, len) == 0 &&
	       (base[len] == '\0' || strcmp(base + len, deleted) == 0);
}

/* Whether it leads to the page of upgrade_page.h. */
static bool
segment_link_is_page(const char *target, const char *name)
{
	static const char memfd[] = "/memfd:";

	return strncmp(target, memfd, strlen(memfd)) == 0 &&
	       strncmp(target + strlen(memfd), name, strlen(name)) == 0;
}

/* Open what the first of these links leads to that is the one. */
static int
segment_open_linked(pid_t pid, const char *name,
    bool (*is_one)(const char *target, const char *name))
{
	char path[32], target[PATH_MAX];
	const struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir != NULL && fd == -1 && (entry = readdir(dir)) != NULL) {
		ssize_t len = readlinkat(
		    dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[len > 0 ? len : 0] = '\0';
		if (is_one(target, name))
			fd = openat(
			    dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
	}
	if (dir != NULL)
		closedir(dir);
	return fd;
}

int
segment_open_of(const char *name, pid_t pid)
{
	return segment_open_linked(pid, name, segment_link_is);
}

int
segment_open_page_of(pid_t pid)
{
	return segment_open_linked(
	    pid, SEGMENT_PAGE_NAME, segment_link_is_page);
}
