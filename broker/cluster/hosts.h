/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - which hosts of the cluster live, so far as the log says.
 *
 * Each puts a checkpoint into the log twice a second.  A host lives if it was
 * heard of in the last seconds of those in which anything was heard: while the log
 * is away, those that lived before it went are still the hosts of the cluster.
 */

#ifndef BROKER_CLUSTER_HOSTS_H
#define BROKER_CLUSTER_HOSTS_H

#include "broker/shared/layout_cluster.h"

#include <stdbool.h>
#include <stdint.h>

/* Without a checkpoint for so long a host is gone, milliseconds. */
#define HOSTS_GONE_MS 3000u

/* A host was heard of, now.  Callers: the bridge. */
void hosts_note(struct layout_cluster *c, uint64_t origin, uint64_t now_ms);

/* The log is heard, now: time in which nothing was heard counts for no host.
 * Callers: the bridge. */
void hosts_heard_log(struct layout_cluster *c, uint64_t now_ms);

/* The other hosts that live.  Anybody.  Returns how many. */
uint32_t hosts_others(
    const struct layout_cluster *c, uint64_t origins[LAYOUT_ORIGINS]);

#endif
