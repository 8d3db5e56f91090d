/* SPDX-License-Identifier: MIT */
/*
 * tls.c - what the workers need for TLS: read it from files, and renew it; see
 * state.h.
 *
 * The workers look at the store at each handshake, so nobody has to be told.
 */

#include "broker/supervisor/state.h"
#include "common/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(SUPERVISOR_WHY_MAX >= TLS_FILES_ERROR_MAX, "a reason fits");

#define TLS_ROTATE_MS (UINT64_C(1000) * TLS_STORE_KEY_S)

/* Read the files into the store, which stays as it is if they are bad. */
static bool
tls_fill(struct supervisor *s, bool at_start, char error[TLS_FILES_ERROR_MAX])
{
	struct tls_files files;

	if (!tls_files_read(&files, s->config, at_start, error))
		return false;
	tls_store_put(s->tls, files.pairs, files.count);
	tls_files_wipe(&files);
	return true;
}

bool
supervisor_open_tls(struct supervisor *s)
{
	/* Where clients were just sent away by a restart, an old certificate is
	 * better than none. */
	bool at_start = s->phase == PHASE_STARTING;
	char error[TLS_FILES_ERROR_MAX];

	if (s->config->tls_count == 0)
		return true;
	s->tls = tls_store_open(supervisor_kept_store(s, HANDOVER_TLS));
	if (s->tls == NULL) {
		snprintf(error, sizeof(error), "no memory for TLS: %s",
		    strerror(errno));
	} else if (tls_fill(s, at_start, error)) {
		supervisor_rotate_tickets(s, clock_monotonic_ms());
		return true;
	}
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	supervisor_close_tls(s);
	return false;
}

void
supervisor_close_tls(struct supervisor *s)
{
	tls_store_close(s->tls);
	s->tls = NULL;
}

void
supervisor_rotate_tickets(struct supervisor *s, uint64_t now)
{
	if (s->tls == NULL)
		return;
	tls_store_rotate(s->tls);
	s->due.at[DUE_TICKETS] = now + TLS_ROTATE_MS;
}

bool
supervisor_prepare_tls(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX])
{
	return s->tls == NULL || tls_files_read(&s->next_tls, next, true, why);
}

void
supervisor_settle_tls(
    struct supervisor *s, const struct config *next, bool in_force)
{
	(void)next;
	if (s->tls == NULL)
		return;
	if (in_force) {
		tls_store_put(s->tls, s->next_tls.pairs, s->next_tls.count);
		supervisor_rotate_tickets(s, clock_monotonic_ms());
		log_info("certificates read anew");
	}
	tls_files_wipe(&s->next_tls);
}
