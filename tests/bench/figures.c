/* SPDX-License-Identifier: MIT */
/* figures.c - see figures.h. */

#include "tests/bench/figures.h"

#include <stdio.h>

static struct {
	bool json;
} figures;

static const struct {
	const char *name;
	double share;
} quantiles[] = {
	{ "p10", 0.1 },
	{ "p25", 0.25 },
	{ "p50", 0.5 },
	{ "p75", 0.75 },
	{ "p90", 0.9 },
	{ "p95", 0.95 },
	{ "p99", 0.99 },
	{ "p99.5", 0.995 },
	{ "p99.9", 0.999 },
	{ "p99.99", 0.9999 },
	{ "max", 1.0 },
};

void
figures_begin(bool json, const char *mode)
{
	figures.json = json;
	printf(json ? "{\"mode\":\"%s\"" : "mode %s\n", mode);
}

void
figures_end(void)
{
	if (figures.json)
		printf("}\n");
	fflush(stdout);
}

void
figures_add(const char *name, double value)
{
	if (figures.json)
		printf(",\"%s\":%.9g", name, value);
	else
		printf("  %-28s %14.4f\n", name, value);
}

void
figures_add_latency(const char *prefix, const struct histogram *h)
{
	char name[64];

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
		snprintf(
		    name, sizeof(name), "%s%s_us", prefix, quantiles[i].name);
		figures_add(name,
		    (double)histogram_quantile(h, quantiles[i].share) / 1e3);
	}
}
