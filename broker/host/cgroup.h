/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - how much processor time and memory this process may have, by its
 * control groups (cgroups(7)): docker --cpus and --memory, limits of Kubernetes,
 * CPUQuota= and MemoryMax= of systemd.
 *
 * Both versions are read, and each group from ours up to the mount: the smallest
 * limit holds.  What cannot be read is no limit.
 */

#ifndef BROKER_HOST_CGROUP_H
#define BROKER_HOST_CGROUP_H

#include <stdint.h>

#define CGROUP_NONE UINT64_MAX /* no limit */

/* The processors that a quota allows, in thousandths: 500 is half a one.
 * proc is the directory of the process, "/proc/self"; tests have their own. */
uint64_t cgroup_millicpus(const char *proc);

/* Bytes of memory, shared memory included, beyond which the kernel kills. */
uint64_t cgroup_memory(const char *proc);

/* How many workers this process should have if nobody says: the processors that
 * it may use, by sched_setaffinity(2) and by quota, at least 1. */
unsigned cgroup_processors(void);

#endif
