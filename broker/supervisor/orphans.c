/* SPDX-License-Identifier: MIT */
/* orphans.c - wait for the workers of a killed server; see state.h. */

#include "broker/supervisor/state.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What `start' waits for the workers of a killed server beyond their drain, and
 * again for the end of those that it then kills. */
#define ORPHANS_GRACE_MS 2000

/* Wait for the workers of a killed server; not when told to stop.  Returns
 * whether they are gone. */
static bool
orphans_await(struct supervisor *s, uint64_t patience, bool *told)
{
	sigset_t stops, pending;
	bool gone;
	int fd;

	*told = false;
	if (lockfile_wait_workers(&s->lockfile, -1, 0))
		return true;
	log_info("waiting for the workers of a killed server");
	logfile_carry(&s->logfile); /* the loop, which does it, is far away */
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	fd = signalfd(-1, &stops, SFD_NONBLOCK | SFD_CLOEXEC);
	gone = lockfile_wait_workers(&s->lockfile, fd, patience);
	if (fd != -1)
		close(fd);
	sigpending(&pending);
	*told = sigismember(&pending, SIGTERM) == 1 ||
	        sigismember(&pending, SIGINT) == 1;
	return gone;
}

/* How long the workers of a killed server may take: their drain, if that can be
 * known, or ours if it is longer. */
static uint64_t
orphans_drain_ms(const struct supervisor *s)
{
	uint64_t drain_ms = s->config->drain_ms, theirs;
	char error[SEGMENT_ERROR_MAX];
	struct segment seg;

	if (segment_attach(&seg, s->config->name, false, error) != SEGMENT_OK)
		return drain_ms;
	theirs = atomic_load(&seg.header->run.drain_ms);
	segment_close(&seg);
	/* They could write there anything. */
	return theirs > drain_ms && theirs <= CONFIG_DRAIN_MAX_MS ? theirs
	                                                          : drain_ms;
}

bool
supervisor_wait_orphans(struct supervisor *s)
{
	uint64_t patience = orphans_drain_ms(s) + ORPHANS_GRACE_MS;
	char error[LOCKFILE_ERROR_MAX];
	bool told;

	if (orphans_await(s, patience, &told))
		return true;
	if (told) {
		supervisor_report(s, EXIT_STATUS_FAILED, SUPERVISOR_TOLD_EARLY);
		return false;
	}
	snprintf(error, sizeof(error),
	    "workers of a killed server are still there after %g s",
	    (double)patience / 1000);
	if (s->config->watchdog) {
		log_errorx("%s: killed", error);
		if (lockfile_kill_workers(&s->lockfile, ORPHANS_GRACE_MS))
			return true;
	}
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	return false;
}
