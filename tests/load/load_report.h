/* SPDX-License-Identifier: MIT */
/* load_report.h - sum up what the processes counted, and say it. */

#ifndef LOAD_LOAD_REPORT_H
#define LOAD_LOAD_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/load/histogram.h"
#include "tests/load/load.h"
#include "tests/load/procstat.h"

/* The counters of all processes together, see struct load_process. */
struct load_sum {
	uint64_t ready;
	uint64_t failed;
	uint64_t broken;
	uint64_t broken_owed; /* deliveries that broken connections missed */
	uint64_t done;        /* processes */
	uint64_t sent;
	uint64_t unsent;
	uint64_t expected;
	uint64_t delivered;
	uint64_t doubled;
	uint64_t disordered;
	uint64_t strange;
	uint64_t late_ns;
	uint64_t last_ns;
	const char *why; /* or NULL; borrowed from the shared memory */
	struct histogram latency;
};

/* Add up.  sum is overwritten. */
void load_sum_up(struct load_sum *sum, struct load_shared *shared);

/* Deliveries that did not come (yet), to connections that are whole. */
uint64_t load_sum_lost(const struct load_sum *sum);

/* Nothing lost, doubled, out of order or strange; no connection broken. */
bool load_sum_is_clean(const struct load_sum *sum);

/* One line of progress, so many seconds after the start, from the sums now and
 * when the last line was printed, a step before. */
void load_report_progress(FILE *f, const struct load_sum *sum,
    const struct load_sum *before, double seconds, double step);

/* All there is to say, in the end. */
struct load_result {
	const struct load_options *options;
	const struct load_sum *sum;
	const struct procstat *server;
	unsigned processes;
	double seconds;        /* from the start to the last delivery */
	double server_seconds; /* between the looks at the server */
	bool is_interrupted;
};

void load_report_text(FILE *f, const struct load_result *result);
void load_report_json(FILE *f, const struct load_result *result);

#endif
