/* SPDX-License-Identifier: MIT */
/* segment_name.c - whether a segment still has its name, to give it back, and to
 * take it away; see segment.h. */

#include "broker/shared/segment.h"

#include "broker/shared/segment_path.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool
segment_is_named(const char *name, int claim)
{
	char full[SEGMENT_PATH_MAX];
	struct stat open_one, named;

	segment_full_path(full, name);
	return lstat(full, &named) == 0 && fstat(claim, &open_one) == 0 &&
	       open_one.st_dev == named.st_dev &&
	       open_one.st_ino == named.st_ino;
}

bool
segment_put_name_back(const char *name, int claim)
{
	char full[SEGMENT_PATH_MAX], self[32];

	segment_full_path(full, name);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", claim);
	return linkat(AT_FDCWD, self, AT_FDCWD, full, AT_SYMLINK_FOLLOW) == 0;
}

void
segment_unlink(const char *name)
{
	char path[SEGMENT_PATH_MAX];

	segment_path(path, name);
	shm_unlink(path);
}
