/* SPDX-License-Identifier: MIT */
/* overview_cluster.c - see overview_cluster.h. */

#include "broker/status/overview_cluster.h"

#include "broker/ring/ring.h"
#include "broker/ring/ring_cluster.h"

#include <inttypes.h>

bool
overview_has_cluster(const struct segment *seg)
{
	return atomic_load(&seg->header->cluster.heard_ms) != 0;
}

struct overview_cluster
overview_cluster(const struct segment *seg)
{
	const struct layout_cluster *c = &seg->header->cluster;
	/* In this order, so that no difference is below zero. */
	uint64_t confirmed = atomic_load(&c->confirmed);
	uint64_t outbox_bytes = ring_outbox_bytes(seg);

	return (struct overview_cluster){
		.is_connected = atomic_load(&c->counters[CLUSTER_CONNECTED]),
		.hosts = atomic_load(&c->counters[CLUSTER_HOSTS]),
		.pos = atomic_load(&c->pos) >> LAYOUT_PLACE_BITS,
		.lag = atomic_load(&c->counters[CLUSTER_LAG]),
		.unconfirmed = atomic_load(&c->out) - confirmed,
		.outbox_bytes = outbox_bytes,
	};
}

void
overview_cluster_text(struct buf *buf, const struct segment *seg)
{
	struct overview_cluster c = overview_cluster(seg);

	buf_printf(buf,
	    "%s, %" PRIu64 " host%s, at message %" PRIu64 ", %" PRIu64
	    " behind, %" PRIu64 " unconfirmed",
	    c.is_connected ? "connected" : "NOT CONNECTED", c.hosts,
	    c.hosts == 1 ? "" : "s", c.pos, c.lag, c.unconfirmed);
}

void
overview_cluster_json(struct buf *buf, const struct segment *seg)
{
	struct overview_cluster c = overview_cluster(seg);

	buf_printf(buf,
	    "{\"connected\":%s,\"hosts\":%" PRIu64 ",\"pos\":%" PRIu64
	    ",\"lag\":%" PRIu64 ",\"unconfirmed\":%" PRIu64
	    ",\"outbox_bytes\":%" PRIu64 "}",
	    c.is_connected ? "true" : "false", c.hosts, c.pos, c.lag,
	    c.unconfirmed, c.outbox_bytes);
}
