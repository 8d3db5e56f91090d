/* SPDX-License-Identifier: MIT */
/*
 * procstat.h - CPU time and memory of the server's processes, from /proc.
 *
 * CPU time is what the scheduler counted in nanoseconds for every thread
 * (schedstat), not the ticks of stat(5).  Memory is smaps_rollup: RSS, and PSS,
 * where a shared page counts by its share.  Both need the right to look: the
 * same user, or root.  What cannot be read counts as 0.
 */

#ifndef LOAD_PROCSTAT_H
#define LOAD_PROCSTAT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCSTAT_MAX 256 /* processes; more are not looked at */

struct procstat_process {
	pid_t pid;
	char name[16];
	uint64_t cpu_start_ns; /* what it had used at procstat_start() */
	uint64_t cpu_end_ns;   /* at the last procstat_update(), or its death */
	uint64_t rss_kib;      /* at procstat_read_memory() */
	uint64_t pss_kib;
};

struct procstat {
	struct procstat_process process[PROCSTAT_MAX];
	size_t count;
};

/* Look at this process and its children. */
void procstat_add(struct procstat *ps, pid_t pid);

/* Look at whoever has a socket that listens on the port, and their children;
 * nobody if that cannot be seen. */
void procstat_add_listeners(struct procstat *ps, uint16_t port);

/* From now on CPU time counts. */
void procstat_start(struct procstat *ps);

/* Look at the CPU time again; children born since are added, from 0. */
void procstat_update(struct procstat *ps);

/* Look at the memory of those still alive.  Walks their page tables: not while
 * they are being measured. */
void procstat_read_memory(struct procstat *ps);

/* The PSS of all at the last procstat_read_memory(), without what they have of
 * /dev/shm; that goes to *shm_kib. */
uint64_t procstat_pss_kib(const struct procstat *ps, uint64_t *shm_kib);

/* CPU time of all from the start to the last look. */
uint64_t procstat_cpu_ns(const struct procstat *ps);

#endif
