/* SPDX-License-Identifier: MIT */
/*
 * names.c - see that the files by which others find us keep their names; see
 * state.h.
 *
 * Somebody may remove them while we run: a hand, a cleaner of old files, or
 * systemd-logind, which with RemoveIPC=yes empties /dev/shm of a user's files
 * when the user logs out.
 */

#include "broker/supervisor/state.h"

/* The lock file, without which every command would say that we do not run. */
static void
names_check_lock(struct supervisor *s)
{
	char error[LOCKFILE_ERROR_MAX];

	if (lockfile_is_named(&s->lockfile)) {
		s->lock_lost = false;
		return;
	}
	if (lockfile_renew(&s->lockfile, error))
		log_warnx("the lock file %s was removed: made anew",
		    s->lockfile.path);
	else if (!s->lock_lost)
		log_errorx("the lock file %s was removed, and no command "
			   "finds this server: %s",
		    s->lockfile.path, error);
	s->lock_lost = !lockfile_is_named(&s->lockfile);
}

/* The segment.  Commands find it in our descriptors, but a successor would not
 * find it by its name if we were killed. */
static void
names_check_segment(struct supervisor *s)
{
	const char *name = s->config->name;

	if (segment_is_named(name, s->claim)) {
		s->segment_lost = false;
		return;
	}
	if (segment_put_name_back(name, s->claim))
		log_warnx("shared memory /pubsubd.%s had lost its name, which "
			  "was put back",
		    name);
	else if (!s->segment_lost)
		log_error("shared memory /pubsubd.%s was removed, and cannot "
			  "get its name back; we serve on, but the history is "
			  "lost if this process is killed before a restart",
		    name);
	s->segment_lost = !segment_is_named(name, s->claim);
}

void
supervisor_check_names(struct supervisor *s)
{
	names_check_lock(s);
	names_check_segment(s);
}
