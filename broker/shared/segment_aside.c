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

#define SEGMENT_ASIDE_NAME_MAX 48 /* bytes of the longest name, ~ and a digit */

/* Its name, which no instance can have. */
static void
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

	segment_aside_name(aside, name, place);
	segment_path(path, aside);
	return shm_open(path, O_RDWR | O_CLOEXEC, 0);
}

void
segment_remove_aside(const char *name, unsigned place)
{
	char aside[SEGMENT_ASIDE_NAME_MAX], path[SEGMENT_PATH_MAX];

	segment_aside_name(aside, name, place);
	segment_path(path, aside);
	shm_unlink(path);
}

bool
segment_remove_asides(const char *name)
{
	bool found = false;

	for (unsigned place = 0; place < SEGMENT_ASIDE_MAX; place++) {
		found = found || segment_aside_size(name, place) > 0;
		segment_remove_aside(name, place);
	}
	return found;
}

uint64_t
segment_aside_size(const char *name, unsigned place)
{
	char aside[SEGMENT_ASIDE_NAME_MAX];

	segment_aside_name(aside, name, place);
	return segment_named_size(aside);
}

int
segment_oldest_aside(const char *name)
{
	char full[SEGMENT_PATH_MAX];
	struct timespec first = { 0, 0 };
	struct stat st;
	int oldest = -1;

	for (unsigned place = 0; place < SEGMENT_ASIDE_MAX; place++) {
		segment_aside_full_path(full, name, place);
		if (stat(full, &st) == -1)
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
