/* SPDX-License-Identifier: MIT */
/* procstat.c - see procstat.h. */

#include "tests/load/procstat.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MAX 256 /* listening ones of a port */
#define TCP_LISTEN  0x0a

/* Inodes of sockets. */
struct procstat_sockets {
	unsigned long inode[SOCKETS_MAX];
	size_t count;
};

/* Read a small file of /proc/PID (and its task TID) as a string. */
static bool
procstat_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[300];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, size - 1, f);
	fclose(f);
	text[n] = '\0';
	return n > 0;
}

/* The number that a directory entry's name is, or 0. */
static pid_t
procstat_entry(const struct dirent *entry)
{
	char *end;
	long pid = strtol(entry->d_name, &end, 10);

	return *end == '\0' && pid > 0 ? (pid_t)pid : 0;
}

/* Sum up the threads of a process.  False: it is gone. */
static bool
procstat_read_cpu(pid_t pid, uint64_t *cpu_ns)
{
	char path[300], text[128];
	const struct dirent *entry;
	uint64_t sum = 0, ns;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(
		    path, sizeof(path), "task/%s/schedstat", entry->d_name);
		if (procstat_entry(entry) != 0 &&
		    procstat_read(pid, path, text, sizeof(text)) &&
		    sscanf(text, "%" SCNu64, &ns) == 1)
			sum += ns;
	}
	closedir(dir);
	*cpu_ns = sum;
	return sum > 0;
}

static void
procstat_add_one(struct procstat *ps, pid_t pid)
{
	struct procstat_process *p;

	for (size_t i = 0; i < ps->count; i++)
		if (ps->process[i].pid == pid)
			return;
	if (ps->count == PROCSTAT_MAX)
		return;
	p = &ps->process[ps->count++];
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	procstat_read(pid, "comm", p->name, sizeof(p->name));
	p->name[strcspn(p->name, "\n")] = '\0';
}

/* The parent of a process, or 0.  Its name, in parentheses, may hold any. */
static pid_t
procstat_parent(pid_t pid)
{
	char text[512], *at;
	int parent;

	if (!procstat_read(pid, "stat", text, sizeof(text)) ||
	    (at = strrchr(text, ')')) == NULL ||
	    sscanf(at, ") %*c %d", &parent) != 1)
		return 0;
	return parent;
}

/* Call visit for every process but this one and its children. */
static void
procstat_for_each(struct procstat *ps,
    void (*visit)(
	struct procstat *ps, pid_t pid, pid_t parent, const void *arg),
    const void *arg)
{
	const struct dirent *entry;
	DIR *dir = opendir("/proc");
	pid_t pid, parent;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if ((pid = procstat_entry(entry)) == 0 || pid == getpid())
			continue;
		parent = procstat_parent(pid);
		if (parent != 0 && parent != getpid())
			visit(ps, pid, parent, arg);
	}
	closedir(dir);
}

static void
procstat_visit_child(
    struct procstat *ps, pid_t pid, pid_t parent, const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < ps->count; i++)
		if (ps->process[i].pid == parent) {
			procstat_add_one(ps, pid);
			return;
		}
}

/* Has the process one of these sockets open? */
static void
procstat_visit_holder(
    struct procstat *ps, pid_t pid, pid_t parent, const void *arg)
{
	const struct procstat_sockets *sockets = arg;
	char path[300], link[64];
	const struct dirent *entry;
	unsigned long inode;
	bool is_holder = false;
	ssize_t n;
	DIR *dir;

	(void)parent;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return;
	while (!is_holder && (entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		for (size_t i = 0; i < sockets->count; i++)
			is_holder |= sockets->inode[i] == inode;
	}
	closedir(dir);
	if (is_holder)
		procstat_add_one(ps, pid);
}

/* Collect the sockets that listen on the port, from a table of the kernel. */
static void
procstat_read_sockets(
    struct procstat_sockets *sockets, const char *path, uint16_t port)
{
	unsigned long inode;
	unsigned at, state;
	char line[512];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line,
			" %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%*x %*x:%*x"
			" %*x %*d %*d %lu",
			&at, &state, &inode) == 3 &&
		    at == port && state == TCP_LISTEN &&
		    sockets->count < SOCKETS_MAX)
			sockets->inode[sockets->count++] = inode;
	fclose(f);
}

void
procstat_add(struct procstat *ps, pid_t pid)
{
	procstat_add_one(ps, pid);
	procstat_for_each(ps, procstat_visit_child, NULL);
}

void
procstat_add_listeners(struct procstat *ps, uint16_t port)
{
	struct procstat_sockets sockets = { .count = 0 };

	procstat_read_sockets(&sockets, "/proc/net/tcp", port);
	procstat_read_sockets(&sockets, "/proc/net/tcp6", port);
	procstat_for_each(ps, procstat_visit_holder, &sockets);
	procstat_for_each(ps, procstat_visit_child, NULL);
}

void
procstat_start(struct procstat *ps)
{
	procstat_update(ps);
	for (size_t i = 0; i < ps->count; i++)
		ps->process[i].cpu_start_ns = ps->process[i].cpu_end_ns;
}

void
procstat_update(struct procstat *ps)
{
	uint64_t cpu_ns;

	procstat_for_each(ps, procstat_visit_child, NULL);
	for (size_t i = 0; i < ps->count; i++) {
		struct procstat_process *p = &ps->process[i];

		if (procstat_read_cpu(p->pid, &cpu_ns))
			p->cpu_end_ns = cpu_ns;
	}
}

void
procstat_read_memory(struct procstat *ps)
{
	char text[2048];
	const char *rss, *pss;

	for (size_t i = 0; i < ps->count; i++) {
		struct procstat_process *p = &ps->process[i];

		if (!procstat_read(p->pid, "smaps_rollup", text, sizeof(text)))
			continue;
		rss = strstr(text, "\nRss:");
		pss = strstr(text, "\nPss:");
		if (rss != NULL && pss != NULL) {
			p->rss_kib = strtoull(rss + 5, NULL, 10);
			p->pss_kib = strtoull(pss + 5, NULL, 10);
		}
	}
}

/* PSS of what a process has mapped from /dev/shm. */
static uint64_t
procstat_read_shm(pid_t pid)
{
	char path[64], line[512];
	bool is_shm = false;
	uint64_t sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	/* A mapping begins with its address, in lower case; its figures with
	 * their names, in upper case. */
	while (fgets(line, sizeof(line), f) != NULL)
		if (line[0] < 'A' || line[0] > 'Z')
			is_shm = strstr(line, " /dev/shm/") != NULL;
		else if (is_shm && strncmp(line, "Pss:", 4) == 0)
			sum += strtoull(line + 4, NULL, 10);
	fclose(f);
	return sum;
}

uint64_t
procstat_pss_kib(const struct procstat *ps, uint64_t *shm_kib)
{
	uint64_t sum = 0;

	*shm_kib = 0;
	for (size_t i = 0; i < ps->count; i++) {
		sum += ps->process[i].pss_kib;
		*shm_kib += procstat_read_shm(ps->process[i].pid);
	}
	return sum > *shm_kib ? sum - *shm_kib : 0;
}

uint64_t
procstat_cpu_ns(const struct procstat *ps)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ps->count; i++)
		sum += ps->process[i].cpu_end_ns - ps->process[i].cpu_start_ns;
	return sum;
}
