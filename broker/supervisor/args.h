/* SPDX-License-Identifier: MIT */
/*
 * args.h - what the command line hands to the supervisor.
 */

#ifndef BROKER_SUPERVISOR_ARGS_H
#define BROKER_SUPERVISOR_ARGS_H

#include "broker/shared/worker_args.h"
#include "common/config.h"

#include <stdbool.h>

/* In front of the command, this makes `run' and `start' only say whether they
 * would start: what a restart asks the program on disk before it becomes it. */
#define SUPERVISOR_TRIAL "check-restart"

/* The same for an upgrade.  It also says what it would go on with (upgrade.h),
 * on standard error. */
#define SUPERVISOR_TRIAL_UPGRADE "check-upgrade"

#define SUPERVISOR_WHY_MAX 512 /* bytes of a reason */

/*
 * How the configuration is read again.  The command line's code does it, which
 * the supervisor does not know.
 */
struct supervisor_reload {
	void *reader; /* passed to the functions */
	/*
	 * Read it.  Changes nothing.
	 * Returns: the next configuration, until settle(), and in what the names
	 *          of the options that have changed, or "".  NULL, with why, if
	 *          anything is wrong, or has changed that no reload can apply.
	 */
	const struct config *(*read)(
	    void *reader, char what[SUPERVISOR_WHY_MAX]);
	/* What was read last is in force, and what was before is not looked at
	 * any more; or it is not, and is dropped. */
	void (*settle)(void *reader, bool in_force);
};

struct supervisor_args {
	const struct config *config;
	worker_main_fn *worker_main;
	char **argv; /* the call that a restart repeats; ends with NULL */
	const struct supervisor_reload *reload; /* NULL: a reload is refused */
	bool background; /* standard error goes to the log too */
};

/* What an upgrade needs to be the same in both programs, as a sentence: of this
 * program with this configuration.  Workers of both read each other's messages
 * for a while. */
#define SUPERVISOR_TERMS_MAX 320
void supervisor_terms(
    const struct config *config, char terms[SUPERVISOR_TERMS_MAX]);

#endif
