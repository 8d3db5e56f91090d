/* SPDX-License-Identifier: MIT */
/* test_cgroup.c - what broker/host/cgroup.h promises, on trees made up after those
 * of real hosts and containers. */

#include "broker/host/cgroup.h"
#include "tests/support/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char proc[96];

static int
setup(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-cgroup.XXXXXX");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(proc, sizeof(proc), "%s/proc", directory);
	return mkdir(proc, 0700);
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", directory);
	return system(command);
}

/* Write a file below the test's directory, making the directories above it.  %s in
 * the text is the test's directory. */
static void
put(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	for (char *at = path + strlen(directory) + 1;
	     (at = strchr(at, '/')) != NULL; *at++ = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
	file = fopen(path, "w");
	assert_non_null(file);
	for (const char *mark; (mark = strstr(text, "%s")) != NULL;
	     text = mark + 2)
		fprintf(file, "%.*s%s", (int)(mark - text), text, directory);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

#define V2_MOUNT "30 20 0:26 / %s/v2 rw shared:4 - cgroup2 cgroup2 rw\n"
#define V1_MOUNTS                                                          \
	"31 23 0:29 / %s/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" \
	"32 23 0:30 / %s/memory rw,relatime - cgroup cgroup rw,memory\n"

static void
test_nothing_to_read_is_no_limit(void **state)
{
	(void)state;
	assert_true(cgroup_millicpus(proc) == CGROUP_NONE);
	assert_true(cgroup_memory(proc) == CGROUP_NONE);
	put("proc/mountinfo", V2_MOUNT "garbage\n- - -\n\n");
	put("proc/cgroup", "0::/a\n\n:\nnothing\n");
	assert_true(cgroup_millicpus(proc) == CGROUP_NONE);
	put("v2/a/cpu.max", "max 100000\n");
	put("v2/a/memory.max", "max\n");
	assert_true(cgroup_millicpus(proc) == CGROUP_NONE);
	assert_true(cgroup_memory(proc) == CGROUP_NONE);
}

static void
test_smallest_limit_up_to_the_mount_holds(void **state)
{
	(void)state;
	put("proc/mountinfo", V2_MOUNT);
	put("proc/cgroup", "0::/slice/unit\n");
	put("v2/slice/unit/cpu.max", "250000 100000\n");
	put("v2/slice/cpu.max", "50000 100000\n");
	put("v2/slice/unit/memory.max", "1048576\n");
	put("v2/slice/memory.max", "4194304\n");
	put("cpu.max", "1 100000\n"); /* above the mount: not ours */
	assert_int_equal(cgroup_millicpus(proc), 500);
	assert_int_equal(cgroup_memory(proc), 1048576);
}

static void
test_version_1_has_a_hierarchy_for_each(void **state)
{
	(void)state;
	put("proc/mountinfo", V1_MOUNTS V2_MOUNT);
	put("proc/cgroup", "4:memory:/m\n2:cpuacct,cpu:/c\n1:name=systemd:/\n"
			   "0::/\n");
	put("cpu/c/cpu.cfs_quota_us", "150000\n");
	put("cpu/c/cpu.cfs_period_us", "100000\n");
	put("cpu/cpu.cfs_quota_us", "-1\n");
	put("cpu/cpu.cfs_period_us", "100000\n");
	put("memory/m/memory.limit_in_bytes", "33554432\n");
	put("memory/memory.limit_in_bytes", "9223372036854771712\n");
	assert_int_equal(cgroup_millicpus(proc), 1500);
	assert_int_equal(cgroup_memory(proc), 33554432);
	put("memory/m/memory.limit_in_bytes", "9223372036854771712\n");
	assert_true(cgroup_memory(proc) == CGROUP_NONE);
}

/* A container without a namespace of its own sees only its part mounted. */
static void
test_part_that_a_container_sees(void **state)
{
	(void)state;
	put("proc/mountinfo",
	    "31 23 0:29 /docker/1f %s/cpu ro - cgroup cgroup rw,cpu\n");
	put("proc/cgroup", "2:cpu:/docker/1f/sub\n");
	put("cpu/cpu.cfs_quota_us", "100000\n");
	put("cpu/cpu.cfs_period_us", "50000\n");
	assert_int_equal(cgroup_millicpus(proc), 2000);
}

static void
test_there_is_always_a_processor(void **state)
{
	(void)state;
	assert_true(cgroup_processors() >= 1);
	assert_true(
	    cgroup_processors() <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_nothing_to_read_is_no_limit),
	T(test_smallest_limit_up_to_the_mount_holds),
	T(test_version_1_has_a_hierarchy_for_each),
	T(test_part_that_a_container_sees),
	T(test_there_is_always_a_processor),
};

SUITE_MAIN(tests);
