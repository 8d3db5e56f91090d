/* SPDX-License-Identifier: MIT */
/* descriptors.c - see descriptors.h. */

#include "broker/host/descriptors.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Where there is no limit to be learnt: no process of ours has more. */
#define DESCRIPTORS_MAX (1 << 20)

static int
descriptors_compare(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Close those from `first' to `last' that are listed in /proc.  Returns false if
 * they cannot be listed. */
static bool
descriptors_close_listed(unsigned first, unsigned last)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		char *end;
		unsigned long fd = strtoul(entry->d_name, &end, 10);

		if (end != entry->d_name && *end == '\0' && fd >= first &&
		    fd <= last && (int)fd != dirfd(dir))
			close((int)fd);
	}
	closedir(dir);
	return true;
}

/* Close those from `first' to `last' one by one, open or not. */
static void
descriptors_close_each(unsigned first, unsigned last)
{
	struct rlimit limit;
	unsigned max = DESCRIPTORS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < max)
		max = (unsigned)limit.rlim_max;
	for (unsigned fd = first; fd <= last && fd < max; fd++)
		close((int)fd);
}

static void
descriptors_close(unsigned first, unsigned last)
{
	if (close_range(first, last, 0) == 0)
		return;
	if (!descriptors_close_listed(first, last))
		descriptors_close_each(first, last);
}

void
descriptors_keep_only(int *fds, size_t count)
{
	unsigned next = 0;

	qsort(fds, count, sizeof(*fds), descriptors_compare);
	for (size_t i = 0; i < count; i++) {
		if (next < (unsigned)fds[i])
			descriptors_close(next, (unsigned)fds[i] - 1);
		next = (unsigned)fds[i] + 1;
	}
	descriptors_close(next, UINT_MAX);
}
