/* SPDX-License-Identifier: MIT */
/*
 * bench_connect.c - a storm of newcomers: connect, shake hands, subscribe.
 *
 * Up to a hundred are under way at once.  What the server does when they all
 * leave again is not counted.
 */

#include "tests/bench/crowd.h"
#include "tests/bench/figures.h"

int
bench_connect(const struct bench_options *options)
{
	static struct crowd crowd;
	struct bench_options o = *options;
	struct procstat server = { .count = 0 };
	uint64_t began, cpu_ns;
	double span;

	o.rooms = o.clients / o.members;
	if (o.rooms == 0) {
		o.rooms = 1;
		o.members = o.clients;
	}
	bench_find_server(options, &server);
	procstat_start(&server);
	began = load_now_ns();
	crowd_open(&crowd, &o);
	span = (double)(load_now_ns() - began) / 1e9;
	procstat_update(&server);
	cpu_ns = procstat_cpu_ns(&server);

	figures_begin(options->json, "connect");
	figures_add("cpu_us_per_connection",
	    (double)cpu_ns / 1e3 / (double)crowd.conns_count);
	figures_add("connections_per_s", (double)crowd.conns_count / span);
	figures_add("connections", (double)crowd.conns_count);
	figures_end();
	crowd_close(&crowd);
	return 0;
}
