/* SPDX-License-Identifier: MIT */
/*
 * metrics.h - the overview as Prometheus reads it: its text format 0.0.4.
 *
 * All that the workers count comes from the one list in stats.h, as
 * pubsubd_METRIC{worker="0"}, counters with _total; what is of the server as a
 * whole is written here.
 */

#ifndef BROKER_STATUS_METRICS_H
#define BROKER_STATUS_METRICS_H

#include "broker/shared/segment.h"
#include "common/buf.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Append all metrics. */
void metrics_put(
    struct buf *buf, const struct segment *seg, const char *instance);

#endif
