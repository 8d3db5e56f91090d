/* SPDX-License-Identifier: MIT */
/* life.c - the course of a run: begin, get ready, come to an end,
 * and what then; see state.h. */

#include "broker/host/cgroup.h"
#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/stop_point.h"
#include "broker/status/overview.h"
#include "broker/status/summary.h"
#include "broker/supervisor/state.h"
#include "common/address.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/ip.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long the workers of a start may take until all are ready. */
#define LIFE_READY_MS 30000

/* How long an address may take to answer when they are. */
#define LIFE_ANSWER_MS 2000

struct segment_shape
supervisor_shape(const struct config *config)
{
	return (struct segment_shape){ .ring_size = config->ring_size,
		.topics_max = config->max_topics,
		.keys_max = config->dedup_keys,
		.members_max = config->max_members,
		.chunks_max = (uint32_t)(config->retain_size / LAYOUT_CHUNK) };
}

/* Whether a segment that was found is one that this configuration makes. */
static bool
life_fits(const struct supervisor *s)
{
	const struct layout_header *header = s->segment.header;
	const struct config *config = s->config;

	const struct segment_shape shape = supervisor_shape(config);

	return header->topics_max == shape.topics_max &&
	       header->keys_max == shape.keys_max &&
	       header->chunks_max == shape.chunks_max &&
	       header->members_max == shape.members_max &&
	       header->segment_size == segment_size(&shape);
}

/* Map the segment that was claimed, if it has the right size.  Returns as
 * life_take_over(). */
static enum segment_status
life_attach(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status =
	    segment_take_over(&s->segment, s->claim, s->config->name, error);

	if (status != SEGMENT_OK || life_fits(s))
		return status;
	snprintf(error, SEGMENT_ERROR_MAX,
	    "it was made with another --ring-size, --max-topics, "
	    "--max-members, --retain-size or --dedup-keys");
	segment_close(&s->segment);
	return SEGMENT_FOREIGN;
}

/*
 * Map the segment that was claimed, if it can be gone on with.
 * Returns SEGMENT_OK; SEGMENT_FOREIGN with a reason if it cannot; SEGMENT_FAILED
 * with a reason if it may be sound, and the system did not let us see.
 */
static enum segment_status
life_take_over(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status = life_attach(s, error);

	if (status != SEGMENT_OK || ring_recover(&s->segment, error))
		return status;
	segment_close(&s->segment);
	return SEGMENT_FOREIGN;
}

bool
supervisor_has_memory(
    const struct config *config, uint64_t beside, char error[SEGMENT_ERROR_MAX])
{
	const struct segment_shape shape = supervisor_shape(config);
	uint64_t size = segment_size(&shape) + beside;
	uint64_t limit = cgroup_memory("/proc/self");

	if (size < limit)
		return true;
	snprintf(error, SEGMENT_ERROR_MAX,
	    "%llu MiB of shared memory are more than the control group "
	    "(cgroup) "
	    "allows, %llu MiB in all (see --ring-size, --max-topics)",
	    (unsigned long long)(size >> 20),
	    (unsigned long long)(limit >> 20));
	return false;
}

/* Remove the segment that was claimed and make another. */
static bool
life_create(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	const struct config *config = s->config;
	const struct segment_shape shape = supervisor_shape(config);

	if (!supervisor_has_memory(config, 0, error))
		return false;
	if (s->claim != -1)
		segment_remove(config->name, s->claim);
	s->claim = -1;
	return store_create(
	    &s->segment, config->name, &shape, &s->claim, error);
}

enum exit_status
supervisor_open_segment(struct supervisor *s, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status = SEGMENT_OK;

	if (s->kept.workers == 0) /* a killed one may have left it */
		segment_remove_next(s->config->name);
	if (s->claim == -1)
		status = segment_claim(s->config->name, &s->claim, error);
	if (status == SEGMENT_BUSY)
		return EXIT_STATUS_ALREADY_RUNNING;
	if (status == SEGMENT_FOREIGN)
		return EXIT_STATUS_FAILED;
	if (status == SEGMENT_OK) {
		/* With workers at work there is nothing to be repaired, and no
		 * other ring that they could go on with. */
		if (s->kept.workers > 0)
			return life_attach(s, error) == SEGMENT_OK
			           ? EXIT_STATUS_OK
			           : EXIT_STATUS_FAILED;
		status = life_take_over(s, error);
		if (status == SEGMENT_OK) {
			log_info("going on with the ring of epoch %s",
			    s->segment.header->epoch);
			stop_point_here(s->segment.header, STOP_ADOPTED);
			s->has_history = true;
			return EXIT_STATUS_OK;
		}
		if (status != SEGMENT_FAILED)
			log_warnx(
			    "a new ring instead of the one found: %s", error);
	}
	/* Whatever is there stays for the next start. */
	if (status == SEGMENT_FAILED)
		return EXIT_STATUS_FAILED;
	return life_create(s, error) ? EXIT_STATUS_OK : EXIT_STATUS_FAILED;
}

/* Whether the next start is to find the segment. */
static bool
life_keeps_ring(const struct supervisor *s)
{
	const struct layout_header *header = s->segment.header;

	if (!s->config->keep_ring ||
	    (!s->has_history && atomic_load(&header->run.ready) != 1))
		return false;
	if (segment_is_named(s->config->name, s->claim))
		return true;
	log_errorx("the ring cannot be kept: its name in /dev/shm is gone");
	return false;
}

void
supervisor_close_segment(struct supervisor *s)
{
	struct layout_header *header = s->segment.header;
	bool keep = life_keeps_ring(s);

	if (keep) {
		log_info("the ring of epoch %s is kept for the next start",
		    header->epoch);
		atomic_store(&header->run.kept, 1);
	}
	segment_close(&s->segment);
	if (keep)
		close(s->claim);
	else
		segment_remove(s->config->name, s->claim);
	s->claim = -1;
}

void
supervisor_sign_header(struct supervisor *s)
{
	struct layout_header *header = s->segment.header;
	char urls[LISTENERS_URLS_MAX], text[ADDRESS_TEXT_MAX];

	listeners_urls(&s->listeners, " ", urls);
	snprintf(header->run.urls, sizeof(header->run.urls), "%s", urls);
	header->run.admin[0] = '\0';
	if (s->admin.count > 0)
		snprintf(header->run.admin, sizeof(header->run.admin),
		    "http://%s", address_format(&s->admin.address[0], text));
	snprintf(header->run.version, sizeof(header->run.version), "%s",
	    PUBSUBD_VERSION);
	snprintf(header->run.user, sizeof(header->run.user), "%s",
	    s->config->user != NULL ? s->config->user : "");
}

/* The counters begin anew with each run: what the last one still counted after
 * anybody could look, as orphans do, is only said here. */
static void
life_end_last_run(const struct supervisor *s)
{
	const struct layout_header *header = s->segment.header;
	uint64_t run = atomic_load(&header->run.id);
	uint64_t dropped = 0, missed = 0;

	if (run == 0)
		return; /* there was none */
	for (unsigned slot = 0; slot < LAYOUT_WORKERS; slot++) {
		const _Atomic uint64_t *counters =
		    s->segment.workers[slot].counters;

		dropped += stats_get(counters, STATS_DROPS) +
		           stats_get(counters, STATS_DROPS_MEMORY);
		missed += stats_get(counters, STATS_MISSED);
	}
	log_info("run %llu of epoch %s has ended: %llu messages dropped, %llu "
		 "missed",
	    (unsigned long long)run, header->epoch, (unsigned long long)dropped,
	    (unsigned long long)missed);
}

void
supervisor_begin_run(struct supervisor *s)
{
	uint64_t now = clock_monotonic_ms();

	CHECK(s->alive == 0);
	s->due.at[DUE_KILL] = DUE_NEVER;
	s->due.at[DUE_LOOK] = now + WATCHDOG_LOOK_MS;
	if (s->phase == PHASE_STARTING) {
		s->due.at[DUE_FILL] = now;
		s->due.at[DUE_READY] = now + LIFE_READY_MS;
	}
	watchdog_init(&s->watchdog);
	memset(s->child, 0, sizeof(s->child));
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		s->child[slot].asks = -1;
		s->due.at[DUE_FORK + slot] = now;
	}
	supervisor_bridge_begin(s, now);
	lockfile_begin_run(&s->lockfile);
	life_end_last_run(s);
	supervisor_sign_header(s);
	store_begin_run(&s->segment, s->config->workers, s->config->drain_ms);
	atomic_store(&s->segment.header->run.options, live_version(s->live));
}

void
supervisor_fill_segment(struct supervisor *s)
{
	char error[SEGMENT_ERROR_MAX];

	if (!segment_fill(&s->segment, s->claim, s->config->name, error))
		supervisor_fail(s, "%s", error);
}

/* Whether every worker says that it is ready. */
static bool
life_all_ready(const struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		if (atomic_load_explicit(&s->segment.workers[slot].state,
			memory_order_acquire) != WORKER_READY)
			return false;
	return true;
}

static void
life_log_sandbox(const struct supervisor *s)
{
	struct buf buf;

	buf_init(&buf);
	overview_sandbox(&buf, &s->segment);
	log_info(
	    "sandbox of the workers: %.*s", (int)buf.len, (const char *)buf.at);
	buf_fini(&buf);
}

/* Where the operator's pages are, and whether everybody can have them. */
static void
life_log_admin(const struct supervisor *s)
{
	const struct config *config = s->config;
	struct ip_address ip;

	if (s->admin.count == 0)
		return;
	log_info("operator's pages on %s", s->segment.header->run.admin);
	if (config->admin_key == NULL &&
	    ip_from_sockaddr(&ip, &config->admin.addr) && !ip_is_loopback(&ip))
		log_warnx("whoever reaches the operator's pages may use them: "
			  "--admin-key has them ask for a key");
}

static void
life_tell_ready(struct supervisor *s)
{
	unsigned n = s->config->workers;
	char urls[LISTENERS_URLS_MAX];

	supervisor_event(s, EVENT_READY);
	s->due.at[DUE_READY] = DUE_NEVER;
	atomic_store_explicit(
	    &s->segment.header->run.ready, 1, memory_order_release);
	listeners_urls(&s->listeners, " and ", urls);
	log_info("ready on %s (%u %s)", urls, n, n == 1 ? "worker" : "workers");
	life_log_admin(s);
	life_log_sandbox(s);
	report_ready("pubsubd %s: ready on %s (%u %s)", s->config->name, urls,
	    n, n == 1 ? "worker" : "workers");
	supervisor_notify_ready(s);
	if (s->restart_wanted)
		supervisor_try_program(s, false);
}

void
supervisor_check_ready(struct supervisor *s, uint64_t now)
{
	char error[LISTENERS_ERROR_MAX];

	bool is_late = due_take(&s->due, DUE_READY, now);

	if (s->phase != PHASE_STARTING && s->phase != PHASE_RESUMING)
		return;
	if (life_all_ready(s)) {
		/* Only once: the supervisor does nothing else meanwhile. */
		if (s->phase != PHASE_STARTING ||
		    listeners_answer(&s->listeners, LIFE_ANSWER_MS, error))
			life_tell_ready(s);
		else
			supervisor_fail(s, "%s", error);
	} else if (is_late) {
		supervisor_fail(s, "the workers were not ready after %d s",
		    LIFE_READY_MS / 1000);
	}
}

/* Log the outcome of the drain in one line. */
static void
life_log_drain(const struct supervisor *s)
{
	uint64_t took = clock_monotonic_ms() -
	                atomic_load(&s->segment.header->run.order_ms);
	struct summary sum = summary_of(&s->segment);

	log_info("drained in %llu.%03llu s: %llu connections closed cleanly, "
		 "%llu cut",
	    (unsigned long long)took / 1000, (unsigned long long)took % 1000,
	    (unsigned long long)sum.closed_cleanly,
	    (unsigned long long)sum.cut);
}

/* Give up a ring that kills workers, and serve on with a new one. */
static void
life_renew_ring(struct supervisor *s)
{
	char error[SEGMENT_ERROR_MAX];

	segment_close(&s->segment);
	if (life_create(s, error) &&
	    segment_fill(&s->segment, s->claim, s->config->name, error)) {
		log_info("a new ring, epoch %s", s->segment.header->epoch);
		supervisor_begin_run(s);
		return;
	}
	log_errorx("%s", error);
	s->status = EXIT_STATUS_FAILED;
	s->phase = PHASE_OVER;
}

void
supervisor_conclude(struct supervisor *s)
{
	enum phase ended = s->phase;

	supervisor_bridge_end(s);
	supervisor_event(s, EVENT_RUN_ENDED);
	switch (ended) {
	case PHASE_STOPPING:
		life_log_drain(s);
		return;
	case PHASE_RESTARTING:
		life_log_drain(s);
		supervisor_exec(s);
		supervisor_begin_run(s);
		return;
	case PHASE_RENEWING:
		life_renew_ring(s);
		return;
	default:
		return;
	}
}
