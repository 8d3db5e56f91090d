/* SPDX-License-Identifier: MIT */
/*
 * inherit.c - go on with what the program before us had; see state.h.
 *
 * A restart leaves the lock, the log, the listening sockets and the claim of the
 * segment.  An upgrade leaves the workers as well, who serve on, and all that
 * they share with their supervisor.
 */

#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
supervisor_inherit(struct supervisor *s)
{
	struct handover handover;

	s->claim = -1;
	s->phase = PHASE_STARTING;
	if (!handover_take(&handover))
		return -1;
	s->kept = handover.kept;
	s->phase = s->kept.workers > 0 ? PHASE_SERVING : PHASE_RESUMING;
	s->claim = handover.claim;
	report_no_ready();
	s->listeners = handover.listeners;
	listeners_adopt_files(&s->listeners);
	supervisor_mark_tls_listeners(s);
	s->admin = handover.admin;
	listeners_keep_on_exec(&s->listeners, false);
	listeners_keep_on_exec(&s->admin, false);
	lockfile_adopt(&s->lockfile, s->config->lockfile, handover.lock_fd);
	return handover.log_fd;
}

void
supervisor_adopt_descriptors(struct supervisor *s)
{
	const struct handover_kept *kept = &s->kept;

	s->state_fd = kept->state_fd;
	memcpy(s->life, kept->life, sizeof(s->life));
	wakeup_adopt(&s->wakeup, &s->segment, kept->doorbell, kept->workers);
	if (kept->bridge != -1)
		s->wakeup.fd[s->wakeup.count++] = kept->bridge;
}

void
supervisor_open_page(struct supervisor *s)
{
	s->page_fd = s->kept.workers > 0 ? s->kept.page : -1;
	s->page = s->page_fd != -1 ? upgrade_page_map(s->page_fd, true) : NULL;
	if (s->page == NULL) {
		if (s->page_fd != -1)
			close(s->page_fd);
		s->page = upgrade_page_open(&s->page_fd);
	}
	if (s->page != NULL)
		madvise(s->page, UPGRADE_PAGE_SIZE, MADV_DONTFORK);
}

/* The worker of a slot, as the table has it. */
static void
inherit_worker(struct supervisor *s, unsigned slot, uint64_t now)
{
	struct layout_worker *worker = &s->segment.workers[slot];
	struct supervisor_child *child = &s->child[slot];

	child->asks = s->kept.successor[slot];
	child->renewed = child->claims = supervisor_has_moved(s);
	child->pid = atomic_load(&worker->pid);
	child->started_ms = atomic_load(&worker->started_ms);
	if (child->pid != 0)
		s->alive++;
	else
		s->due.at[DUE_FORK + slot] = now;
}

void
supervisor_adopt_workers(struct supervisor *s)
{
	struct layout_header *header = s->segment.header;
	uint64_t now = clock_monotonic_ms();

	for (unsigned i = 0; i < HANDOVER_STORES; i++)
		if (s->kept.store[i] != -1)
			close(s->kept.store[i]); /* they are mapped */

	s->due.at[DUE_LOOK] = now + WATCHDOG_LOOK_MS;
	watchdog_init(&s->watchdog);
	for (unsigned slot = 0; slot < s->config->workers; slot++)
		inherit_worker(s, slot, now);
	supervisor_bridge_begin(s, now);
	supervisor_sign_header(s);
	atomic_store(&header->run.options, live_version(s->live));
	atomic_store(&header->run.drain_ms, s->config->drain_ms);
}
