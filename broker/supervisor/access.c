/* SPDX-License-Identifier: MIT */
/* access.c - who may what: read it from options and files, and hand it to the
 * workers; see state.h. */

#include "broker/host/access_files.h"
#include "broker/supervisor/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(SUPERVISOR_WHY_MAX >= ACCESS_FILES_ERROR_MAX, "a reason fits");

bool
supervisor_open_access(struct supervisor *s)
{
	char error[ACCESS_FILES_ERROR_MAX];
	struct access_texts texts;

	s->access =
	    access_store_open(supervisor_kept_store(s, HANDOVER_ACCESS));
	if (s->access == NULL) {
		snprintf(error, sizeof(error), "no memory for grants: %s",
		    strerror(errno));
	} else if (access_files_read(&texts, s->config, error)) {
		access_store_put(s->access, &texts);
		access_texts_wipe(&texts);
		return true;
	}
	supervisor_report(s, EXIT_STATUS_FAILED, error);
	supervisor_close_access(s);
	return false;
}

void
supervisor_close_access(struct supervisor *s)
{
	access_store_close(s->access);
	s->access = NULL;
}

bool
supervisor_prepare_access(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX])
{
	return access_files_read(&s->next_access, next, why);
}

void
supervisor_settle_access(
    struct supervisor *s, const struct config *next, bool in_force)
{
	if (in_force) {
		access_store_put(s->access, &s->next_access);
		if (next->jwt_key_count > 0 || next->api_keys != NULL)
			log_info("keys read anew");
	}
	access_texts_wipe(&s->next_access);
}
