/* SPDX-License-Identifier: MIT */
/*
 * manager.c - the sockets that a service manager (systemd) gives to the server,
 * by activation.h, and what it is told, by notify.h; see state.h.
 *
 *	READY=1 MAINPID= STATUS=	every worker serves
 *	RELOADING=1 MONOTONIC_USEC=	a reload or a restart has begun; READY=1
 *					follows when it is over, whatever came of it
 *	STOPPING=1			draining
 *	WATCHDOG=1			every worker's loop has turned since the last
 *					look
 */

#include "broker/host/activation.h"
#include "broker/host/notify.h"
#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <unistd.h>

bool
supervisor_take_passed_sockets(struct supervisor *s)
{
	unsigned count = activation_count();
	char error[LISTENERS_ERROR_MAX];

	if (count == 0)
		return true;
	if (!activation_take(
		&s->listeners, &s->admin, s->config->workers, error)) {
		supervisor_report(s, EXIT_STATUS_FAILED, error);
		return false;
	}
	if (supervisor_has_passed_sockets(s))
		supervisor_mark_tls_listeners(s);
	log_info("the service manager has passed %u listening %s", count,
	    count == 1 ? "socket" : "sockets");
	return true;
}

bool
supervisor_has_passed_sockets(const struct supervisor *s)
{
	return s->listeners.count > 0 &&
	       activation_is_passed(s->listeners.fd[0][0]);
}

void
supervisor_notify_ready(const struct supervisor *s)
{
	unsigned n = s->config->workers;
	char urls[LISTENERS_URLS_MAX];

	if (notify_watchdog_ms() != 0 &&
	    notify_watchdog_ms() < 2 * WATCHDOG_LOOK_MS)
		log_warnx("WatchdogSec= is too short: the workers are looked "
			  "at every %d s",
		    WATCHDOG_LOOK_MS / 1000);
	listeners_urls(&s->listeners, " and ", urls);
	notify_send("READY=1\nMAINPID=%d\nSTATUS=ready on %s (%u %s)", getpid(),
	    urls, n, n == 1 ? "worker" : "workers");
}

void
supervisor_notify_changing(const char *what)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=%s",
	    (unsigned long long)clock_monotonic_ns() / 1000, what);
}

void
supervisor_notify_stopping(void)
{
	notify_send("STOPPING=1\nSTATUS=draining");
}

/* Whether the loop of each worker that there ought to be has turned since the
 * last look.  In a drain, those that have left are missed by nobody. */
static bool
manager_all_beat(const struct supervisor *s)
{
	for (unsigned slot = 0; slot < s->config->workers; slot++) {
		if (s->child[slot].pid == 0 && phase_serves(s->phase))
			return false;
		if (s->child[slot].pid != 0 && s->watchdog.still[slot] > 0)
			return false;
	}
	return true;
}

void
supervisor_notify_beat(const struct supervisor *s)
{
	if (notify_watchdog_ms() != 0 && manager_all_beat(s))
		notify_send("WATCHDOG=1");
}
