/* SPDX-License-Identifier: MIT */
/*
 * metrics_text.h - the lines of Prometheus' text format 0.0.4.
 *
 * Names are without "pubsubd_" in front.
 */

#ifndef BROKER_STATUS_METRICS_TEXT_H
#define BROKER_STATUS_METRICS_TEXT_H

#include "broker/shared/stats.h"
#include "common/buf.h"

#include <stddef.h>
#include <stdint.h>

/* The two lines in front of a metric's values.  type: gauge, counter or
 * histogram. */
void metrics_head(
    struct buf *buf, const char *name, const char *type, const char *help);

/* The same with a help text of help_len bytes. */
void metrics_head_of(struct buf *buf, const char *name, const char *type,
    const char *help, size_t help_len);

/* A metric of the whole server, with its one value. */
void metrics_one(struct buf *buf, const char *name, const char *type,
    const char *help, uint64_t value);

/* The same for a time, in seconds as all are. */
void metrics_one_time(
    struct buf *buf, const char *name, const char *help, uint64_t ms);

/* The values of a histogram; a bucket includes those below it.  label: such as
 * worker="0", or "". */
void metrics_delays(struct buf *buf, const char *name, const char *label,
    const struct stats_delays *delays);

#endif
