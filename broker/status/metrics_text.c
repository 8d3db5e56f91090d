/* SPDX-License-Identifier: MIT */
/* metrics_text.c - see metrics_text.h. */

#include "broker/status/metrics_text.h"

#include <inttypes.h>
#include <string.h>

void
metrics_head_of(struct buf *buf, const char *name, const char *type,
    const char *help, size_t help_len)
{
	buf_printf(buf, "# HELP pubsubd_%s %.*s\n# TYPE pubsubd_%s %s\n", name,
	    (int)help_len, help, name, type);
}

void
metrics_head(
    struct buf *buf, const char *name, const char *type, const char *help)
{
	metrics_head_of(buf, name, type, help, strlen(help));
}

void
metrics_one(struct buf *buf, const char *name, const char *type,
    const char *help, uint64_t value)
{
	metrics_head(buf, name, type, help);
	buf_printf(buf, "pubsubd_%s %" PRIu64 "\n", name, value);
}

void
metrics_one_time(
    struct buf *buf, const char *name, const char *help, uint64_t ms)
{
	metrics_head(buf, name, "gauge", help);
	buf_printf(buf, "pubsubd_%s %" PRIu64 ".%03u\n", name, ms / 1000,
	    (unsigned)(ms % 1000));
}

void
metrics_delays(struct buf *buf, const char *name, const char *label,
    const struct stats_delays *delays)
{
	const char *comma = label[0] != '\0' ? "," : "";
	const char *open = label[0] != '\0' ? "{" : "";
	const char *close = label[0] != '\0' ? "}" : "";
	uint64_t sum_ns = stats_get_word(&delays->sum_ns);
	uint64_t count = 0;

	for (int i = 0; i < STATS_DELAY_BOUNDS; i++) {
		count += stats_get_word(&delays->count[i]);
		buf_printf(buf,
		    "pubsubd_%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name,
		    label, comma, (double)stats_delay_bounds_ns[i] / 1e9,
		    count);
	}
	count += stats_get_word(&delays->count[STATS_DELAY_BOUNDS]);
	buf_printf(buf, "pubsubd_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n",
	    name, label, comma, count);
	buf_printf(buf, "pubsubd_%s_sum%s%s%s %" PRIu64 ".%09u\n", name, open,
	    label, close, sum_ns / 1000000000, (unsigned)(sum_ns % 1000000000));
	buf_printf(buf, "pubsubd_%s_count%s%s%s %" PRIu64 "\n", name, open,
	    label, close, count);
}
