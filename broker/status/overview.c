/* SPDX-License-Identifier: MIT */
/* overview.c - see overview.h. */

#include "broker/status/overview.h"

#include "broker/ring/ring.h"
#include "broker/shared/stats.h"
#include "broker/status/overview_cluster.h"
#include "common/clock.h"
#include "common/config.h"

#include <inttypes.h>
#include <string.h>

enum {
	STATE_STARTING,
	STATE_SERVING,
	STATE_DRAINING,
	STATE_RESTARTING,
	STATE_LEAVING
};

const char *const overview_states[OVERVIEW_STATES] = {
	[STATE_STARTING] = "starting",
	[STATE_SERVING] = "serving",
	[STATE_DRAINING] = "draining",
	[STATE_RESTARTING] = "restarting",
	[STATE_LEAVING] = "leaving",
};

const char *
overview_state(const struct layout_header *header)
{
	switch ((enum run_order)atomic_load(&header->run.order)) {
	case RUN_SERVE:
		return overview_states[atomic_load(&header->run.ready)
					   ? STATE_SERVING
					   : STATE_STARTING];
	case RUN_DRAIN:
		return overview_states[STATE_DRAINING];
	case RUN_DRAIN_RESTART:
		return overview_states[STATE_RESTARTING];
	case RUN_QUIT:
		return overview_states[STATE_LEAVING];
	}
	return "unknown";
}

uint64_t
overview_uptime_ms(const struct layout_header *header)
{
	return clock_monotonic_ms() - atomic_load(&header->run.started_ms);
}

static const char *
overview_worker_state(uint32_t state)
{
	switch ((enum worker_state)state) {
	case WORKER_NONE:
		return "none";
	case WORKER_STARTING:
		return "starting";
	case WORKER_READY:
		return "ready";
	case WORKER_STOPPED:
		return "draining";
	case WORKER_GONE:
		return "gone";
	}
	return "unknown"; /* written by a program of another version */
}

struct overview_worker
overview_worker(const struct segment *seg, unsigned slot)
{
	const struct layout_worker *worker = &seg->workers[slot];
	uint32_t state = atomic_load(&worker->state);
	/* In this order, so that the lag is never below zero. */
	uint64_t cursor = atomic_load(&worker->cursor);
	uint64_t head = ring_head(seg);
	bool is_up = state >= WORKER_READY && state < WORKER_GONE;

	return (struct overview_worker){
		.slot = slot,
		.pid = atomic_load(&worker->pid),
		.state = overview_worker_state(state),
		.is_up = is_up,
		.starts = atomic_load(&worker->starts),
		.lag = is_up ? head - cursor : 0,
		.of = worker,
	};
}

/* Which confinement every running worker has, and why any of them lacks one:
 * bits of enum layout_confined; 0 as long as no worker runs. */
static uint32_t
overview_confined(const struct segment *seg)
{
	const uint32_t reasons = CONFINED_NOT_WANTED | CONFINED_NOT_BUILT;
	unsigned workers = segment_workers(seg);
	uint32_t all = ~reasons, any = 0;

	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(seg, slot);
		uint32_t confined = atomic_load(&worker.of->confined);

		if (!worker.is_up)
			continue;
		all &= confined;
		any |= confined;
	}
	return any == 0 ? 0 : all | (any & reasons);
}

/* Why the workers are not confined; NULL: they are, or none is up. */
static const char *
overview_unconfined(uint32_t confined)
{
	if ((confined & CONFINED_NOT_BUILT) != 0)
		return "built with sanitizers";
	if ((confined & CONFINED_NOT_WANTED) != 0)
		return "--no-sandbox";
	return NULL;
}

void
overview_sandbox(struct buf *buf, const struct segment *seg)
{
	const char *user = seg->header->run.user;
	uint32_t confined = overview_confined(seg);
	const char *why_not = overview_unconfined(confined);

	if (confined == 0)
		buf_puts(buf, "no worker is up");
	else if (why_not != NULL)
		buf_printf(buf, "off (%s)", why_not);
	else
		buf_printf(buf, "%s, %s, no_new_privs",
		    (confined & CONFINED_SECCOMP) != 0
			? "seccomp"
			: "no seccomp in this kernel",
		    (confined & CONFINED_LANDLOCK) != 0
			? "landlock"
			: "no landlock in this kernel");
	if (user[0] != '\0')
		buf_printf(buf, ", user %s", user);
}

/* The same as a JSON object; off is why, or null. */
static void
overview_json_sandbox(struct buf *buf, const struct segment *seg)
{
	const char *user = seg->header->run.user;
	uint32_t confined = overview_confined(seg);
	const char *why_not = overview_unconfined(confined);
	const char *quote = why_not != NULL ? "\"" : "";

	buf_printf(buf,
	    ",\"sandbox\":{\"seccomp\":%s,\"landlock\":%s,"
	    "\"no_new_privs\":%s,\"user\":",
	    (confined & CONFINED_SECCOMP) != 0 ? "true" : "false",
	    (confined & CONFINED_LANDLOCK) != 0 ? "true" : "false",
	    (confined & CONFINED_NO_NEW_PRIVS) != 0 ? "true" : "false");
	if (user[0] != '\0')
		buf_json_string(buf, user, strlen(user));
	else
		buf_puts(buf, "null");
	buf_printf(buf, ",\"off\":%s%s%s}", quote,
	    why_not != NULL ? why_not : "null", quote);
}

/* None has a character to escape. */
void
overview_json_urls(struct buf *buf, const char *urls)
{
	const char *between = "";

	buf_puts(buf, "\"listen\":[");
	while (*urls != '\0') {
		size_t len = strcspn(urls, " ");

		buf_printf(buf, "%s\"%.*s\"", between, (int)len, urls);
		between = ",";
		urls += len;
		urls += strspn(urls, " ");
	}
	buf_puts(buf, "]");
}

/* The delays as [bound in microseconds, how many], null being without bound. */
static void
overview_json_delays(struct buf *buf, const struct stats_delays *delays)
{
	uint64_t count, sum = 0;

	buf_puts(buf, ",\"delay\":{\"buckets\":[");
	for (int i = 0; i <= STATS_DELAY_BOUNDS; i++) {
		count = stats_get_word(&delays->count[i]);
		sum += count;
		if (i < STATS_DELAY_BOUNDS)
			buf_printf(buf, "[%" PRIu64 ",%" PRIu64 "],",
			    stats_delay_bounds_ns[i] / 1000, count);
		else
			buf_printf(buf, "[null,%" PRIu64 "]", count);
	}
	buf_printf(buf, "],\"count\":%" PRIu64 ",\"sum_us\":%" PRIu64 "}", sum,
	    stats_get_word(&delays->sum_ns) / 1000);
}

static void
overview_json_worker(
    struct buf *buf, const struct overview_worker *worker, bool has_cluster)
{
	buf_printf(buf, "{\"slot\":%u,\"pid\":%d,\"state\":\"%s\"",
	    worker->slot, worker->pid, worker->state);
	buf_printf(buf, ",\"lag\":%" PRIu64 ",\"starts\":%" PRIu32, worker->lag,
	    worker->starts);
	buf_puts(buf, ",\"last_death\":");
	if (worker->of->last_death[0] == '\0')
		buf_puts(buf, "null");
	else
		buf_json_string(buf, worker->of->last_death,
		    strnlen(worker->of->last_death, LAYOUT_DEATH - 1));
	for (int i = 0; i < STATS_COUNT; i++)
		if (has_cluster || !stats_is_of_cluster(&stats_info[i]))
			buf_printf(buf, ",\"%s\":%" PRIu64, stats_info[i].name,
			    stats_get(worker->of->counters, (enum stats_id)i));
	overview_json_delays(buf, &worker->of->delays);
	buf_puts(buf, "}");
}

/* The server's identity, and the state of its run. */
static void
overview_json_run(
    struct buf *buf, const struct layout_header *header, const char *instance)
{
	const char *quote = header->run.admin[0] != '\0' ? "\"" : "";

	buf_printf(buf, "{\"instance\":\"%s\",\"pid\":%d,\"state\":\"%s\"",
	    instance, atomic_load(&header->run.supervisor),
	    overview_state(header));
	buf_printf(buf, ",\"uptime_ms\":%" PRIu64 ",\"started_at\":%" PRIu64,
	    overview_uptime_ms(header), atomic_load(&header->run.started_at));
	buf_printf(buf, ",\"version\":\"%s\",\"epoch\":\"%s\"",
	    header->run.version, header->epoch);
	buf_printf(buf, ",\"run\":%" PRIu64 ",\"respawns\":%" PRIu64,
	    atomic_load(&header->run.id), atomic_load(&header->run.respawns));
	buf_printf(buf, ",\"deaths\":%" PRIu64 ",\"lock_deaths\":%" PRIu64,
	    atomic_load(&header->run.deaths),
	    atomic_load(&header->run.lock_deaths));
	buf_printf(buf, ",\"watchdog_kills\":%" PRIu64 ",",
	    atomic_load(&header->run.watchdog_kills));
	overview_json_urls(buf, header->run.urls);
	buf_printf(buf, ",\"admin\":%s%s%s", quote,
	    quote[0] != '\0' ? header->run.admin : "null", quote);
	/* Memory that no counter of ours shows: the kernel's, for each
	 * connection. */
	buf_printf(buf, ",\"kernel\":{\"unsent_max\":%d}", CONFIG_UNSENT_MAX);
}

void
overview_json(struct buf *buf, const struct segment *seg, const char *instance)
{
	const struct layout_header *header = seg->header;
	bool has_cluster = overview_has_cluster(seg);
	unsigned workers = segment_workers(seg);

	overview_json_run(buf, header, instance);
	overview_json_sandbox(buf, seg);
	if (has_cluster) {
		buf_puts(buf, ",\"cluster\":");
		overview_cluster_json(buf, seg);
	}
	buf_printf(buf, ",\"ring\":{\"size\":%" PRIu64 ",\"head\":%" PRIu64,
	    header->ring_size, atomic_load(&header->head));
	buf_printf(
	    buf, ",\"applied\":%" PRIu64 "}", atomic_load(&header->applied));
	buf_printf(buf, ",\"topics\":{\"used\":%" PRIu32 ",\"max\":%" PRIu32,
	    atomic_load(&header->used), header->topics_max);
	buf_printf(buf,
	    "},\"members\":{\"present\":%" PRIu32 ",\"max\":%" PRIu32,
	    atomic_load(&header->members.present), header->members_max);
	buf_puts(buf, "},\"workers\":[");
	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(seg, slot);

		buf_puts(buf, slot == 0 ? "" : ",");
		overview_json_worker(buf, &worker, has_cluster);
	}
	buf_puts(buf, "]}\n");
}
