/* SPDX-License-Identifier: MIT */
/*
 * reload.c - change options while serving; see state.h.
 *
 * First everything is read and checked: the options as a whole, then what each
 * part that has something to open makes of them.  Only then anything is
 * changed, and from there on nothing can fail.  The workers get the options by
 * live.h and a doorbell.
 */

#include "broker/supervisor/state.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Something that a reload has to get ready.  The parts are asked in the order
 * of reload_parts. */
struct reload_part {
	/* Get ready for the next options; changes nothing.  Returns false, with
	 * why and with nothing left to drop, if they cannot be had. */
	bool (*prepare)(struct supervisor *s, const struct config *next,
	    char why[SUPERVISOR_WHY_MAX]);
	/* The next options are in force from now on; or they are not, and what
	 * was prepared is dropped.  Cannot fail. */
	void (*settle)(
	    struct supervisor *s, const struct config *next, bool in_force);
};

static bool
reload_prepare_workers(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX])
{
	(void)s;
	if (live_has_room(next))
		return true;
	snprintf(why, SUPERVISOR_WHY_MAX,
	    "the names of --allow-origin and --allow-host have more than %u "
	    "bytes together: that needs a restart",
	    LIVE_NAMES_MAX);
	return false;
}

static void
reload_settle_workers(
    struct supervisor *s, const struct config *next, bool in_force)
{
	struct layout_header *header = s->segment.header;

	if (!in_force)
		return;
	live_put(s->live, next);
	atomic_store(&header->run.options, live_version(s->live));
	atomic_store(&header->run.drain_ms, next->drain_ms);
	wakeup_ring_all(&s->wakeup);
}

static bool
reload_prepare_log(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX])
{
	const char *path = s->logfile.path;

	s->next_log = -1;
	if ((path == NULL) != (next->log_path == NULL)) {
		snprintf(why, SUPERVISOR_WHY_MAX,
		    "--log: from standard error to a file, or back, needs a "
		    "restart");
		return false;
	}
	if (path == NULL || strcmp(path, next->log_path) == 0)
		return true;
	s->next_log = logfile_open_other(next->log_path, why);
	return s->next_log != -1;
}

static void
reload_settle_log(
    struct supervisor *s, const struct config *next, bool in_force)
{
	if (in_force) {
		logfile_go_on_with(&s->logfile, next->log_path, s->next_log);
		log_set_level(next->log_level);
	} else if (s->next_log != -1) {
		close(s->next_log);
	}
}

static const struct reload_part reload_parts[] = {
	{ reload_prepare_log, reload_settle_log },
	{ supervisor_prepare_tls, supervisor_settle_tls },
	{ supervisor_prepare_access, supervisor_settle_access },
	{ reload_prepare_workers, reload_settle_workers },
};

#define RELOAD_PARTS (sizeof(reload_parts) / sizeof(reload_parts[0]))

/* Get all parts ready, or none. */
static bool
reload_prepare(struct supervisor *s, const struct config *next,
    char why[SUPERVISOR_WHY_MAX])
{
	size_t ready = 0;

	while (
	    ready < RELOAD_PARTS && reload_parts[ready].prepare(s, next, why))
		ready++;
	if (ready == RELOAD_PARTS)
		return true;
	while (ready-- > 0)
		reload_parts[ready].settle(s, next, false);
	return false;
}

/* Tell the command that waits, and the log. */
static void
reload_tell(struct supervisor *s, bool done, const char *what)
{
	struct layout_header *header = s->segment.header;

	snprintf(
	    header->run.reload_why, sizeof(header->run.reload_why), "%s", what);
	if (done)
		log_info("reload: %s%s", what[0] != '\0' ? "changed " : "",
		    what[0] != '\0' ? what : "no option has changed");
	else
		log_errorx("no reload: %s", what);
	atomic_fetch_add_explicit(
	    done ? &header->run.reloads : &header->run.reload_refused, 1,
	    memory_order_release);
}

/* Whether --root names another directory than the one that the workers have, or
 * none.  Their sandbox lets them read that one alone, for good. */
static bool
reload_root_is_replaced(const struct supervisor *s)
{
	struct stat served, named;

	if (s->root == -1 || fstat(s->root, &served) == -1)
		return false;
	return stat(s->config->root, &named) == -1 ||
	       served.st_dev != named.st_dev || served.st_ino != named.st_ino;
}

/* Tell, besides what has changed, of a directory that no reload can change. */
static void
reload_add_root(const struct supervisor *s, char what[SUPERVISOR_WHY_MAX])
{
	size_t len = strlen(what);

	if (reload_root_is_replaced(s))
		snprintf(what + len, SUPERVISOR_WHY_MAX - len,
		    "%sroot (another directory, which a restart serves)",
		    len > 0 ? ", " : "");
}

static void
reload_try(struct supervisor *s)
{
	const struct supervisor_reload *reload = s->args->reload;
	char what[SUPERVISOR_WHY_MAX], why[SUPERVISOR_WHY_MAX];
	const struct config *next;

	if (reload == NULL) {
		reload_tell(s, false, "there is no configuration to read");
		return;
	}
	if (!phase_serves(s->phase) || s->upgrade.active || s->move.active) {
		reload_tell(s, false, "another change is under way");
		return;
	}
	next = reload->read(reload->reader, what);
	if (next == NULL) {
		reload_tell(s, false, what);
		return;
	}
	if (!reload_prepare(s, next, why)) {
		reload->settle(reload->reader, false);
		reload_tell(s, false, why);
		return;
	}
	for (size_t i = 0; i < RELOAD_PARTS; i++)
		reload_parts[i].settle(s, next, true);
	s->config = next;
	reload->settle(reload->reader, true);
	supervisor_tune_listeners(s);
	reload_add_root(s, what);
	reload_tell(s, true, what);
}

void
supervisor_reload(struct supervisor *s)
{
	bool is_ready = s->phase == PHASE_SERVING;

	if (is_ready)
		supervisor_notify_changing("reloading");
	reload_try(s);
	if (is_ready)
		supervisor_notify_ready(s);
}
