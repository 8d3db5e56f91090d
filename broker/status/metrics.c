/* SPDX-License-Identifier: MIT */
/* metrics.c - see metrics.h. */

#include "broker/status/metrics.h"

#include "broker/shared/stats.h"
#include "broker/status/metrics_cluster.h"
#include "broker/status/metrics_text.h"
#include "broker/status/overview.h"
#include "broker/status/overview_cluster.h"
#include "common/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The server's identity, start and state. */
static void
metrics_put_run(
    struct buf *buf, const struct layout_header *header, const char *instance)
{
	static const char info[] = "what is running, in its labels";
	static const char states[] = "1 for what the server is doing";
	const char *state = overview_state(header);

	metrics_head(buf, "build_info", "gauge", info);
	buf_printf(buf,
	    "pubsubd_build_info{version=\"%s\",epoch=\"%s\",instance=\"%s\"}"
	    " 1\n",
	    header->run.version, header->epoch, instance);
	metrics_one_time(buf, "start_time_seconds",
	    "when this run began, since 1970",
	    atomic_load(&header->run.started_at));
	metrics_one_time(buf, "uptime_seconds", "how long this run has lasted",
	    overview_uptime_ms(header));
	metrics_head(buf, "state", "gauge", states);
	for (int i = 0; i < OVERVIEW_STATES; i++)
		buf_printf(buf, "pubsubd_state{state=\"%s\"} %d\n",
		    overview_states[i], state == overview_states[i]);
	metrics_one(buf, "workers", "gauge", "workers there should be",
	    atomic_load(&header->run.workers));
	metrics_one(buf, "respawns_total", "counter",
	    "workers that died and were replaced",
	    atomic_load(&header->run.respawns));
	metrics_one(buf, "worker_deaths_total", "counter",
	    "workers that ended without having been told to",
	    atomic_load(&header->run.deaths));
	metrics_one(buf, "watchdog_kills_total", "counter",
	    "workers that hung, or kept the ring's lock, and were killed",
	    atomic_load(&header->run.watchdog_kills));
	metrics_one(buf, "kernel_unsent_max_bytes", "gauge",
	    "what the kernel takes for each connection beyond what is on its "
	    "way to the client",
	    CONFIG_UNSENT_MAX);
	metrics_one(buf, "lock_owner_deaths_total", "counter",
	    "workers that died while they held the ring's lock",
	    atomic_load(&header->run.lock_deaths));
}

/* The ring and the directory. */
static void
metrics_put_ring(struct buf *buf, const struct layout_header *header)
{
	metrics_one(buf, "ring_size_bytes", "gauge", "size of the ring",
	    header->ring_size);
	metrics_one(buf, "ring_head_bytes_total", "counter",
	    "position of the ring's head, which grows by all that is written",
	    atomic_load(&header->head));
	metrics_one(buf, "ring_applied_bytes_total", "counter",
	    "position up to which the topic directory knows the ring",
	    atomic_load(&header->applied));
	metrics_one(buf, "topics", "gauge", "slots of the topic directory used",
	    atomic_load(&header->used));
	metrics_one(buf, "topics_max", "gauge", "slots of the topic directory",
	    header->topics_max);
	metrics_one(buf, "members", "gauge", "users in topics",
	    atomic_load(&header->members.present));
	metrics_one(buf, "members_max", "gauge", "places for those",
	    header->members_max);
}

/* A metric's values, one for each worker. */
static void
metrics_per_worker(struct buf *buf, const struct segment *seg, const char *name,
    const char *type, const char *help,
    uint64_t (*value)(const struct overview_worker *worker))
{
	unsigned workers = segment_workers(seg);

	metrics_head(buf, name, type, help);
	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(seg, slot);

		buf_printf(buf, "pubsubd_%s{worker=\"%u\"} %" PRIu64 "\n", name,
		    slot, value(&worker));
	}
}

static uint64_t
metrics_is_up(const struct overview_worker *worker)
{
	return worker->is_up;
}

static uint64_t
metrics_starts(const struct overview_worker *worker)
{
	return worker->starts;
}

static uint64_t
metrics_lag(const struct overview_worker *worker)
{
	return worker->lag;
}

/* Counter i of every worker. */
static void
metrics_put_counter(struct buf *buf, const struct segment *seg, int i)
{
	const struct stats_info *info = &stats_info[i];
	bool is_counter = info->kind == STATS_COUNTER;
	unsigned workers = segment_workers(seg);

	for (unsigned slot = 0; slot < workers; slot++) {
		buf_printf(buf, "pubsubd_%s%s{worker=\"%u\"", info->metric,
		    is_counter ? "_total" : "", slot);
		if (info->reason != NULL)
			buf_printf(buf, ",reason=\"%s\"", info->reason);
		buf_printf(buf, "} %" PRIu64 "\n",
		    stats_get(seg->workers[slot].counters, (enum stats_id)i));
	}
}

/* All that workers count.  Neighbours may be of one metric. */
static void
metrics_put_counters(struct buf *buf, const struct segment *seg)
{
	bool has_cluster = overview_has_cluster(seg);

	for (int i = 0; i < STATS_COUNT; i++) {
		const struct stats_info *info = &stats_info[i];
		bool is_counter = info->kind == STATS_COUNTER;
		size_t len = strlen(info->what);
		char name[64];

		if (!has_cluster && stats_is_of_cluster(info))
			continue;
		if (info->reason != NULL)
			len = strcspn(info->what, ":");
		snprintf(name, sizeof(name), "%s%s", info->metric,
		    is_counter ? "_total" : "");
		if (i == 0 ||
		    strcmp(info->metric, stats_info[i - 1].metric) != 0)
			metrics_head_of(buf, name,
			    is_counter ? "counter" : "gauge", info->what, len);
		metrics_put_counter(buf, seg, i);
	}
}

void
metrics_put(struct buf *buf, const struct segment *seg, const char *instance)
{
	static const char delivery[] =
	    "time from reading a message to writing it to the sockets of a "
	    "worker's subscribers, one for each message and worker";
	char label[24];
	unsigned workers = segment_workers(seg);

	metrics_put_run(buf, seg->header, instance);
	metrics_put_ring(buf, seg->header);
	metrics_per_worker(buf, seg, "worker_up", "gauge",
	    "1 for a worker that serves", metrics_is_up);
	metrics_per_worker(buf, seg, "worker_starts_total", "counter",
	    "times a worker was started", metrics_starts);
	metrics_per_worker(buf, seg, "ring_lag_bytes", "gauge",
	    "what a worker has still to read of the ring", metrics_lag);
	metrics_put_counters(buf, seg);
	metrics_head(buf, "delivery_seconds", "histogram", delivery);
	for (unsigned slot = 0; slot < workers; slot++) {
		snprintf(label, sizeof(label), "worker=\"%u\"", slot);
		metrics_delays(
		    buf, "delivery_seconds", label, &seg->workers[slot].delays);
	}
	if (overview_has_cluster(seg))
		metrics_put_cluster(buf, seg);
}
