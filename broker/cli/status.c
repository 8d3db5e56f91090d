/* SPDX-License-Identifier: MIT */
/* status.c - see status.h.  Everything comes from the segment, mapped
 * read-only: a server that hangs can still be looked at. */

#include "broker/cli/status.h"

#include "broker/cli/absent.h"
#include "broker/cli/format.h"
#include "broker/cli/instance.h"
#include "broker/cli/option_values.h"
#include "broker/cli/status_all.h"
#include "broker/shared/segment.h"
#include "broker/shared/stats.h"
#include "broker/status/overview.h"
#include "broker/status/overview_cluster.h"
#include "common/buf.h"

#include <stdio.h>
#include <string.h>

/* Print the failures of this run, if there were any. */
static void
status_print_deaths(const struct segment *seg)
{
	const struct layout_header *header = seg->header;
	unsigned long long deaths = atomic_load(&header->run.deaths);
	unsigned workers = segment_workers(seg);

	if (deaths == 0)
		return;
	printf("\n%llu worker death%s, %llu by the watchdog, "
	       "%llu holding the ring's lock\n",
	    deaths, deaths == 1 ? "" : "s",
	    (unsigned long long)atomic_load(&header->run.watchdog_kills),
	    (unsigned long long)atomic_load(&header->run.lock_deaths));
	for (unsigned slot = 0; slot < workers; slot++) {
		const char *how = seg->workers[slot].last_death;

		if (how[0] != '\0')
			printf("worker %u, started %u times, last %.*s\n", slot,
			    atomic_load(&seg->workers[slot].starts),
			    (int)LAYOUT_DEATH - 1, how);
	}
}

static void
status_print_sandbox(const struct segment *seg)
{
	struct buf buf;

	buf_init(&buf);
	overview_sandbox(&buf, seg);
	printf("sandbox   %.*s\n", (int)buf.len, (const char *)buf.at);
	buf_fini(&buf);
}

static void
status_print_cluster(const struct segment *seg)
{
	struct buf buf;

	if (!overview_has_cluster(seg))
		return;
	buf_init(&buf);
	overview_cluster_text(&buf, seg);
	printf("cluster   %.*s\n", (int)buf.len, (const char *)buf.at);
	buf_fini(&buf);
}

static void
status_print_table(const struct cli *cli, const struct segment *seg, int pid)
{
	static const enum stats_id columns[] = { STATS_CONNECTIONS,
		STATS_SUBSCRIPTIONS, STATS_MESSAGES_IN, STATS_MESSAGES_OUT,
		STATS_DROPS };
	const struct layout_header *header = seg->header;
	unsigned workers = segment_workers(seg);
	char uptime[FORMAT_MAX], size[24];

	printf("instance  %s\npid       %d\nstate     %s\nversion   %s\n",
	    cli->config.name, pid, overview_state(header), header->run.version);
	printf("uptime    %s\naddress   %s\noperator  %s\n",
	    format_uptime(overview_uptime_ms(header), uptime), header->run.urls,
	    header->run.admin[0] != '\0' ? header->run.admin : "none");
	status_print_sandbox(seg);
	status_print_cluster(seg);
	printf("ring      %s, epoch %s\n",
	    value_size_format(header->ring_size, size), header->epoch);
	printf("topics    %u of %u\n\n", atomic_load(&header->used),
	    header->topics_max);
	printf("%6s %8s %-8s", "worker", "pid", "state");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		printf(" %13s", stats_info[columns[i]].name);
	printf(" %9s\n", "lag");
	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(seg, slot);

		printf("%6u %8d %-8s", slot, worker.pid, worker.state);
		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]);
		     i++)
			printf(" %13llu", (unsigned long long)stats_get(
					      worker.of->counters, columns[i]));
		printf(" %9llu\n", (unsigned long long)worker.lag);
	}
	status_print_deaths(seg);
}

static void
status_print_json(const struct cli *cli, const struct segment *seg)
{
	struct buf buf;

	buf_init(&buf);
	overview_json(&buf, seg, cli->config.name);
	fwrite(buf.at, 1, buf.len, stdout);
	buf_fini(&buf);
}

/* Nobody serves.  Workers that a killed supervisor left are no server. */
static enum exit_status
status_not_running(const struct cli *cli, pid_t worker)
{
	return cli_not_running(
	    cli, worker != 0 ? "; workers of a killed server are still draining"
			     : "");
}

/* The number of the supervisor, as seen from here if it can be. */
static int
status_pid(const struct lockfile_holders *holders, const struct segment *seg)
{
	return holders->supervisor != LOCKFILE_UNSEEN
	           ? holders->supervisor
	           : atomic_load(&seg->header->run.supervisor);
}

enum exit_status
cli_status(const struct cli *cli)
{
	struct lockfile_holders holders;
	char error[INSTANCE_ERROR_MAX];
	struct segment seg;

	if (cli->all)
		return cli_status_all(cli);
	if (!lockfile_look(cli->config.lockfile, &holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	if (holders.supervisor == 0)
		return status_not_running(cli, holders.worker);
	if (!instance_attach(&seg, cli->config.name, &holders, error))
		return report_failure(
		    EXIT_STATUS_FAILED, "%s %s", cli->config.name, error);
	if (cli->json)
		status_print_json(cli, &seg);
	else
		status_print_table(cli, &seg, status_pid(&holders, &seg));
	segment_close(&seg);
	return report_printed();
}
