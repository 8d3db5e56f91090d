/* SPDX-License-Identifier: MIT */
/*
 * bench_window.c - a closed loop: so many messages in flight per room.
 *
 * A room's publisher sends while sent - delivered / members < window.  So the
 * server is always busy and never overwhelmed, and its CPU time per delivery
 * says what a delivery costs when that many come together.
 */

#include "tests/bench/crowd.h"
#include "tests/bench/figures.h"

/* Bytes that all have received. */
static uint64_t
bench_received(const struct crowd *crowd)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < crowd->conns_count; i++)
		bytes += crowd->conns[i].received;
	return bytes;
}

int
bench_window(const struct bench_options *options)
{
	static struct crowd crowd;
	struct procstat server = { .count = 0 };
	uint64_t began, delivered, received, cpu_ns, missing;
	double span;

	crowd_open(&crowd, options);
	bench_find_server(options, &server);
	crowd_run(&crowd, options->warm);
	crowd.is_timed = true;
	procstat_start(&server);
	began = load_now_ns();
	delivered = crowd.delivered;
	received = bench_received(&crowd);
	crowd_run(&crowd, options->seconds);
	span = (double)(load_now_ns() - began) / 1e9;
	delivered = crowd.delivered - delivered;
	received = bench_received(&crowd) - received;
	procstat_update(&server);
	cpu_ns = procstat_cpu_ns(&server);
	crowd.is_timed = false;
	missing = crowd_drain(&crowd);

	figures_begin(options->json, "window");
	figures_add("cpu_us_per_delivery",
	    (double)cpu_ns / 1e3 / (double)(delivered > 0 ? delivered : 1));
	figures_add("bytes_per_delivery",
	    (double)received / (double)(delivered > 0 ? delivered : 1));
	figures_add("deliveries_per_s", (double)delivered / span);
	figures_add("server_cpu_percent", (double)cpu_ns / 1e7 / span);
	figures_add("seconds", span);
	figures_add("deliveries", (double)delivered);
	figures_add_latency("", &crowd.latency);
	return crowd_end(&crowd, missing);
}
