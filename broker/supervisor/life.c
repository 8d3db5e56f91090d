/* SPDX-License-Identifier: MIT */
/* life.c - the course of a run: begin, get ready, come to an end,
 * and what then; see state.h. */

#include "broker/ring/store.h"
#include "broker/status/overview.h"
#include "broker/status/summary.h"
#include "broker/supervisor/state.h"
#include "common/address.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/ip.h"

#include <stdio.h>
#include <string.h>

/* How long the workers of a start may take until all are ready. */
#define LIFE_READY_MS 30000

/* How long an address may take to answer when they are. */
#define LIFE_ANSWER_MS 2000

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

	if (supervisor_renew_segment(s, error)) {
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
