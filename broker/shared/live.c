/* SPDX-License-Identifier: MIT */
/* live.c - see live.h. */

#include "broker/shared/live.h"

#include "broker/shared/shared_memory.h"
#include "common/bug.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

struct live {
	_Atomic uint32_t version;
	struct config config; /* its strings are in names, in the order of its
	                         lists */
	char names[LIVE_NAMES_MAX];
};

#define LIVE_MEMBER(member)                                     \
	{                                                       \
		offsetof(struct config, member),                \
		    sizeof(((const struct config *)0)->member), \
	}

/* What a worker takes over, besides the lists; OPTION_RELOAD in the table of
 * options. */
static const struct {
	size_t at, size;
} live_members[] = {
	LIVE_MEMBER(log_level),
	LIVE_MEMBER(max_conns),
	LIVE_MEMBER(max_conns_per_address),
	LIVE_MEMBER(conn_rate),
	LIVE_MEMBER(max_topics_per_conn),
	LIVE_MEMBER(max_patterns_per_conn),
	LIVE_MEMBER(max_patterns),
	LIVE_MEMBER(rate),
	LIVE_MEMBER(control_rate),
	LIVE_MEMBER(max_buffer),
	LIVE_MEMBER(max_head),
	LIVE_MEMBER(request_ms),
	LIVE_MEMBER(idle_ms),
	LIVE_MEMBER(stall_ms),
	LIVE_MEMBER(min_rate),
	LIVE_MEMBER(max_pipelined),
	LIVE_MEMBER(dedup_window_ms),
	LIVE_MEMBER(drain_ms),
	LIVE_MEMBER(leave_delay_ms),
	LIVE_MEMBER(handover_ms),
	LIVE_MEMBER(cluster_wait_ms),
	LIVE_MEMBER(cluster_outbox),
	LIVE_MEMBER(cluster_down_local),
	LIVE_MEMBER(cluster_order_local),
	LIVE_MEMBER(restart_code),
	LIVE_MEMBER(compress),
	LIVE_MEMBER(allow_origin_count),
	LIVE_MEMBER(allow_host_count),
	LIVE_MEMBER(trust_proxy),
	LIVE_MEMBER(trust_proxy_count),
	LIVE_MEMBER(policies),
};

struct live *
live_open(int fd)
{
	return shared_memory_map(fd, sizeof(struct live));
}

void
live_close(struct live *live)
{
	if (live != NULL)
		munmap(live, sizeof(*live));
}

void
live_protect(struct live *live)
{
	if (live != NULL)
		CHECK(mprotect(live, sizeof(*live), PROT_READ) == 0);
}

/* Bytes of these names. */
static size_t
live_size(const char *const *list, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += strlen(list[i]) + 1;
	return size;
}

bool
live_has_room(const struct config *config)
{
	return live_size(config->allow_origin, config->allow_origin_count) +
	           live_size(config->allow_host, config->allow_host_count) <=
	       LIVE_NAMES_MAX;
}

static char *
live_put_names(char *to, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to = stpcpy(to, list[i]) + 1;
	return to;
}

void
live_put(struct live *live, const struct config *config)
{
	uint32_t version =
	    atomic_load_explicit(&live->version, memory_order_relaxed);
	char *end;

	CHECK(live_has_room(config));
	atomic_store_explicit(
	    &live->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	live->config = *config;
	end = live_put_names(
	    live->names, config->allow_origin, config->allow_origin_count);
	live_put_names(end, config->allow_host, config->allow_host_count);
	atomic_store_explicit(
	    &live->version, version + 2, memory_order_release);
}

static uint32_t
live_load_version(const struct live *live)
{
	return atomic_load_explicit(&live->version, memory_order_acquire);
}

uint32_t
live_version(const struct live *live)
{
	return live != NULL ? live_load_version(live) : 0;
}

/* Point a list to its names.  Returns where those of the next list begin. */
static const char *
live_point(const char **list, size_t count, const char *names)
{
	for (size_t i = 0; i < count; i++) {
		list[i] = names;
		names += strlen(names) + 1;
	}
	return names;
}

uint32_t
live_get(
    const struct live *live, struct config *config, char names[LIVE_NAMES_MAX])
{
	uint32_t version = live_load_version(live);
	char copy[LIVE_NAMES_MAX];
	struct config next;

	memcpy(&next, &live->config, sizeof(next));
	memcpy(copy, live->names, sizeof(copy));
	atomic_thread_fence(memory_order_acquire);
	if (version % 2 != 0 || live_load_version(live) != version)
		return 0;
	for (size_t i = 0; i < sizeof(live_members) / sizeof(live_members[0]);
	     i++)
		memcpy((char *)config + live_members[i].at,
		    (const char *)&next + live_members[i].at,
		    live_members[i].size);
	memcpy(names, copy, LIVE_NAMES_MAX);
	live_point(config->allow_host, config->allow_host_count,
	    live_point(
		config->allow_origin, config->allow_origin_count, names));
	return version;
}
