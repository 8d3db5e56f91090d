/* SPDX-License-Identifier: MIT */
/*
 * bridge.c - the bridge to the other hosts of a cluster: started, watched and
 * started again as a worker is, but another program (broker/bridge/); see
 * state.h.
 *
 * It keeps nothing that is not in the ring or in the log, so it is ended by
 * SIGKILL, and its successor goes on.
 */

#include "broker/cluster/bridge_args.h"
#include "broker/cluster/hosts.h"
#include "broker/host/process.h"
#include "broker/ring/ring_cluster.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* One that lived this long has served. */
#define BRIDGE_HEALTHY_MS 3000

bool
supervisor_has_bridge(const struct supervisor *s)
{
	return s->config->cluster_count > 0;
}

void
supervisor_bridge_begin(struct supervisor *s, uint64_t now)
{
	s->bridge = (struct supervisor_bridge){ .pid = 0 };
	if (!supervisor_has_bridge(s)) {
		atomic_store(&s->segment.header->cluster.heard_ms, 0);
		return;
	}
	/* Clients wait for it to find the log, from now on. */
	hosts_heard_log(&s->segment.header->cluster, now);
	s->due.at[DUE_BRIDGE] = now;
}

void
supervisor_bridge_due(struct supervisor *s, uint64_t now)
{
	if (!due_take(&s->due, DUE_BRIDGE, now) || !phase_serves(s->phase) ||
	    s->bridge.pid != 0)
		return;
	s->bridge.started_ms = now;
	s->bridge.pid = fork();
	if (s->bridge.pid == 0)
		supervisor_become_bridge(s);
	if (s->bridge.pid != -1)
		return;
	log_warn("cannot fork the bridge");
	s->bridge.pid = 0;
	s->due.at[DUE_BRIDGE] = now + backoff_ms(++s->bridge.deaths + 1);
}

/* Whether it has left because this ring cannot go on with the log.  A start is told
 * of first, or it would have failed, and the ring be removed: the next bridge comes
 * to the same. */
static bool
bridge_gives_up(const struct supervisor *s, int wait_status)
{
	return WIFEXITED(wait_status) &&
	       WEXITSTATUS(wait_status) == BRIDGE_RENEW &&
	       s->phase != PHASE_STARTING;
}

/* It has ended, and another follows, unless this ring cannot go on. */
static void
bridge_ended(struct supervisor *s, int wait_status, uint64_t now)
{
	char end[PROCESS_END_MAX];

	if (!phase_serves(s->phase))
		return;
	if (bridge_gives_up(s, wait_status)) {
		log_errorx("all stop, and start with a new ring");
		if (supervisor_event(s, EVENT_RING_BROKEN)) {
			s->bridge.gave_up = true;
			return;
		}
	}
	log_warnx("the bridge to the cluster %s",
	    process_describe_end(wait_status, end));
	if (now - s->bridge.started_ms >= BRIDGE_HEALTHY_MS)
		s->bridge.deaths = 0;
	s->due.at[DUE_BRIDGE] = now + backoff_ms(++s->bridge.deaths);
}

/* What holds only while there is one, as the gauges of workers. */
static void
bridge_reset_gauges(struct supervisor *s)
{
	_Atomic uint64_t *counters = s->segment.header->cluster.counters;

	atomic_store(&counters[CLUSTER_CONNECTED], 0);
	atomic_store(&counters[CLUSTER_HOSTS], 0);
}

bool
supervisor_bridge_reaped(
    struct supervisor *s, pid_t pid, int wait_status, uint64_t now)
{
	if (pid != s->bridge.pid || pid == 0)
		return false;
	s->bridge.pid = 0;
	bridge_reset_gauges(s);
	watchdog_bury(&s->watchdog, &s->segment, ring_bridge_slot(&s->segment));
	bridge_ended(s, wait_status, now);
	/* It may have died between its commit and the doorbells. */
	wakeup_ring_all(&s->wakeup);
	return true;
}

void
supervisor_bridge_judge(struct supervisor *s, enum watchdog_verdict verdict)
{
	if (s->bridge.pid == 0 || verdict != WATCHDOG_HOLDS)
		return;
	log_errorx("the bridge does not let go of the ring's lock: killed");
	kill(s->bridge.pid, SIGKILL);
}

void
supervisor_bridge_end(struct supervisor *s)
{
	s->due.at[DUE_BRIDGE] = DUE_NEVER;
	if (s->bridge.pid == 0)
		return;
	kill(s->bridge.pid, SIGKILL);
	while (waitpid(s->bridge.pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	s->bridge.pid = 0;
	bridge_reset_gauges(s);
}
