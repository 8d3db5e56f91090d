/* SPDX-License-Identifier: MIT */
/* metrics_cluster.h - the metrics of a server that has a cluster. */

#ifndef BROKER_STATUS_METRICS_CLUSTER_H
#define BROKER_STATUS_METRICS_CLUSTER_H

#include "broker/shared/segment.h"
#include "common/buf.h"

/* Append pubsubd_cluster_..., but for those that workers count (stats.h). */
void metrics_put_cluster(struct buf *buf, const struct segment *seg);

#endif
