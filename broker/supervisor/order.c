/* SPDX-License-Identifier: MIT */
/* order.c - change the phase, give the workers the order that goes with it, and
 * say why a start comes to nothing; see state.h. */

#include "broker/shared/stats.h"
#include "broker/shared/stop_point.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>

/* The time that workers get beyond --drain, and after an order to quit, before
 * they are killed. */
#define ORDER_GRACE_MS 500

/* The connections of all workers. */
static uint32_t
order_connections(const struct segment *seg)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < segment_workers(seg); i++)
		sum += stats_get(seg->workers[i].counters, STATS_CONNECTIONS);
	return (uint32_t)sum;
}

static void
order_give(struct supervisor *s, enum run_order order)
{
	struct layout_header *header = s->segment.header;
	uint64_t now = clock_monotonic_ms();

	s->due.at[DUE_KILL] = now + ORDER_GRACE_MS;
	if (order != RUN_QUIT)
		s->due.at[DUE_KILL] += s->config->drain_ms;
	if (order == RUN_DRAIN_RESTART)
		header->run.leaving = order_connections(&s->segment);
	if (atomic_load(&header->run.order) == RUN_SERVE)
		atomic_store(&header->run.order_ms, now);
	/* order-1: first the order, then the doorbells */
	atomic_store_explicit(
	    &header->run.order, (uint32_t)order, memory_order_release);
	stop_point_here(header, STOP_ORDERED);
	/* order-2: workers that sleep look at it now */
	wakeup_ring_all(&s->wakeup);
}

bool
supervisor_event(struct supervisor *s, enum event event)
{
	struct phase_step step = phase_step(s->phase, event);

	if (!step.is_one)
		return false;
	s->phase = step.next;
	/* Nobody will accept after these workers: once they have closed their
	 * sockets, newcomers are refused instead of waiting for nothing. */
	if (s->phase == PHASE_STOPPING)
		listeners_close(&s->listeners);
	if (!phase_serves(s->phase)) {
		s->due.at[DUE_READY] = DUE_NEVER;
		for (unsigned slot = 0; slot < CONFIG_WORKERS_MAX; slot++)
			s->due.at[DUE_FORK + slot] = DUE_NEVER;
	}
	if (step.orders)
		order_give(s, step.order);
	return true;
}

void
supervisor_report(
    struct supervisor *s, enum exit_status status, const char *why)
{
	/* Standard error, if that is the log, gets it by the report. */
	if (s->logfile.path != NULL)
		log_errorx("%s", why);
	s->status = report_failure(status, "%s", why);
}

void
supervisor_fail(struct supervisor *s, const char *fmt, ...)
{
	char why[SEGMENT_ERROR_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	supervisor_report(s, EXIT_STATUS_FAILED, why);
	supervisor_event(s, EVENT_UNREADY);
}
