/* SPDX-License-Identifier: MIT */
/* format.c - see format.h. */

#include "broker/cli/format.h"

#include <stddef.h>
#include <stdio.h>

const char *
format_uptime(uint64_t ms, char out[FORMAT_MAX])
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 },
		{ "s", 1 } };
	uint64_t s = ms / 1000;
	size_t i = 0;

	while (i < 3 && s < units[i].seconds)
		i++;
	if (i == 3)
		snprintf(out, FORMAT_MAX, "%llu s", (unsigned long long)s);
	else
		snprintf(out, FORMAT_MAX, "%llu %s %llu %s",
		    (unsigned long long)(s / units[i].seconds), units[i].name,
		    (unsigned long long)(s % units[i].seconds /
					 units[i + 1].seconds),
		    units[i + 1].name);
	return out;
}

/* Whole numbers up to 99999 as they are; the last unit as often as need be. */
static const char *
format_scaled(
    double value, double step, const char *const units[4], char out[FORMAT_MAX])
{
	const char *unit = "";

	for (int i = 0; i < 4 && value >= (i == 0 ? 99999.5 : step); i++) {
		value /= step;
		unit = units[i];
	}
	if (value < 9.95 && (unit[0] != '\0' || value != (double)(int)value))
		snprintf(out, FORMAT_MAX, "%.1f%s", value, unit);
	else if (value < 99.95 && unit[0] != '\0')
		snprintf(out, FORMAT_MAX, "%.1f%s", value, unit);
	else
		snprintf(out, FORMAT_MAX, "%.0f%s", value, unit);
	return out;
}

const char *
format_number(double number, char out[FORMAT_MAX])
{
	static const char *const units[4] = { "k", "M", "G", "T" };

	return format_scaled(number, 1000, units, out);
}

const char *
format_bytes(double bytes, char out[FORMAT_MAX])
{
	static const char *const units[4] = { "K", "M", "G", "T" };

	return format_scaled(bytes, 1024, units, out);
}

const char *
format_duration(uint64_t ns, char out[FORMAT_MAX])
{
	if (ns < 1000000)
		snprintf(out, FORMAT_MAX, "%g us", (double)ns / 1e3);
	else if (ns < 1000000000)
		snprintf(out, FORMAT_MAX, "%g ms", (double)ns / 1e6);
	else
		snprintf(out, FORMAT_MAX, "%g s", (double)ns / 1e9);
	return out;
}
