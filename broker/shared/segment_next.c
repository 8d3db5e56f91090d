/* SPDX-License-Identifier: MIT */
/* segment_next.c - the segment to come, beside the one that is served; see
 * segment.h. */

#include "broker/shared/segment.h"

#include "broker/shared/segment_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SEGMENT_NEXT_MAX 48 /* bytes of the longest name, and its ~ */

/* Its name, which no instance can have. */
static void
segment_next_name(char next[SEGMENT_NEXT_MAX], const char *name)
{
	snprintf(next, SEGMENT_NEXT_MAX, "%s~", name);
}

static void
segment_next_path(char path[SEGMENT_PATH_MAX], const char *name)
{
	char next[SEGMENT_NEXT_MAX];

	segment_next_name(next, name);
	segment_path(path, next);
}

int
segment_open_next(const char *name, char error[SEGMENT_ERROR_MAX])
{
	char path[SEGMENT_PATH_MAX];
	int fd;

	segment_remove_next(name);
	segment_next_path(path, name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		snprintf(error, SEGMENT_ERROR_MAX,
		    "shared memory %s: cannot be created: %s", path,
		    strerror(errno));
	return fd;
}

bool
segment_name_next(const char *name)
{
	char next[SEGMENT_NEXT_MAX], from[SEGMENT_PATH_MAX],
	    to[SEGMENT_PATH_MAX];

	segment_next_name(next, name);
	segment_full_path(from, next);
	segment_full_path(to, name);
	return rename(from, to) == 0;
}

void
segment_remove_next(const char *name)
{
	char path[SEGMENT_PATH_MAX];

	segment_next_path(path, name);
	shm_unlink(path);
}

uint64_t
segment_named_size(const char *name)
{
	char full[SEGMENT_PATH_MAX];
	struct stat st;

	segment_full_path(full, name);
	return stat(full, &st) == 0 ? (uint64_t)st.st_size : 0;
}
