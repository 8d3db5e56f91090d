/* SPDX-License-Identifier: MIT */
/* inspect.c - see inspect.h. */

#include "broker/cli/inspect.h"

#include "broker/cli/absent.h"
#include "broker/cli/format.h"
#include "broker/cli/inspect_json.h"
#include "broker/cli/inspected.h"
#include "broker/cli/instance.h"
#include "broker/ring/ring.h"
#include "broker/status/instances.h"
#include "broker/status/overview.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INSPECT_TOPICS 20u /* that are listed; JSON has all */

static void
inspect_put_server(struct buf *buf, const struct inspected *it)
{
	const struct layout_header *h = it->seg.header;
	time_t started = (time_t)(atomic_load(&h->run.started_at) / 1000);
	char size[FORMAT_MAX], user[INSTANCE_USER_MAX], when[64] = "";
	struct tm tm;

	buf_printf(buf, "segment   /dev/shm/pubsubd.%s, %s, of user %s\n",
	    it->name, format_bytes((double)it->seg.size, size),
	    instance_user(it->owner, user));
	if (it->is_alive)
		buf_printf(buf, "server    %s, pid %d\n", overview_state(h),
		    atomic_load(&h->run.supervisor));
	else
		buf_printf(buf, "server    dead; it was %s, as pid %d\n",
		    overview_state(h), atomic_load(&h->run.supervisor));
	if (gmtime_r(&started, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	buf_printf(buf, "run       %" PRIu64 ", since %s, version %s\n",
	    atomic_load(&h->run.id), when,
	    inspected_text(h->run.version, sizeof(h->run.version)));
}

static void
inspect_put_options(struct buf *buf, const struct inspected *it)
{
	const struct layout_header *h = it->seg.header;
	const char *user = inspected_text(h->run.user, sizeof(h->run.user));
	const char *admin = inspected_text(h->run.admin, sizeof(h->run.admin));
	char size[FORMAT_MAX];

	buf_printf(buf,
	    "options   --workers %u --ring-size %s --max-topics "
	    "%" PRIu32 " --drain %g",
	    segment_workers(&it->seg),
	    format_bytes((double)it->seg.ring_size, size), it->seg.topics_max,
	    (double)atomic_load(&h->run.drain_ms) / 1000);
	buf_printf(buf, "%s%s\naddress   %s\noperator  %s\n",
	    user[0] != '\0' ? " --user " : "", user,
	    inspected_text(h->run.urls, sizeof(h->run.urls)),
	    admin[0] != '\0' ? admin : "none");
}

static void
inspect_put_ring(struct buf *buf, const struct inspected *it)
{
	const struct layout_header *h = it->seg.header;
	unsigned holder = layout_owner_slot(it->lock_owner);
	char written[FORMAT_MAX];

	buf_printf(buf, "epoch     %s\n", h->epoch);
	buf_printf(buf,
	    "ring      head %" PRIu64 ", applied %" PRIu64 ", reserve %" PRIu64
	    "; %s written\n",
	    it->head, it->applied, it->reserve,
	    format_bytes((double)(it->head - ring_first(&it->seg)), written));
	if (holder < LAYOUT_WORKERS)
		buf_printf(buf, "lock      held by worker %u", holder);
	else
		buf_puts(buf, "lock      free");
	buf_printf(buf, "%s\n",
	    atomic_load(&h->sealed) != 0 ? "; sealed: nothing more is published"
					 : "");
}

static void
inspect_put_verdict(struct buf *buf, const struct inspected *it)
{
	buf_puts(buf, "verdict   ");
	switch (it->verdict) {
	case INSPECT_GOOD:
		buf_puts(buf, "good: the directory is what the ring says\n");
		break;
	case INSPECT_REPAIRED:
		buf_printf(buf,
		    "good after a repair, which the next start makes: %" PRIu64
		    " bytes are committed and not in the directory\n",
		    it->head - it->applied);
		break;
	case INSPECT_CHANGING:
		buf_printf(buf,
		    "unknown: it was written to at each look (%s)\n", it->why);
		break;
	case INSPECT_DAMAGED:
		buf_printf(buf,
		    "damaged: the next start makes a new ring (%s)\n", it->why);
		break;
	}
}

static void
inspect_put_workers(struct buf *buf, const struct inspected *it)
{
	unsigned workers = segment_workers(&it->seg);

	buf_printf(buf, "\n%6s %8s %-8s %6s %16s %10s  %s\n", "worker", "pid",
	    "state", "starts", "cursor", "beat", "last end");
	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(&it->seg, slot);

		buf_printf(buf,
		    "%6u %8d %-8s %6" PRIu32 " %16" PRIu64 " %10" PRIu64
		    "  %s\n",
		    slot, worker.pid, worker.state, worker.starts,
		    atomic_load(&worker.of->cursor),
		    atomic_load(&worker.of->beat),
		    inspected_text(
			worker.of->last_death, sizeof(worker.of->last_death)));
	}
}

/* The latest first. */
static int
inspect_compare(const void *a, const void *b)
{
	const struct inspected_topic *x = a, *y = b;

	return x->last < y->last ? 1 : x->last > y->last ? -1 : 0;
}

static void
inspect_put_topics(struct buf *buf, const struct inspected *it)
{
	uint32_t used = inspected_used(it), count = 0;
	struct inspected_topic *topics = xcalloc(used + 1, sizeof(*topics));

	for (uint32_t slot = 0; slot < used; slot++)
		count += inspected_topic(it, slot, &topics[count]);
	qsort(topics, count, sizeof(*topics), inspect_compare);
	buf_printf(buf,
	    "\n%16s %16s %11s  topic (%" PRIu32 " of %" PRIu32 ")\n", "seq",
	    "last record at", "subscribers", count, it->seg.topics_max);
	for (uint32_t i = 0; i < count && i < INSPECT_TOPICS; i++)
		buf_printf(buf,
		    "%16" PRIu64 " %16" PRIu64 " %11" PRIu64 "  %.*s\n",
		    topics[i].seq, topics[i].last, topics[i].subscribers,
		    topics[i].name != NULL ? topics[i].name_len : 1,
		    topics[i].name != NULL ? topics[i].name : "?");
	if (count > INSPECT_TOPICS)
		buf_printf(buf, "%47s and %" PRIu32 " more; --json has all\n",
		    "...", count - INSPECT_TOPICS);
	free(topics);
}

static enum exit_status
inspect_print(const struct cli *cli, const struct inspected *it)
{
	enum exit_status status;
	struct buf buf;

	buf_init(&buf);
	if (cli->json) {
		inspect_put_json(&buf, it);
	} else {
		inspect_put_server(&buf, it);
		inspect_put_options(&buf, it);
		inspect_put_ring(&buf, it);
		inspect_put_verdict(&buf, it);
		inspect_put_workers(&buf, it);
		inspect_put_topics(&buf, it);
	}
	fwrite(buf.at, 1, buf.len, stdout);
	buf_fini(&buf);
	status = report_printed();
	return status == EXIT_STATUS_OK && it->verdict == INSPECT_DAMAGED
	           ? EXIT_STATUS_FAILED
	           : status;
}

/* The name has no segment: the server may have it all the same. */
static enum exit_status
inspect_attach_holder(const struct cli *cli, struct inspected *it)
{
	const struct config *config = &cli->config;
	struct lockfile_holders holders;
	char error[INSTANCE_ERROR_MAX];

	if (!lockfile_look(config->lockfile, &holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	if (holders.supervisor == 0)
		return cli_not_running(cli, "; it has left no shared memory");
	if (!instance_attach(&it->seg, config->name, &holders, error))
		return report_failure(
		    EXIT_STATUS_FAILED, "%s %s", config->name, error);
	it->is_alive = true;
	it->owner = geteuid();
	return EXIT_STATUS_OK;
}

static enum exit_status
inspect_attach(const struct cli *cli, struct inspected *it)
{
	char error[SEGMENT_ERROR_MAX];
	struct instance one;

	switch (segment_attach_copy(&it->seg, it->name, error)) {
	case SEGMENT_OK:
		break;
	case SEGMENT_MISSING:
		return inspect_attach_holder(cli, it);
	case SEGMENT_FOREIGN:
	case SEGMENT_BUSY:
	case SEGMENT_FAILED:
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	}
	if (instance_find(&one, it->name)) {
		it->is_alive = one.is_alive;
		it->owner = one.owner;
		instance_release(&one);
	}
	return EXIT_STATUS_OK;
}

enum exit_status
cli_inspect(const struct cli *cli)
{
	struct inspected it = { .name = cli->config.name };
	enum exit_status status = inspect_attach(cli, &it);

	if (status != EXIT_STATUS_OK)
		return status;
	inspected_judge(&it);
	status = inspect_print(cli, &it);
	segment_close(&it.seg);
	return status;
}
