/* SPDX-License-Identifier: MIT */
/* cgroup.c - see cgroup.h. */

#include "broker/host/cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The most processors that a set is made for; Linux has at most 8192. */
#define CGROUP_CPUS_MAX 65536

/* Read the limit of one group, in its directory. */
typedef uint64_t cgroup_read_fn(const char *directory, bool v2);

/* Read a file of a group as text.  Returns whether there is anything. */
static bool
cgroup_read(const char *directory, const char *name, char out[64])
{
	char path[PATH_MAX];
	bool read = false;
	FILE *file;

	out[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >=
	    (int)sizeof(path))
		return false;
	file = fopen(path, "re");
	if (file != NULL) {
		read = fgets(out, 64, file) != NULL;
		fclose(file);
	}
	return read;
}

static uint64_t
cgroup_quota(const char *directory, bool v2)
{
	char text[64], period_text[64];
	long long quota, period;

	if (v2) {
		/* "max 100000": no limit */
		if (!cgroup_read(directory, "cpu.max", text) ||
		    sscanf(text, "%lld %lld", &quota, &period) != 2)
			return CGROUP_NONE;
	} else {
		/* -1: no limit */
		if (!cgroup_read(directory, "cpu.cfs_quota_us", text) ||
		    !cgroup_read(directory, "cpu.cfs_period_us", period_text))
			return CGROUP_NONE;
		quota = atoll(text);
		period = atoll(period_text);
	}
	if (quota <= 0 || period <= 0)
		return CGROUP_NONE;
	return (uint64_t)quota * 1000 / (uint64_t)period;
}

static uint64_t
cgroup_bytes(const char *directory, bool v2)
{
	char text[64];
	uint64_t bytes;

	if (!cgroup_read(
		directory, v2 ? "memory.max" : "memory.limit_in_bytes", text) ||
	    sscanf(text, "%" SCNu64, &bytes) != 1)
		return CGROUP_NONE;
	/* Version 1 says "none" by a number that no machine has. */
	return bytes > INT64_MAX / 2 ? CGROUP_NONE : bytes;
}

/* Whether a list, separated by commas, holds a word. */
static bool
cgroup_lists(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list != '\0') {
		size_t n = strcspn(list, ",\n");

		if (n == len && strncmp(list, word, n) == 0)
			return true;
		list += n;
		list += *list != '\0';
	}
	return false;
}

/*
 * The smallest limit from our group up to where its hierarchy is mounted.  group
 * is our path in it, root what of it is mounted: a container may see a part.
 */
static uint64_t
cgroup_climb(const char *mount, const char *root, const char *group, bool v2,
    cgroup_read_fn *read)
{
	char path[PATH_MAX];
	uint64_t least = CGROUP_NONE, limit;
	size_t len = strlen(root), top = strlen(mount);

	if (strcmp(root, "/") != 0 && strncmp(group, root, len) == 0)
		group += len;
	if (snprintf(path, sizeof(path), "%s%s", mount, group) >=
	    (int)sizeof(path))
		return CGROUP_NONE;
	for (;;) {
		limit = read(path, v2);
		if (limit < least)
			least = limit;
		if (strlen(path) <= top)
			return least;
		*strrchr(path, '/') = '\0';
	}
}

/* Our path in the hierarchy of a controller; that of version 2 has no name. */
static bool
cgroup_path(
    const char *proc, const char *controller, bool v2, char out[PATH_MAX])
{
	char path[PATH_MAX], *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup", proc);
	file = fopen(path, "re");
	while (file != NULL && !found && getline(&line, &size, file) != -1) {
		char *list = strchr(line, ':');
		char *group = list != NULL ? strchr(list + 1, ':') : NULL;

		if (group == NULL)
			continue;
		*group = '\0';
		found =
		    v2 ? list[1] == '\0' : cgroup_lists(list + 1, controller);
		group[1 + strcspn(group + 1, "\n")] = '\0';
		if (found)
			snprintf(out, PATH_MAX, "%s", group + 1);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
}

/* The limit of one mount, if it is of a hierarchy with the controller; the line
 * is as in proc_pid_mountinfo(5). */
static uint64_t
cgroup_of_mount(const char *proc, const char *line, const char *controller,
    cgroup_read_fn *read)
{
	char root[PATH_MAX], mount[PATH_MAX], type[16], options[256];
	char group[PATH_MAX];
	const char *rest = strstr(line, " - ");
	bool v2;

	_Static_assert(PATH_MAX == 4096, "the widths below");
	if (rest == NULL ||
	    sscanf(line, "%*d %*d %*s %4095s %4095s", root, mount) != 2 ||
	    sscanf(rest, " - %15s %*s %255s", type, options) != 2)
		return CGROUP_NONE;
	v2 = strcmp(type, "cgroup2") == 0;
	if (!v2 &&
	    (strcmp(type, "cgroup") != 0 || !cgroup_lists(options, controller)))
		return CGROUP_NONE;
	if (!cgroup_path(proc, controller, v2, group))
		return CGROUP_NONE;
	return cgroup_climb(mount, root, group, v2, read);
}

static uint64_t
cgroup_limit(const char *proc, const char *controller, cgroup_read_fn *read)
{
	uint64_t least = CGROUP_NONE, limit;
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/mountinfo", proc);
	file = fopen(path, "re");
	while (file != NULL && getline(&line, &size, file) != -1) {
		limit = cgroup_of_mount(proc, line, controller, read);
		if (limit < least)
			least = limit;
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return least;
}

uint64_t
cgroup_millicpus(const char *proc)
{
	return cgroup_limit(proc, "cpu", cgroup_quota);
}

uint64_t
cgroup_memory(const char *proc)
{
	return cgroup_limit(proc, "memory", cgroup_bytes);
}

/* Processors that sched_setaffinity(2) leaves us.  The set has to be as large as
 * the kernel's own, which nobody tells. */
static unsigned
cgroup_affinity(void)
{
	for (int max = CPU_SETSIZE; max <= CGROUP_CPUS_MAX; max *= 2) {
		cpu_set_t *set = CPU_ALLOC((size_t)max);
		size_t size = CPU_ALLOC_SIZE((size_t)max);
		int n = -1;

		if (set == NULL)
			return 1;
		errno = 0;
		if (sched_getaffinity(0, size, set) == 0)
			n = CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (n > 0)
			return (unsigned)n;
		if (errno != EINVAL)
			return 1;
	}
	return 1;
}

unsigned
cgroup_processors(void)
{
	unsigned processors = cgroup_affinity();
	uint64_t quota = cgroup_millicpus("/proc/self");

	if (quota != CGROUP_NONE && (quota + 999) / 1000 < processors)
		processors = (unsigned)((quota + 999) / 1000);
	return processors > 0 ? processors : 1;
}
