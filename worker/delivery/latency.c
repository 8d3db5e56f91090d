/* SPDX-License-Identifier: MIT */
/* latency.c - see latency.h. */

#include "worker/delivery/latency.h"

#include "common/clock.h"
#include "common/xmalloc.h"
#include "worker/delivery/hub.h"

#include <stdlib.h>
#include <string.h>

#define LATENCY_MS UINT64_C(1000000) /* nanoseconds */

void
latency_init(struct latency *d, uint32_t records_max)
{
	memset(d, 0, sizeof(*d));
	d->runs = xcalloc(records_max, sizeof(*d->runs));
}

void
latency_fini(struct latency *d)
{
	free(d->runs);
}

/* This worker is so late that the batch's stamp is gone: use the record's own
 * time, which is that of the wall clock. */
static uint64_t
latency_by_wall_clock(struct latency *d, const struct ring_record *rec)
{
	if (d->wall_ahead_ns == 0)
		d->wall_ahead_ns =
		    clock_ns(CLOCK_REALTIME) - clock_monotonic_ns();
	return rec->time_ms * LATENCY_MS - d->wall_ahead_ns;
}

void
latency_add(struct hub *hub, const struct ring_record *rec, uint64_t end)
{
	struct latency *d = hub->latency;
	uint64_t accepted_ns;

	if (stamps_find(hub->seg, &d->stamps, rec->pos, end))
		accepted_ns = d->stamps.ns;
	else
		accepted_ns = latency_by_wall_clock(d, rec);
	if (d->count == 0 || d->runs[d->count - 1].accepted_ns != accepted_ns)
		d->runs[d->count++] =
		    (struct latency_run){ .accepted_ns = accepted_ns };
	d->runs[d->count - 1].count++;
}

void
latency_settle(struct hub *hub)
{
	struct stats_delays *delays = &hub->seg->workers[hub->slot].delays;
	struct latency *d = hub->latency;
	uint64_t now;

	if (d->count == 0)
		return;
	now = clock_monotonic_ns();
	for (uint32_t i = 0; i < d->count; i++) {
		const struct latency_run *run = &d->runs[i];

		/* After the wall clock was set back, a record's time may lie in
		 * the future. */
		stats_delay_add(delays,
		    now > run->accepted_ns ? now - run->accepted_ns : 0,
		    run->count);
	}
	d->count = 0;
	d->wall_ahead_ns = 0;
}
