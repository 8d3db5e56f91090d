/* SPDX-License-Identifier: MIT */
/* segment_aside.c - segments that were given up, beside the one that is served; see
 * segment.h. */

#include "broker/shared/segment.h"

#include "broker/shared/segment_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void
segment_aside_name(
    char aside[SEGMENT_ASIDE_NAME_MAX], const char *name, unsigned place)
{
	snprintf(aside, SEGMENT_ASIDE_NAME_MAX, "%s~%u", name, place);
}

static void
segment_aside_full_path(
    char full[SEGMENT_PATH_MAX], const char *name, unsigned place)
{
	char aside[SEGMENT_ASIDE_NAME_MAX];

	segment_aside_name(aside, name, place);
	segment_full_path(full, aside);
}

/* Whether it is what a server of this user has set aside.  Any user can make a file
 * in /dev/shm. */
static bool
segment_aside_is_own(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
	       (st->st_mode & 077) == 0;
}

/* Returns false if there is none of ours. */
static bool
segment_aside_look(const char *name, unsigned place, struct stat *st)
{
	char full[SEGMENT_PATH_MAX];

	segment_aside_full_path(full, name, place);
	return lstat(full, st) == 0 && segment_aside_is_own(st);
}

bool
segment_set_aside(const char *name, int claim, unsigned place)
{
	char from[SEGMENT_PATH_MAX], to[SEGMENT_PATH_MAX];

	if (!segment_is_named(name, claim)) {
		errno = ENOENT;
		return false;
	}
	segment_full_path(from, name);
	segment_aside_full_path(to, name, place);
	return rename(from, to) == 0;
}

int
segment_open_aside(const char *name, unsigned place)
{
	char aside[SEGMENT_ASIDE_NAME_MAX], path[SEGMENT_PATH_MAX];
	struct stat st;
	int fd;

	segment_aside_name(aside, name, place);
	segment_path(path, aside);
	fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
	if (fd == -1 || (fstat(fd, &st) == 0 && segment_aside_is_own(&st)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

bool
segment_remove_aside(const char *name, unsigned place)
{
	char aside[SEGMENT_ASIDE_NAME_MAX], path[SEGMENT_PATH_MAX];

	segment_aside_name(aside, name, place);
	segment_path(path, aside);
	return shm_unlink(path) == 0;
}

bool
segment_remove_asides(const char *name)
{
	struct stat st;
	bool found = false;

	for (unsigned place = 0; place < SEGMENT_ASIDE_MAX; place++)
		if (segment_aside_look(name, place, &st)) {
			segment_remove_aside(name, place);
			found = true;
		}
	return found;
}

uint64_t
segment_aside_size(const char *name, unsigned place)
{
	struct stat st;

	return segment_aside_look(name, place, &st) ? (uint64_t)st.st_size : 0;
}

int
segment_free_aside(const char *name)
{
	char full[SEGMENT_PATH_MAX];
	struct stat st;

	for (unsigned place = 0; place < SEGMENT_ASIDE_MAX; place++) {
		segment_aside_full_path(full, name, place);
		if (lstat(full, &st) == -1)
			return (int)place;
	}
	return -1;
}

int
segment_oldest_aside(const char *name)
{
	struct timespec first = { 0, 0 };
	struct stat st;
	int oldest = -1;

	for (unsigned place = 0; place < SEGMENT_ASIDE_MAX; place++) {
		if (!segment_aside_look(name, place, &st))
			continue;
		if (oldest == -1 || st.st_ctim.tv_sec < first.tv_sec ||
		    (st.st_ctim.tv_sec == first.tv_sec &&
			st.st_ctim.tv_nsec < first.tv_nsec)) {
			oldest = (int)place;
			first = st.st_ctim;
		}
	}
	return oldest;
}
