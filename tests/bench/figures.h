/* SPDX-License-Identifier: MIT */
/* figures.h - named numbers, printed for people or as one JSON object. */

#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/load/histogram.h"

/* Begin and end what is printed to stdout. */
void figures_begin(bool json, const char *mode);
void figures_end(void);

/* One number.  name is as in JSON, with its unit at the end: cpu_us. */
void figures_add(const char *name, double value);

/* Quantiles and maximum of latencies, in microseconds.  prefix: of the names. */
void figures_add_latency(const char *prefix, const struct histogram *h);

#endif
