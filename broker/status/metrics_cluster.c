/* SPDX-License-Identifier: MIT */
/* metrics_cluster.c - see metrics_cluster.h. */

#include "broker/status/metrics_cluster.h"

#include "broker/status/metrics_text.h"
#include "broker/status/overview_cluster.h"

#include <inttypes.h>

/* What the bridge counts, but for gauges, which overview_cluster() has, and
 * batches. */
static const struct {
	const char *name, *help;
	enum layout_cluster_counter counter;
} cluster_counters[] = {
	{ "cluster_goback_total",
	    "times that what had not come back of the log was sent again",
	    CLUSTER_GO_BACKS },
	{ "cluster_reconnects_total",
	    "times the connection to a server of the log was made anew",
	    CLUSTER_RECONNECTS },
	{ "cluster_divergence_total",
	    "times another host had another log, and this ring was given up",
	    CLUSTER_DIVERGED },
	{ "cluster_dropped_total",
	    "messages of the log without a place here: topic directory full, "
	    "or longer than --max-message",
	    CLUSTER_DROPPED },
};

static const struct {
	const char *result;
	enum layout_cluster_counter counter;
} cluster_batches[] = {
	{ "sent", CLUSTER_SENT },
	{ "accepted", CLUSTER_ACCEPTED },
	{ "double", CLUSTER_DOUBLE },
	{ "hole", CLUSTER_HOLE },
};

static uint64_t
cluster_count(const struct segment *seg, enum layout_cluster_counter which)
{
	return stats_get_word(&seg->header->cluster.counters[which]);
}

static void
cluster_put_gauges(struct buf *buf, const struct segment *seg)
{
	struct overview_cluster c = overview_cluster(seg);

	metrics_one(buf, "cluster_connected", "gauge",
	    "1: connected to a server of the log", c.is_connected);
	metrics_one(buf, "cluster_hosts", "gauge",
	    "hosts heard of in the last seconds, this one too", c.hosts);
	metrics_one(buf, "cluster_pos", "gauge",
	    "message of the log up to which it is in this ring", c.pos);
	metrics_one(buf, "cluster_lag_messages", "gauge",
	    "messages of the log that are not in this ring yet", c.lag);
	metrics_one(buf, "cluster_unconfirmed", "gauge",
	    "messages accepted here that have not come back from the log, or "
	    "that no other host has said it has",
	    c.unconfirmed);
	metrics_one(buf, "cluster_outbox_bytes", "gauge",
	    "bytes of the ring from the oldest of these on", c.outbox_bytes);
}

static void
cluster_put_batches(struct buf *buf, const struct segment *seg)
{
	metrics_head(buf, "cluster_batches_total", "counter",
	    "batches of messages: sent to the log by this host; of all hosts, "
	    "accepted from it, come twice, or come without the one before");
	for (size_t i = 0;
	     i < sizeof(cluster_batches) / sizeof(cluster_batches[0]); i++)
		buf_printf(buf,
		    "pubsubd_cluster_batches_total{result=\"%s\"} %" PRIu64
		    "\n",
		    cluster_batches[i].result,
		    cluster_count(seg, cluster_batches[i].counter));
}

void
metrics_put_cluster(struct buf *buf, const struct segment *seg)
{
	cluster_put_gauges(buf, seg);
	cluster_put_batches(buf, seg);
	for (size_t i = 0;
	     i < sizeof(cluster_counters) / sizeof(cluster_counters[0]); i++)
		metrics_one(buf, cluster_counters[i].name, "counter",
		    cluster_counters[i].help,
		    cluster_count(seg, cluster_counters[i].counter));
	metrics_head(buf, "cluster_accept_to_ring_seconds", "histogram",
	    "time from accepting a message to its being in this ring, by way "
	    "of the log");
	metrics_delays(buf, "cluster_accept_to_ring_seconds", "",
	    &seg->header->cluster.accept_to_ring);
}
