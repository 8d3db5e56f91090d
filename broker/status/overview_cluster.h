/* SPDX-License-Identifier: MIT */
/*
 * overview_cluster.h - what can be told of a server's cluster; for whoever has
 * mapped the segment, read-only or not.
 */

#ifndef BROKER_STATUS_OVERVIEW_CLUSTER_H
#define BROKER_STATUS_OVERVIEW_CLUSTER_H

#include "broker/shared/segment.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct overview_cluster {
	bool is_connected;
	uint64_t hosts; /* heard of in the last seconds, this one too */
	uint64_t pos;   /* message of the log, up to which it is here */
	uint64_t lag;   /* messages of the log that are not here yet */
	uint64_t
	    unconfirmed; /* accepted here, and not confirmed: layout_cluster.h */
	uint64_t outbox_bytes; /* of the ring, from the oldest of these on */
};

/* Whether the server has a cluster.  Without one nothing else here counts. */
bool overview_has_cluster(const struct segment *seg);

/* A moment's values. */
struct overview_cluster overview_cluster(const struct segment *seg);

/* Append it in words, without a newline. */
void overview_cluster_text(struct buf *buf, const struct segment *seg);

/* Append it as a JSON object. */
void overview_cluster_json(struct buf *buf, const struct segment *seg);

#endif
