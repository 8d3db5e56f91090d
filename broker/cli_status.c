/* SPDX-License-Identifier: MIT */
/* cli_status.c - see cli_status.h.  Everything comes from the segment, mapped
 * read-only: a server that hangs can still be looked at. */

#include "broker/cli_status.h"

#include "broker/cli_values.h"
#include "broker/pidfile.h"
#include "broker/ring.h"
#include "broker/segment.h"
#include "broker/stats.h"
#include "common/clock.h"

#include <stdio.h>
#include <string.h>

/* One worker, read once. */
struct status_worker {
	unsigned slot;
	int pid;
	const char *state;
	uint64_t lag; /* bytes of the ring it has still to read */
	const _Atomic uint64_t *counters;
};

static const char *
status_worker_state(uint32_t state)
{
	switch ((enum worker_state)state) {
	case WORKER_NONE:
		return "none";
	case WORKER_STARTING:
		return "starting";
	case WORKER_READY:
		return "ready";
	case WORKER_STOPPED:
	case WORKER_DRAINED:
		return "draining";
	case WORKER_GONE:
		return "gone";
	}
	return "unknown"; /* written by a program of another version */
}

static const char *
status_run_state(const struct layout_header *header)
{
	switch ((enum run_order)atomic_load(&header->run.order)) {
	case RUN_SERVE:
		return atomic_load(&header->run.ready) ? "serving" : "starting";
	case RUN_DRAIN:
		return "draining";
	case RUN_DRAIN_RESTART:
		return "restarting";
	case RUN_QUIT:
		return "leaving";
	}
	return "unknown";
}

static struct status_worker
status_read_worker(const struct segment *seg, unsigned slot)
{
	const struct layout_worker *worker = &seg->workers[slot];
	uint32_t state = atomic_load(&worker->state);
	/* In this order, so that the lag is never below zero. */
	uint64_t cursor = atomic_load(&worker->cursor);
	uint64_t head = ring_head(seg);
	bool tails = state >= WORKER_READY && state < WORKER_GONE;

	return (struct status_worker){
		.slot = slot,
		.pid = atomic_load(&worker->pid),
		.state = status_worker_state(state),
		.lag = tails ? head - cursor : 0,
		.counters = worker->counters,
	};
}

/* "3 d 4 h", "4 h 5 min", "5 min 6 s", "6 s". */
static const char *
status_format_uptime(uint64_t ms, char out[48])
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 },
		{ "s", 1 } };
	uint64_t s = ms / 1000;
	size_t i = 0;

	while (i < 3 && s < units[i].seconds)
		i++;
	if (i == 3)
		snprintf(out, 48, "%llu s", (unsigned long long)s);
	else
		snprintf(out, 48, "%llu %s %llu %s",
		    (unsigned long long)(s / units[i].seconds), units[i].name,
		    (unsigned long long)(s % units[i].seconds /
					 units[i + 1].seconds),
		    units[i + 1].name);
	return out;
}

static uint64_t
status_uptime_ms(const struct layout_header *header)
{
	return clock_monotonic_ms() - atomic_load(&header->run.started_ms);
}

static void
status_print_table(const struct cli *cli, const struct segment *seg, int pid)
{
	static const enum stats_id columns[] = { STATS_CONNECTIONS,
		STATS_SUBSCRIPTIONS, STATS_MESSAGES_IN, STATS_MESSAGES_OUT,
		STATS_DROPS };
	const struct layout_header *header = seg->header;
	unsigned workers = atomic_load(&header->run.workers);
	char uptime[48], size[24];

	printf("instance  %s\npid       %d\nstate     %s\nversion   %s\n",
	    cli->config.name, pid, status_run_state(header),
	    header->run.version);
	printf("uptime    %s\naddress   %s\nring      %s, epoch %s\n",
	    status_format_uptime(status_uptime_ms(header), uptime),
	    header->run.urls, value_size_format(header->ring_size, size),
	    header->epoch);
	printf("topics    %u of %u\n\n", atomic_load(&header->used),
	    header->topics_max);
	printf("%6s %8s %-8s", "worker", "pid", "state");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		printf(" %13s", stats_info[columns[i]].name);
	printf(" %9s\n", "lag");
	for (unsigned slot = 0; slot < workers; slot++) {
		struct status_worker worker = status_read_worker(seg, slot);

		printf("%6u %8d %-8s", slot, worker.pid, worker.state);
		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]);
		     i++)
			printf(" %13llu", (unsigned long long)stats_get(
					      worker.counters, columns[i]));
		printf(" %9llu\n", (unsigned long long)worker.lag);
	}
}

/* The addresses, as a JSON array.  None has a character to escape. */
static void
status_print_json_urls(const char *urls)
{
	const char *between = "";

	printf("\"listen\":[");
	while (*urls != '\0') {
		size_t len = strcspn(urls, " ");

		printf("%s\"%.*s\"", between, (int)len, urls);
		between = ",";
		urls += len;
		urls += strspn(urls, " ");
	}
	printf("]");
}

static void
status_print_json_worker(const struct segment *seg, unsigned slot)
{
	struct status_worker worker = status_read_worker(seg, slot);

	printf("{\"slot\":%u,\"pid\":%d,\"state\":\"%s\",\"lag\":%llu", slot,
	    worker.pid, worker.state, (unsigned long long)worker.lag);
	printf(",\"starts\":%u", atomic_load(&seg->workers[slot].starts));
	for (int i = 0; i < STATS_COUNT; i++)
		printf(",\"%s\":%llu", stats_info[i].name,
		    (unsigned long long)stats_get(
			worker.counters, (enum stats_id)i));
	printf("}");
}

static void
status_print_json(const struct cli *cli, const struct segment *seg, int pid)
{
	const struct layout_header *header = seg->header;
	unsigned workers = atomic_load(&header->run.workers);

	printf("{\"instance\":\"%s\",\"pid\":%d,\"state\":\"%s\","
	       "\"uptime_ms\":%llu,\"version\":\"%s\",\"epoch\":\"%s\",",
	    cli->config.name, pid, status_run_state(header),
	    (unsigned long long)status_uptime_ms(header), header->run.version,
	    header->epoch);
	printf("\"run\":%llu,\"respawns\":%llu,\"lock_deaths\":%llu,",
	    (unsigned long long)atomic_load(&header->run.id),
	    (unsigned long long)atomic_load(&header->run.respawns),
	    (unsigned long long)atomic_load(&header->run.lock_deaths));
	status_print_json_urls(header->run.urls);
	printf(",\"ring\":{\"size\":%llu,\"head\":%llu,\"applied\":%llu}",
	    (unsigned long long)header->ring_size,
	    (unsigned long long)atomic_load(&header->head),
	    (unsigned long long)atomic_load(&header->applied));
	printf(",\"topics\":{\"used\":%u,\"max\":%u},\"workers\":[",
	    atomic_load(&header->used), header->topics_max);
	for (unsigned slot = 0; slot < workers; slot++) {
		printf("%s", slot == 0 ? "" : ",");
		status_print_json_worker(seg, slot);
	}
	printf("]}\n");
}

/* Nobody serves.  Workers that a killed supervisor left are no server. */
static enum exit_status
status_not_running(const struct cli *cli, pid_t worker)
{
	return report_failure(EXIT_STATUS_NOT_RUNNING, "%s is not running%s",
	    cli->config.name,
	    worker != 0 ? "; workers of a killed server are still draining"
			: "");
}

enum exit_status
cli_status(const struct cli *cli)
{
	struct pidfile_holders holders = pidfile_look(cli->config.pidfile);
	char error[SEGMENT_ERROR_MAX];
	struct segment seg;

	if (holders.supervisor == 0)
		return status_not_running(cli, holders.worker);
	if (segment_attach(&seg, cli->config.name, false, error) != SEGMENT_OK)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is only just starting, or stopping: %s",
		    cli->config.name, error);
	if (cli->json)
		status_print_json(cli, &seg, holders.supervisor);
	else
		status_print_table(cli, &seg, holders.supervisor);
	segment_close(&seg);
	return EXIT_STATUS_OK;
}
